//! The time that a report is about: a year, a quarter, a month, a day, or anything from one moment to another; always in UTC.

use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use walwarden_contract::Timestamp;

/// The longest time that a report covers: a leap year, and some weeks for whose year ends elsewhere.
const LONGEST_MILLIS: i64 = 400 * 86_400_000;

/// From one moment, up to but without another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// What was asked for.
    pub label: String,
}

/// Why a text is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It has none of the forms.
    #[error(
        "a period is a year (2026), a quarter (2026-Q1), a month (2026-01), a day (2026-01-31), or FROM..TO with days, the last of \
         them included, or RFC 3339 times, the last of them excluded"
    )]
    Malformed,
    /// It ends before it begins.
    #[error("the period ends before it begins")]
    Backwards,
    /// It is longer than a report can be.
    #[error("a report covers at most 400 days: ask for one year after the other")]
    TooLong,
}

impl Period {
    /// Whether a moment is in it.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

fn midnight(date: Date) -> Result<Timestamp, PeriodError> {
    let zoned = date.to_zoned(TimeZone::UTC).map_err(|_| PeriodError::Malformed)?;
    Ok(zoned.timestamp().into())
}

/// The days from `first` on, up to but without what lies `months` and `days` later.
fn days(first: Date, months: i32, days: i32) -> Result<(Timestamp, Timestamp), PeriodError> {
    let after = first.checked_add(months.months().days(days)).map_err(|_| PeriodError::Malformed)?;
    Ok((midnight(first)?, midnight(after)?))
}

/// Digits, and nothing else, so many of them.
fn number(text: &str, digits: usize) -> Result<i16, PeriodError> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().ok_or(PeriodError::Malformed)
}

fn date(year: &str, month: i16, day: i16) -> Result<Date, PeriodError> {
    let small = |value: i16| i8::try_from(value).map_err(|_| PeriodError::Malformed);
    Date::new(number(year, 4)?, small(month)?, small(day)?).map_err(|_| PeriodError::Malformed)
}

/// A year, a quarter, a month or a day.
fn named(text: &str) -> Result<(Timestamp, Timestamp), PeriodError> {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year] => days(date(year, 1, 1)?, 12, 0),
        [year, part] => match part.strip_prefix(['Q', 'q']) {
            Some(quarter) => match number(quarter, 1)? {
                quarter @ 1..=4 => days(date(year, quarter * 3 - 2, 1)?, 3, 0),
                _ => Err(PeriodError::Malformed),
            },
            None => days(date(year, number(part, 2)?, 1)?, 1, 0),
        },
        [year, month, day] => days(date(year, number(month, 2)?, number(day, 2)?)?, 0, 1),
        _ => Err(PeriodError::Malformed),
    }
}

/// One end of a range. A day, a month or a year stands for all of itself.
fn end(text: &str) -> Result<(Timestamp, Timestamp), PeriodError> {
    match named(text) {
        Ok(whole) => Ok(whole),
        Err(_) => text.parse().map(|at| (at, at)).map_err(|_| PeriodError::Malformed),
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let (from, to) = match text.split_once("..") {
            Some((first, last)) => (end(first)?.0, end(last)?.1),
            None => named(text)?,
        };
        if from >= to {
            return Err(PeriodError::Backwards);
        }
        if to.as_millis().saturating_sub(from.as_millis()) > LONGEST_MILLIS {
            return Err(PeriodError::TooLong);
        }
        Ok(Self { from, to, label: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_period_is_what_a_person_means_by_it() {
        for (text, from, to) in [
            ("2026", "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            ("2026-Q1", "2026-01-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"),
            ("2026-q4", "2026-10-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            ("2026-02", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"),
            ("2028-02-29", "2028-02-29T00:00:00.000Z", "2028-03-01T00:00:00.000Z"),
            ("2026-01-01..2026-03-31", "2026-01-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"),
            ("2026-01..2026-02", "2026-01-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"),
            ("2026-01-31T02:00:00Z..2026-01-31T04:00:00+01:00", "2026-01-31T02:00:00.000Z", "2026-01-31T03:00:00.000Z"),
        ] {
            let period: Period = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((period.from.to_string().as_str(), period.to.to_string().as_str()), (from, to), "{text}");
            assert!(period.holds(period.from) && !period.holds(period.to));
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "26",
            "2026-Q5",
            "2026-Q0",
            "2026-Q",
            "2026-13",
            "2026-1",
            "2026-02-30",
            "2026-01-01..",
            "..",
            "+026",
            "last month",
        ] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError::Malformed), "{text}");
        }
        assert_eq!("2026-03..2026-01".parse::<Period>(), Err(PeriodError::Backwards));
        assert_eq!("2025..2026".parse::<Period>(), Err(PeriodError::TooLong));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".*", digits in "[0-9Qq.:TZ-]{0,30}") {
            let _ = text.parse::<Period>();
            let _ = digits.parse::<Period>();
        }
    }
}
