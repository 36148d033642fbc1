//! JSON as a bundle may hold it: each member once, nothing deep, numbers that every reader reads alike, and written in the one
//! form of RFC 8785.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::verify::{Code, Failure};

/// How deep a document may be nested. Ours are six levels deep.
const MAX_DEPTH: usize = 32;
/// What all documents of a bundle may take in memory. A document of seven bytes for each object takes a hundred times its length.
const MAX_MEMORY: u64 = 512 << 20;
/// What a value takes, and what an object that is not empty takes beyond it: the nodes of its tree.
const VALUE_BYTES: u64 = 64;
const OBJECT_BYTES: u64 = 700;
/// Up to here every whole number is a double of its own (RFC 7493).
const MAX_NUMBER: u64 = (1 << 53) - 1;

// Errors of a `Deserialize` are texts; these are told apart from those of serde_json.
const DUPLICATE: &str = "walwarden: duplicate member ";
const TOO_DEEP: &str = "walwarden: too deep";
const NUMBER: &str = "walwarden: number";
const TOO_LARGE: &str = "walwarden: too large";

/// What is left of [`MAX_MEMORY`].
pub(super) struct Budget(Cell<u64>);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(Cell::new(MAX_MEMORY))
    }

    fn take<E: Error>(&self, bytes: u64) -> Result<(), E> {
        let left = self.0.get().checked_sub(bytes).ok_or_else(|| E::custom(TOO_LARGE))?;
        self.0.set(left);
        Ok(())
    }
}

/// Reads a document of a bundle, and refuses it when it is not in its RFC 8785 form.
pub(super) fn read(name: &str, bytes: &[u8], budget: &Budget) -> Result<Value, Failure> {
    let value = parse(name, bytes, budget)?;
    match serde_json_canonicalizer::to_vec(&value) {
        Ok(canonical) if canonical == bytes => Ok(value),
        _ => Err(Code::JsonNotCanonical.because(format!("{name} is not written in its RFC 8785 form"))),
    }
}

fn parse(name: &str, bytes: &[u8], budget: &Budget) -> Result<Value, Failure> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict { depth: 0, budget }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let text = error.to_string();
        if let Some(member) = text.strip_prefix(DUPLICATE) {
            Code::DuplicateJsonKey.because(format!("{name} names a member twice: {member}"))
        } else if text.starts_with(TOO_DEEP) || text.starts_with("recursion limit") {
            Code::JsonTooDeep.because(format!("{name} is nested more than {MAX_DEPTH} levels deep"))
        } else if text.starts_with(TOO_LARGE) {
            Code::ArchiveTooLarge.because(format!("{name} would take more memory than a bundle may"))
        } else if text.starts_with(NUMBER) || text.starts_with("number out of range") {
            Code::NumberOutOfRange.because(format!("{name} holds a number that is not whole, or beyond 2^53 - 1"))
        } else {
            Code::MalformedJson.because(format!("{name} is not JSON: {text}"))
        }
    })
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    budget: &'a Budget,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(Self { depth: self.depth + 1, ..self }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.budget.take(VALUE_BYTES)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_NUMBER { Err(E::custom(NUMBER)) } else { Ok(value.into()) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_NUMBER { Err(E::custom(NUMBER)) } else { Ok(value.into()) }
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom(NUMBER))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(deeper)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            // The tree has a node for each few members, and one for the first.
            self.budget.take(if object.is_empty() { OBJECT_BYTES } else { VALUE_BYTES })?;
            let value = access.next_value_seed(deeper)?;
            if object.contains_key(&name) {
                let shown: String = name.chars().take(40).collect();
                return Err(A::Error::custom(format!("{DUPLICATE}{shown:?}")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<Code> {
        read("x.json", text.as_bytes(), &Budget::new()).err().map(|failure| failure.code)
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        assert_eq!(code(r#"{"a":[1,-2,true,null,"ü"],"b":{}}"#), None);
        for text in [r#"{"a": 1}"#, r#"{"b":1,"a":2}"#, r#"["\u00fc"]"#, "[1]\n", "\u{feff}[]"] {
            assert!(matches!(code(text), Some(Code::JsonNotCanonical | Code::MalformedJson)), "{text}");
        }
        assert_eq!(code(r#"{"a":1,"a":1}"#), Some(Code::DuplicateJsonKey));
        assert_eq!(code(r#"{"a":{"b":1,"\u0062":1}}"#), Some(Code::DuplicateJsonKey));
        for text in ["[1.0]", "[1e3]", "[-0]", "[1e999]", "[9007199254740992]", "[18446744073709551616]"] {
            assert_eq!(code(text), Some(Code::NumberOutOfRange), "{text}");
        }
        assert_eq!(code("[9007199254740991]"), None);
        assert_eq!(code("[1]x"), Some(Code::MalformedJson));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(code(&nested(MAX_DEPTH)), None);
        assert_eq!(code(&nested(MAX_DEPTH + 1)), Some(Code::JsonTooDeep));
        assert_eq!(code(&"[".repeat(1_000_000)), Some(Code::JsonTooDeep));
    }

    #[test]
    fn many_small_objects_are_too_large() {
        let objects = |number: usize| format!("[{}]", vec![r#"{"":0}"#; number].join(","));
        assert_eq!(code(&objects(100_000)), None);
        assert_eq!(code(&objects(700_000)), Some(Code::ArchiveTooLarge));
    }
}
