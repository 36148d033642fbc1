//! What holds for the artefacts whatever the contract says.

mod agents;
mod openapi;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::{Artefact, artefacts};
use crate::capabilities::{CAPABILITIES, HumanGate};
use crate::commands::{COMMANDS, Command};
use crate::error::{CONFIRMATION_HEADER, ErrorCode};
use crate::exit::ExitStatus;
use crate::operations::{Auth, OPERATIONS};
use crate::scope::Scope;

/// Generating takes a while without optimization, and most tests look at many files.
static ARTEFACTS: LazyLock<Vec<Artefact>> = LazyLock::new(artefacts);

fn contents(path: &str) -> &'static str {
    let artefact = ARTEFACTS.iter().find(|artefact| artefact.path == path);
    &artefact.unwrap_or_else(|| panic!("{path} is not generated")).contents
}

fn openapi() -> Value {
    serde_json::from_str(contents("openapi/walwarden.v1.json")).expect("JSON")
}

/// Calls `see` with every object in a document.
fn visit(value: &Value, see: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(members) => {
            see(members);
            members.values().for_each(|member| visit(member, see));
        }
        _ => {}
    }
}

#[test]
fn generating_twice_gives_equal_bytes() {
    assert_eq!(*ARTEFACTS, artefacts());
    for artefact in ARTEFACTS.iter() {
        assert!(artefact.contents.ends_with('\n') && !artefact.contents.ends_with("\n\n"), "{}", artefact.path);
        assert!(!artefact.contents.contains('\r') && !artefact.contents.contains(" \n"), "{}", artefact.path);
    }
}

#[test]
fn every_reference_in_the_openapi_document_resolves() {
    let document = openapi();
    let mut references = BTreeSet::new();
    visit(&document, &mut |object| {
        references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
    });
    assert!(references.len() > 30, "only {} references", references.len());
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} points at nothing");
    }
    for kind in ["schemas", "responses", "headers", "parameters"] {
        for name in document["components"][kind].as_object().expect("components").keys() {
            assert!(references.contains(&format!("#/components/{kind}/{name}")), "{kind}/{name} is not used");
        }
    }
}

#[test]
fn the_openapi_document_has_every_operation_and_no_other() {
    let document = openapi();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = 0;
    for methods in document["paths"].as_object().expect("paths").values() {
        found += methods.as_object().expect("methods").len();
    }
    assert_eq!(found, OPERATIONS.len());
    for operation in OPERATIONS {
        let described = &document["paths"][operation.path][operation.method.as_str().to_lowercase()];
        assert_eq!(described["operationId"], operation.id);
        assert_eq!(described["x-required-scope"].as_str(), operation.scope().map(Scope::as_str), "{}", operation.id);
        let scheme = if matches!(operation.auth, Auth::RestoreToken) { "restoreToken" } else { "apiKey" };
        assert!(described["security"][0][scheme].is_array(), "{}", operation.id);
        assert!(document["components"]["securitySchemes"][scheme].is_object());

        let mut statuses: BTreeSet<_> = operation.all_errors().into_iter().map(ErrorCode::http_status).collect();
        statuses.insert(operation.success);
        let named = described["responses"].as_object().expect("responses").keys();
        assert_eq!(named.map(|status| status.parse().expect("a status")).collect::<BTreeSet<u16>>(), statuses);
    }
}

#[test]
fn openapi_parameters_are_those_of_the_path_and_of_the_shape() {
    let document = openapi();
    for operation in OPERATIONS {
        let described = &document["paths"][operation.path][operation.method.as_str().to_lowercase()];
        let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
        let resolve = |parameter: &Value| match parameter["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("it resolves").clone(),
            None => parameter.clone(),
        };
        let parameters: Vec<_> = parameters.iter().map(resolve).collect();
        let named: Vec<_> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
        let mut expected: Vec<_> =
            operation.path.split(['{', '}']).skip(1).step_by(2).filter(|name| !name.is_empty()).collect();
        let query = operation.query.map(crate::schema::query_members).unwrap_or_default();
        expected.extend(query.iter().map(|member| member.name.as_str()));
        if operation.needs_idempotency_key() {
            expected.push("Idempotency-Key");
        }
        if operation.gate() == HumanGate::ConfirmationRequired {
            expected.push(CONFIRMATION_HEADER);
        }
        expected.push("X-Request-Id");
        assert_eq!(named, expected, "{}", operation.id);
    }
}

#[test]
fn error_examples_are_what_the_catalog_says() {
    for response in openapi()["components"]["responses"].as_object().expect("responses").values() {
        let examples = response["content"]["application/problem+json"]["examples"].as_object().expect("examples");
        for (code, example) in examples {
            let problem: crate::Problem = serde_json::from_value(example["value"].clone()).expect("a problem");
            assert_eq!(&problem.error.code.word(), code);
        }
    }
}

#[test]
fn no_source_path_leaks_into_descriptions() {
    for artefact in ARTEFACTS.iter() {
        assert!(!artefact.contents.contains("[`crate"), "{}", artefact.path);
        assert!(!artefact.contents.contains("crate::"), "{}", artefact.path);
    }
    visit(&openapi(), &mut |object| {
        let text = object.get("description").and_then(Value::as_str).unwrap_or_default();
        assert!(!text.contains("[`"), "{text}");
    });
}

#[test]
fn every_code_has_the_heading_that_its_docs_link_points_at() {
    let page = contents("docs/reference/errors.md");
    for code in ErrorCode::ALL {
        assert_eq!(code.docs(), format!("docs/reference/errors.md#{code}"));
        assert_eq!(page.lines().filter(|line| *line == format!("### {code}")).count(), 1, "{code}");
    }
}

#[test]
fn every_page_covers_its_whole_list() {
    let everywhere = |path: &str, names: &mut dyn Iterator<Item = String>| {
        let page = contents(path);
        names.for_each(|name| assert!(page.contains(&name), "{path} lacks {name}"));
    };
    let operations = || OPERATIONS.iter().map(|operation| operation.id.to_owned());
    let codes = || ErrorCode::ALL.iter().map(|code| format!("{code}"));
    let scopes = || Scope::ALL.iter().map(|scope| format!("{scope}"));
    let exits = || ExitStatus::ALL.iter().map(|exit| exit.name().to_owned());
    let commands = || COMMANDS.iter().map(Command::words);
    let surface = "skills/walwarden/surface.json";
    everywhere("docs/reference/api.md", &mut operations().map(|id| format!("### {id}")));
    everywhere("docs/reference/scopes.md", &mut scopes());
    everywhere("docs/reference/exit-codes.md", &mut exits().chain(codes().map(|code| format!("`{code}`"))));
    everywhere("docs/reference/cli.md", &mut commands().map(|words| format!("\n## {words}\n")));
    everywhere("docs/reference/capabilities.md", &mut CAPABILITIES.iter().map(|it| format!("\n### {}\n", it.id)));
    everywhere("docs/reference/claims.md", &mut CAPABILITIES.iter().map(|capability| capability.id.to_owned()));
    everywhere("skills/walwarden/SKILL.md", &mut commands().chain(exits()));
    let kinds = COMMANDS.iter().map(|command| command.kind.to_owned());
    let names = operations().chain(codes()).chain(scopes()).chain(exits()).chain(kinds);
    everywhere(surface, &mut names.map(|name| format!("\"{name}\"")));
}

#[test]
fn anchors_between_reference_pages_resolve() {
    for artefact in ARTEFACTS.iter().filter(|artefact| artefact.path.starts_with("docs/reference/")) {
        for target in artefact.contents.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { artefact.path.to_owned() } else { format!("docs/reference/{file}") };
            let page = contents(&path);
            let slug =
                |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-").replace('.', "");
            let found = page.lines().any(|line| line.starts_with('#') && slug(line) == anchor);
            assert!(anchor.is_empty() || found, "{}: {target} points at nothing", artefact.path);
        }
    }
}
