//! A report as a page to print: one file, without scripts and without anything from elsewhere. Every text is escaped.

use askama::Template;
use serde_json::{Map, Value};

use super::document::{Document, Facts};
use super::history::Line;
use super::signing::Signed;

#[derive(Template)]
#[template(path = "evidence_report.html")]
struct Page<'a> {
    document: &'a Document,
    signed: &'a Signed,
}

/// A list of events that has a heading.
struct Lines<'a> {
    heading: &'static str,
    list: &'a super::Listed<Line>,
}

/// Renders the page of a signed report.
///
/// # Errors
/// When the template cannot be rendered, which no report causes.
pub fn page(document: &Document, signed: &Signed) -> Result<String, askama::Error> {
    Page { document, signed }.render()
}

/// A text or a dash.
fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "–".to_owned(), ToString::to_string)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// What an event says, on a line.
fn details(details: &Map<String, Value>) -> String {
    let parts: Vec<String> = details.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect();
    parts.join("; ")
}

const fn lines(facts: &Facts) -> [Lines<'_>; 6] {
    [
        Lines { heading: "API keys", list: &facts.access },
        Lines { heading: "Databases added, changed and removed", list: &facts.database_changes },
        Lines { heading: "Destinations added, changed, checked and removed", list: &facts.destination_changes },
        Lines { heading: "Signing and sealing keys", list: &facts.keys },
        Lines { heading: "Evidence handed out", list: &facts.exports },
        Lines { heading: "What regular looks found", list: &facts.looks },
    ]
}
