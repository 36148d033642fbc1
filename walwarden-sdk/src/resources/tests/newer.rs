//! Servers that are newer than this client, and servers that are none: nothing that is answered makes it panic.

use proptest::arbitrary::any as arbitrary;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::calls::{Arguments, calls};
use super::*;

const NEW_WORD: &str = "a_newer_word";

fn description() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/walwarden.v1.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON")
}

/// Every value of every enum in the schemas.
fn words(schema: &Value, found: &mut BTreeSet<String>) {
    let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    found.extend(values.map(str::to_owned));
    match schema {
        Value::Object(members) => members.values().for_each(|member| words(member, found)),
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        _ => {}
    }
}

/// The same document as a newer server might send it: other words, and members that nobody here knows.
fn renew(document: &mut Value, known: &BTreeSet<String>, renewed: &mut usize) {
    match document {
        Value::Object(members) => {
            members.values_mut().for_each(|member| renew(member, known, renewed));
            members.insert("aNewerMember".to_owned(), json!({"code": [NEW_WORD, 7, null]}));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| renew(item, known, renewed)),
        Value::String(word) if known.contains(word) => {
            NEW_WORD.clone_into(word);
            *renewed += 1;
        }
        _ => {}
    }
}

#[tokio::test]
async fn words_and_members_that_are_not_known_are_taken() {
    let description = description();
    let mut known = BTreeSet::new();
    words(&description["components"]["schemas"], &mut known);
    let mut renewed = 0;
    for operation in OPERATIONS {
        let path = &description["paths"][operation.path][operation.method.as_str().to_ascii_lowercase()];
        let success =
            path["responses"].as_object().expect("responses").iter().find(|(status, _)| status.starts_with('2'));
        let examples = &success.expect("a success").1["content"]["application/json"]["examples"];
        for (name, example) in examples.as_object().into_iter().flatten() {
            let mut document = example["value"].clone();
            renew(&mut document, &known, &mut renewed);
            let server = server(vec![ResponseTemplate::new(200).set_body_json(&document)]).await;
            let (client, session, arguments) = (client(&server), session(&server), Arguments::new());
            let calls = calls(&client, &session, &arguments);
            let (_, call) = calls.into_iter().find(|(id, _)| *id == operation.id).expect("every operation is called");
            assert_eq!(call.await, None, "{} {name}: {document}", operation.id);
        }
    }
    assert!(renewed > 100, "only {renewed} words were replaced");
}

#[tokio::test]
async fn an_error_with_a_code_that_is_not_known_keeps_everything_it_says() {
    let mut problem = json!(Problem::from(ErrorBody::new(ErrorCode::Forbidden, "as it is")));
    problem["code"] = json!("quota_exhausted");
    problem["requiredScope"] = json!("quotas:write");
    problem["requestId"] = json!("req-7");
    for retryable in [false, true] {
        problem["retryable"] = json!(retryable);
        let server = server(vec![ResponseTemplate::new(402).set_body_json(&problem)]).await;
        let error = client(&server).get_profile().await.expect_err("refused");
        assert!(matches!(error, Error::Api(_)), "{error:?}");
        assert_eq!((error.code().word().as_str(), error.code().known()), ("quota_exhausted", None));
        assert_eq!((error.is_retryable(), error.request_id()), (retryable, Some("req-7")));
        assert_eq!(error.exit().code(), if retryable { 1 } else { 3 });
        assert_eq!(error.body().required_scope.as_ref().map(ToString::to_string).as_deref(), Some("quotas:write"));
    }
}

/// JSON of any shape, with the names that answers have among its members.
fn json_value() -> impl Strategy<Value = Value> {
    let names =
        ["id", "state", "code", "message", "error", "retryable", "databases", "nextCursor", "scopes", "payload"];
    let leaf = prop_oneof![
        Just(Value::Null),
        arbitrary::<bool>().prop_map(Value::from),
        arbitrary::<i64>().prop_map(Value::from),
        arbitrary::<f64>().prop_map(Value::from),
        arbitrary::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        let members = vec((select(names.to_vec()), inner.clone()), 0..6);
        let object =
            members.prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        prop_oneof![vec(inner, 0..6).prop_map(Value::Array), object.prop_map(Value::Object)]
    })
}

/// What a server may answer, sound or not.
fn answer() -> impl Strategy<Value = (u16, Vec<u8>, Option<String>)> {
    let body =
        prop_oneof![vec(arbitrary::<u8>(), 0..300), json_value().prop_map(|value| value.to_string().into_bytes())];
    let header = prop_oneof![Just(None), "[ -~]{0,40}".prop_map(Some), Just(Some("99999999999999999999".to_owned()))];
    (prop_oneof![200_u16..600, Just(200), Just(429)], body, header)
}

#[test]
fn no_answer_makes_any_method_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    let outcome = runner.run(&answer(), |(status, body, header)| {
        runtime.block_on(async {
            let mut answer = ResponseTemplate::new(status).set_body_bytes(body);
            if let Some(header) = &header {
                let value = header.as_str();
                answer = answer.insert_header("retry-after", value).insert_header("x-request-id", value);
                answer = answer.insert_header("date", value);
            }
            let server = server(vec![answer]).await;
            let client = builder(&server).retries(RetryPolicy::never()).build().expect("a client");
            let (session, arguments) = (session_with(&client), Arguments::new());
            for (_, call) in calls(&client, &session, &arguments) {
                if let Some(error) = call.await {
                    let _ = (error.to_string(), error.exit(), error.code(), error.request_id().map(str::len));
                }
            }
            let _ = client.check_compatibility().await;
        });
        Ok(())
    });
    outcome.expect("no answer panics");
}
