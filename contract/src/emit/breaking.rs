//! What a later `OpenAPI` document takes away from those who rely on an earlier one.

mod schemas;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::schemas::{Comparison, Direction};

/// Every change that breaks a client, in the order of the earlier document.
#[must_use]
pub fn breaking_changes(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison::new(old, new);
    let later = operations(new);
    for (id, one) in operations(old) {
        match later.get(id) {
            Some(other) => compare_operation(&mut comparison.at(id), &one, other),
            None => comparison.report(&format!("operation {id} was removed")),
        }
    }
    for (pointer, what) in [("/servers/0/url", "base path"), ("/components/securitySchemes", "way to authenticate")] {
        if old.pointer(pointer) != new.pointer(pointer) {
            comparison.report(&format!("the {what} changed"));
        }
    }
    comparison.into_changes()
}

struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    document: &'a Value,
}

fn operations(document: &Value) -> BTreeMap<&str, Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.filter_map(move |(method, document)| {
            Some((document["operationId"].as_str()?, Operation { method, path, document }))
        })
    });
    operations.collect()
}

fn compare_operation(comparison: &mut Comparison<'_>, old: &Operation<'_>, new: &Operation<'_>) {
    if (old.method, old.path) != (new.method, new.path) {
        comparison.report(&format!("moved from {} {} to {} {}", old.method, old.path, new.method, new.path));
    }
    for (member, what) in [("x-required-scope", "required scope"), ("security", "authentication")] {
        if old.document[member] != new.document[member] {
            comparison.report(&format!("the {what} changed"));
        }
    }
    if new.document["x-human-gate"] == "confirmation_required"
        && old.document["x-human-gate"] != "confirmation_required"
    {
        comparison.report("a person's consent is needed now");
    }
    compare_parameters(comparison, &old.document["parameters"], &new.document["parameters"]);
    compare_request(comparison, &old.document["requestBody"], &new.document["requestBody"]);
    compare_responses(comparison, &old.document["responses"], &new.document["responses"]);
}

fn compare_parameters(comparison: &mut Comparison<'_>, old: &Value, new: &Value) {
    let parameters = |root: &Value, list: &Value| -> BTreeMap<String, Value> {
        let list = list.as_array().into_iter().flatten().map(|parameter| resolve(root, parameter).clone());
        list.map(|it| (format!("{} {}", it["in"].as_str().unwrap_or_default(), it["name"]), it)).collect()
    };
    let (old, new) = (parameters(comparison.old, old), parameters(comparison.new, new));
    for (name, one) in &old {
        match new.get(name) {
            Some(other) => {
                if one["required"] != true && other["required"] == true {
                    comparison.report(&format!("parameter {name} is required now"));
                }
                let mut inner = comparison.at(&format!("parameter {name}"));
                inner.schema(Direction::Request, &one["schema"], &other["schema"]);
            }
            None => comparison.report(&format!("parameter {name} was removed")),
        }
    }
    for (name, _) in new.iter().filter(|(name, it)| !old.contains_key(*name) && it["required"] == true) {
        comparison.report(&format!("parameter {name} is new and required"));
    }
}

fn compare_request(comparison: &mut Comparison<'_>, old: &Value, new: &Value) {
    if old["required"] != true && new["required"] == true {
        comparison.report("a body is required now");
    }
    compare_content(&mut comparison.at("request"), Direction::Request, &old["content"], &new["content"]);
}

fn compare_responses(comparison: &mut Comparison<'_>, old: &Value, new: &Value) {
    let (old_codes, new_codes) = (codes(comparison.old, old), codes(comparison.new, new));
    for code in old_codes.iter().filter(|code| !new_codes.contains(code)) {
        comparison.report(&format!("error {code} was removed"));
    }
    for (status, one) in old.as_object().into_iter().flatten() {
        let Some(other) = new.get(status) else {
            if status.starts_with('2') {
                comparison.report(&format!("success is no longer {status}"));
            }
            continue;
        };
        let (one, other) = (resolve(comparison.old, one), resolve(comparison.new, other));
        for header in one["headers"].as_object().into_iter().flat_map(Map::keys) {
            if other["headers"].get(header).is_none() {
                comparison.report(&format!("{status} no longer carries the header {header}"));
            }
        }
        let (one, other) = (one["content"].clone(), other["content"].clone());
        compare_content(&mut comparison.at(&format!("response {status}")), Direction::Response, &one, &other);
    }
}

/// The error codes that responses name, each with its status.
fn codes(root: &Value, responses: &Value) -> Vec<String> {
    let responses = responses.as_object().into_iter().flatten();
    let codes = responses.flat_map(|(status, response)| {
        let codes = resolve(root, response)["x-error-codes"].as_array().into_iter().flatten();
        codes.filter_map(move |code| Some(format!("{status} {}", code.as_str()?)))
    });
    codes.collect()
}

fn compare_content(comparison: &mut Comparison<'_>, direction: Direction, old: &Value, new: &Value) {
    for (media_type, one) in old.as_object().into_iter().flatten() {
        match new.get(media_type) {
            Some(other) => comparison.schema(direction, &one["schema"], &other["schema"]),
            None => comparison.report(&format!("{media_type} was removed")),
        }
    }
}

/// What a value refers to, or the value itself.
fn resolve<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(value)
}
