//! Whole numbers in requests. JSON knows one kind of number: `30` and `30.0` are the same one, and JSON Schema calls both
//! an integer.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// Reads a whole number or null, however it is written.
pub(crate) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let whole = number.as_u64().or_else(|| number.as_f64().and_then(from_float));
    let fitting = whole.and_then(|whole| T::try_from(whole).ok());
    fitting.map(Some).ok_or_else(|| D::Error::custom("expected a whole number within its bounds"))
}

/// Floats hold every whole number up to 2^53; beyond it, one stands for several, and none is meant.
fn from_float(float: f64) -> Option<u64> {
    let exact = float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&float);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked in the line above")]
    exact.then_some(float as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[derive(serde::Deserialize)]
    struct Request {
        #[serde(default, deserialize_with = "super::whole")]
        days: Option<u32>,
    }

    fn days(value: &serde_json::Value) -> Result<Option<u32>, serde_json::Error> {
        serde_json::from_value::<Request>(json!({ "days": value })).map(|request| request.days)
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for value in [json!(30), json!(30.0), json!(3e1)] {
            assert_eq!(days(&value).ok(), Some(Some(30)), "{value}");
        }
        assert_eq!(days(&json!(null)).ok(), Some(None));
        assert_eq!(serde_json::from_str::<Request>("{}").map(|request| request.days).ok(), Some(None));
    }

    #[test]
    fn what_is_no_whole_number_within_bounds_is_refused() {
        for value in
            [json!(30.5), json!(-1), json!(-1.0), json!(4_294_967_296_u64), json!(1e300), json!("30"), json!([])]
        {
            assert!(days(&value).is_err(), "{value}");
        }
    }
}
