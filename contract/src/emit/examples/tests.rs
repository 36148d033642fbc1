//! What holds for every example.

use serde_json::{Value, json};

use super::{requests, responses};
use crate::audit::{AuditEvent, verify_chain};
use crate::manifest::{manifest_hash, verify};
use crate::operations::{Answer, OPERATIONS};

#[test]
fn every_body_has_an_example() {
    for operation in OPERATIONS {
        assert_eq!(operation.request.is_some(), !requests(operation.id).is_empty(), "{}", operation.id);
        let json = matches!(operation.answer, Answer::Json(_));
        assert_eq!(json, !responses(operation.id).is_empty(), "{}", operation.id);
    }
}

/// Pairs of schema and example, wherever a document has them.
fn pairs<'a>(value: &'a Value, found: &mut Vec<(&'a Value, &'a Value)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| pairs(item, found)),
        Value::Object(members) => {
            if let (Some(schema), Some(Value::Object(examples))) = (members.get("schema"), members.get("examples")) {
                found.extend(examples.values().map(|example| (schema, &example["value"])));
            }
            if let (Some(schema), Some(example)) = (members.get("schema"), members.get("example")) {
                found.push((schema, example));
            }
            members.values().for_each(|member| pairs(member, found));
        }
        _ => {}
    }
}

#[test]
fn every_example_in_the_openapi_document_fits_its_schema() {
    let document: Value = serde_json::from_str(&crate::emit::openapi::document()).expect("JSON");
    let mut found = Vec::new();
    pairs(&document["paths"], &mut found);
    pairs(&document["components"]["responses"], &mut found);
    pairs(&document["components"]["headers"], &mut found);
    assert!(found.len() > 80, "only {} examples", found.len());
    for (schema, example) in found {
        let mut whole = schema.clone();
        whole["components"] = json!({"schemas": document["components"]["schemas"]});
        let validator =
            jsonschema::draft202012::options().should_validate_formats(true).build(&whole).expect("a schema");
        let problems: Vec<_> = validator.iter_errors(example).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{schema}: {problems:?}\n{example:#}");
    }
}

/// Without this, the test above might compare with nothing.
#[test]
fn a_document_that_does_not_fit_is_noticed() {
    let document: Value = serde_json::from_str(&crate::emit::openapi::document()).expect("JSON");
    let schema = json!({"$ref": "#/components/schemas/Timestamp", "components": document["components"]});
    assert!(jsonschema::draft202012::is_valid(&schema, &json!("2026-01-31T02:00:00.000Z")));
    assert!(!jsonschema::draft202012::is_valid(&schema, &json!("2026-01-31T03:00:00+01:00")));
}

#[test]
fn the_evidence_in_the_examples_verifies() {
    let evidence = super::evidence::evidence();
    assert!(verify(&evidence.manifest, &super::evidence::SIGNING_KEY.verifying_key()).is_ok());
    assert_eq!(manifest_hash(&evidence.manifest), Ok(evidence.manifest_hash));
    let events: Vec<AuditEvent> =
        evidence.audit_events.into_iter().map(|event| serde_json::from_value(event).expect("an event")).collect();
    assert_eq!(verify_chain(&events), Ok(()));
}
