//! What holds for every operation of the `OpenAPI` document.

use serde_json::{Value, json};

use super::{openapi, visit};
use crate::capabilities::{CAPABILITIES, HumanGate};
use crate::operations::{Answer, OPERATIONS, Operation};

fn described<'a>(document: &'a Value, operation: &Operation) -> &'a Value {
    &document["paths"][operation.path][operation.method.as_str().to_lowercase()]
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    reference.map_or(value, |pointer| document.pointer(pointer).expect("it resolves"))
}

#[test]
fn every_answer_says_which_request_it_is_for_and_what_is_left() {
    let document = openapi();
    for operation in OPERATIONS {
        for (status, answer) in described(&document, operation)["responses"].as_object().expect("responses") {
            let answer = resolve(&document, answer);
            for header in ["X-Request-Id", "RateLimit", "RateLimit-Policy"] {
                assert!(answer["headers"][header].is_object(), "{} {status}: {header}", operation.id);
            }
            let waits = answer["headers"]["Retry-After"].is_object();
            assert_eq!(waits, matches!(status.as_str(), "429" | "503"), "{} {status}", operation.id);
            if !status.starts_with('2') {
                let examples = answer["content"]["application/problem+json"]["examples"].as_object();
                let codes = answer["x-error-codes"].as_array().expect("codes");
                assert_eq!(examples.map(serde_json::Map::len), Some(codes.len()), "{} {status}", operation.id);
            }
        }
        let success = &described(&document, operation)["responses"][operation.success.to_string()];
        assert_eq!(success.get("content").is_none(), matches!(operation.answer, Answer::Empty), "{}", operation.id);
    }
}

#[test]
fn risk_and_gate_are_those_of_the_capability() {
    let document = openapi();
    for operation in OPERATIONS {
        let described = described(&document, operation);
        let of = CAPABILITIES.iter().find(|it| it.tool_operation().is_some_and(|called| called.id == operation.id));
        assert_eq!(described["x-capability"].as_str(), of.map(|capability| capability.id), "{}", operation.id);
        assert_eq!(described["x-risk"].as_str(), of.map(|capability| capability.risk.as_str()), "{}", operation.id);
        let gated = described["x-human-gate"] == "confirmation_required";
        assert_eq!(gated, operation.gate() == HumanGate::ConfirmationRequired, "{}", operation.id);
    }
}

#[test]
fn requests_and_what_audit_events_say_are_closed_and_answers_are_open() {
    let document = openapi();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let reachable = |roots: Vec<&Value>| {
        let mut names = Vec::new();
        let mut next: Vec<String> = Vec::new();
        let look = |value: &Value, next: &mut Vec<String>| {
            visit(value, &mut |object| {
                let reference = object.get("$ref").and_then(Value::as_str);
                next.extend(reference.and_then(|it| it.rsplit('/').next()).map(str::to_owned));
            });
        };
        for root in roots {
            look(root, &mut next);
        }
        while let Some(name) = next.pop() {
            if let Some(schema) = schemas.get(&name).filter(|_| !names.contains(&name)) {
                look(schema, &mut next);
                names.push(name);
            }
        }
        names
    };
    let all = OPERATIONS.iter().map(|operation| described(&document, operation));
    let requests =
        reachable(all.clone().map(|it| &it["requestBody"]["content"]["application/json"]["schema"]).collect());
    assert!(requests.contains(&"RestoreReportPayload".to_owned()), "{requests:?}");
    let rules = schemas["AuditEvent"]["allOf"].as_array().expect("rules").iter();
    let payload = |rule: &Value| rule["then"]["properties"]["payload"]["$ref"].as_str().map(str::to_owned);
    let stored = rules.filter_map(payload).chain(["DeletedObject".to_owned(), "NewFinding".to_owned()]);
    let stored: Vec<_> = stored.map(|it| it.trim_start_matches("#/components/schemas/").to_owned()).collect();
    for (name, schema) in schemas {
        let closed = schema["additionalProperties"] == json!(false);
        let object = schema["type"] == "object";
        let said = requests.contains(name) || stored.contains(name);
        assert_eq!(closed, object && said, "{name}");
    }
}

#[test]
fn codes_are_a_closed_list() {
    let document = openapi();
    let listed = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().expect("an enum").len();
    assert_eq!(listed, crate::ErrorCode::ALL.len());
    assert_eq!(
        document["components"]["schemas"]["Problem"]["properties"]["code"]["$ref"],
        "#/components/schemas/ErrorCode"
    );
}
