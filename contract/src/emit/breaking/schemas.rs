//! Comparing two schemas: what was accepted must be accepted still, and what was answered must be answered still.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::resolve;

/// Who writes the documents that a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// The client: the schema must not become narrower.
    Request,
    /// The server: the schema must not become wider.
    Response,
}

/// Two documents, a place in them, and the changes found so far.
pub(super) struct Comparison<'a> {
    pub(super) old: &'a Value,
    pub(super) new: &'a Value,
    place: Vec<String>,
    found: Rc<RefCell<Found>>,
}

#[derive(Default)]
struct Found {
    changes: Vec<String>,
    /// Components that were compared already, so that each change is told once.
    seen: BTreeSet<(Direction, String, String)>,
}

const BOUNDS_BELOW: [&str; 3] = ["minimum", "minLength", "minItems"];
const BOUNDS_ABOVE: [&str; 3] = ["maximum", "maxLength", "maxItems"];

impl<'a> Comparison<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, place: Vec::new(), found: Rc::default() }
    }

    /// The same comparison at an inner place.
    pub(super) fn at(&self, place: &str) -> Self {
        let mut inner = self.place.clone();
        inner.push(place.to_owned());
        Self { old: self.old, new: self.new, place: inner, found: Rc::clone(&self.found) }
    }

    pub(super) fn report(&mut self, change: &str) {
        let place = if self.place.is_empty() { String::new() } else { format!("{}: ", self.place.join(" ")) };
        self.found.borrow_mut().changes.push(format!("{place}{change}"));
    }

    pub(super) fn into_changes(self) -> Vec<String> {
        self.found.take().changes
    }

    pub(super) fn schema(&mut self, direction: Direction, old: &Value, new: &Value) {
        let (one, other) = (Shape::of(self.old, old), Shape::of(self.new, new));
        let compared = (direction, one.name.clone(), other.name.clone());
        if one.nullable != other.nullable && (direction == Direction::Response) == other.nullable {
            self.report(if other.nullable { "may be null now" } else { "may not be null any more" });
        }
        if !one.name.is_empty() && !self.found.borrow_mut().seen.insert(compared) {
            return;
        }
        if one.types != other.types {
            self.report(&format!("type changed from {} to {}", one.types.join(" or "), other.types.join(" or ")));
        }
        self.values(direction, &one, &other);
        self.bounds(direction, one.schema, other.schema);
        self.members(direction, one.schema, other.schema);
        if one.schema.get("items").is_some() {
            self.at("[]").schema(direction, &one.schema["items"], &other.schema["items"]);
        }
        for keyword in ["oneOf", "anyOf"] {
            // Nothing in the contract has these, beside a null in `anyOf`, which `Shape` takes away.
            if one.schema.get(keyword) != other.schema.get(keyword) {
                self.report(&format!("{keyword} changed"));
            }
        }
        self.rules(direction, one.schema, other.schema);
    }

    /// What audit events say, by their kind. A rule that is new narrows what is answered, and breaks only what is sent.
    fn rules(&mut self, direction: Direction, old: &Value, new: &Value) {
        if direction == Direction::Request {
            if old.get("allOf") != new.get("allOf") {
                self.report("allOf changed");
            }
            return;
        }
        let after = by_kind(new);
        for (kind, payload) in by_kind(old) {
            match after.get(kind) {
                Some(other) => self.at(kind).schema(direction, payload, other),
                None => self.report(&format!("what {kind} says is no longer described")),
            }
        }
    }

    fn values(&mut self, direction: Direction, old: &Shape<'_>, new: &Shape<'_>) {
        let (Some(before), after) = (old.values(), new.values()) else {
            if direction == Direction::Request && new.values().is_some() {
                self.report("only some values are taken now");
            }
            return;
        };
        let Some(after) = after else {
            if direction == Direction::Response {
                self.report("is no enum any more");
            }
            return;
        };
        for value in before.iter().filter(|value| !after.contains(value)) {
            self.report(&format!("enum value {value} was removed"));
        }
    }

    fn bounds(&mut self, direction: Direction, old: &Value, new: &Value) {
        if old["format"] != new["format"] {
            self.report(&format!("format changed from {} to {}", old["format"], new["format"]));
        }
        if direction == Direction::Response {
            if old.get("pattern").is_some() && old["pattern"] != new["pattern"] {
                self.report(&format!("pattern changed to {}", new["pattern"]));
            }
            return;
        }
        if old["default"] != new["default"] {
            self.report(&format!("default changed from {} to {}", old["default"], new["default"]));
        }
        let number = |schema: &Value, keyword: &str| schema[keyword].as_f64();
        for keyword in BOUNDS_BELOW {
            let (before, after) = (number(old, keyword), number(new, keyword));
            if after.is_some_and(|after| before.is_none_or(|before| after > before)) {
                self.report(&format!("{keyword} was raised to {}", new[keyword]));
            }
        }
        for keyword in BOUNDS_ABOVE {
            let (before, after) = (number(old, keyword), number(new, keyword));
            if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
                self.report(&format!("{keyword} was lowered to {}", new[keyword]));
            }
        }
        if new.get("pattern").is_some() && old["pattern"] != new["pattern"] {
            self.report(&format!("pattern changed to {}", new["pattern"]));
        }
        if new["additionalProperties"] == false && old["additionalProperties"] != false {
            self.report("unknown members are refused now");
        }
    }

    fn members(&mut self, direction: Direction, old: &Value, new: &Value) {
        let required = |schema: &Value, name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name))
        };
        for (name, one) in old["properties"].as_object().into_iter().flatten() {
            let Some(other) = new["properties"].get(name) else {
                self.report(&format!("member {name} was removed"));
                continue;
            };
            match (required(old, name), required(new, name), direction) {
                (true, false, Direction::Response) => self.report(&format!("member {name} is optional now")),
                (false, true, Direction::Request) => self.report(&format!("member {name} is required now")),
                _ => {}
            }
            self.at(name).schema(direction, one, other);
        }
        let known = |name: &str| old["properties"].get(name).is_some();
        for name in new["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if direction == Direction::Request && !known(name) {
                self.report(&format!("member {name} is new and required"));
            }
        }
    }
}

/// The schema of what an event says, by its kind.
fn by_kind(schema: &Value) -> BTreeMap<&str, &Value> {
    let rules = schema["allOf"].as_array().into_iter().flatten();
    rules.flat_map(of_rule).collect()
}

fn of_rule(rule: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let kinds = rule["if"]["properties"]["kind"]["enum"].as_array().into_iter().flatten();
    kinds.filter_map(|kind| Some((kind.as_str()?, &rule["then"]["properties"]["payload"])))
}

/// A schema with its reference followed and its null set apart.
struct Shape<'a> {
    /// The component's name; empty for a schema in place.
    name: String,
    nullable: bool,
    types: Vec<&'a str>,
    schema: &'a Value,
}

impl<'a> Shape<'a> {
    fn of(root: &'a Value, schema: &'a Value) -> Self {
        let is_null = |schema: &&Value| schema["type"] == "null";
        let choices = schema["anyOf"].as_array();
        let nullable = choices.is_some_and(|choices| choices.iter().any(|choice| is_null(&choice)));
        let inner = choices.filter(|_| nullable).and_then(|choices| choices.iter().find(|choice| !is_null(choice)));
        let inner = inner.unwrap_or(schema);
        let name = inner.get("$ref").and_then(Value::as_str).unwrap_or_default().to_owned();
        let schema = resolve(root, inner);
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect::<Vec<_>>(),
        };
        let nullable = nullable || types.contains(&"null");
        Self { name, nullable, types: types.into_iter().filter(|kind| *kind != "null").collect(), schema }
    }

    fn values(&self) -> Option<Vec<&'a Value>> {
        let constant = self.schema.get("const").map(|value| vec![value]);
        self.schema["enum"].as_array().map(|values| values.iter().collect()).or(constant)
    }
}
