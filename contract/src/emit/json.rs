//! JSON for files that are checked in: members sorted, whatever map type `serde_json` was built with.

use serde_json::{Map, Value};

/// Two spaces, one member per line, a line break at the end.
pub(super) fn pretty(value: &Value) -> String {
    format!("{:#}\n", sorted(value))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort_unstable();
            names.into_iter().map(|name| (name.clone(), sorted(&members[name]))).collect::<Map<_, _>>().into()
        }
        _ => value.clone(),
    }
}
