//! What agents read: the skill, its surface and the index.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{contents, visit};
use crate::capabilities::{CAPABILITIES, CLAIM_RULES, HumanGate, MIN_CLIENT_VERSION, SURFACE_VERSION, Status};
use crate::commands::COMMANDS;
use crate::error::{CONFIRMATION_HEADER, ErrorCode};
use crate::operations::{BASE_PATH, operation};

/// What the agent-skills format allows for a description.
const MAX_DESCRIPTION: usize = 1024;
/// What an agent has to read whenever the skill is used.
const MAX_LINES: usize = 500;
const MAX_TOKENS: usize = 5000;
/// A common estimate for English text and code.
const CHARACTERS_PER_TOKEN: usize = 4;

fn surface() -> Value {
    serde_json::from_str(contents("skills/walwarden/surface.json")).expect("JSON")
}

#[test]
fn the_skill_is_small_and_names_what_must_not_be_claimed() {
    let skill = contents("skills/walwarden/SKILL.md");
    let (front, body) = skill.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("front matter");
    let field = |name: &str| front.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    assert_eq!(field("name"), Some("walwarden"), "the name is that of the folder");
    let description = field("description").expect("a description");
    assert!((1..=MAX_DESCRIPTION).contains(&description.chars().count()), "{}", description.len());
    assert!(!description.contains(": ") || description.starts_with('"'), "the description is no plain YAML scalar");
    assert!(body.lines().count() < MAX_LINES, "{} lines", body.lines().count());
    let tokens = body.chars().count().div_ceil(CHARACTERS_PER_TOKEN);
    assert!(tokens <= MAX_TOKENS, "about {tokens} tokens");
    for capability in CAPABILITIES.iter().filter(|capability| capability.status != Status::Available) {
        assert!(body.contains(capability.claim), "{}", capability.id);
    }
    for rule in CLAIM_RULES.iter().copied().chain([CONFIRMATION_HEADER, "/mcp/tools"]) {
        assert!(body.contains(rule), "{rule}");
    }
}

#[test]
fn claims_are_listed_by_their_status() {
    let claims = contents("docs/reference/claims.md");
    let (may, must_not) = claims.split_once("## Must not be claimed").expect("both lists");
    for capability in CAPABILITIES {
        let (here, there) = if capability.status == Status::Available { (may, must_not) } else { (must_not, may) };
        let item = format!("(`{}`)", capability.id);
        assert!(here.contains(&item) && !there.contains(&item), "{}", capability.id);
    }
}

#[test]
fn the_surface_has_the_whole_contract() {
    let surface = surface();
    assert_eq!(surface["surfaceVersion"], SURFACE_VERSION);
    assert_eq!(surface["minClientVersion"], MIN_CLIENT_VERSION);
    for capability in CAPABILITIES {
        let listed = surface["capabilities"].as_array().expect("a list").iter();
        let listed: Vec<_> = listed.filter(|it| it["id"] == capability.id).collect();
        let [it] = listed[..] else { panic!("{} stands there {} times", capability.id, listed.len()) };
        assert_eq!(it["status"], capability.status.as_str());
        assert_eq!(it["risk"], capability.risk.as_str());
        assert_eq!(it["humanGate"] == "confirmation_required", capability.gate == HumanGate::ConfirmationRequired);
        assert_eq!(it["tool"].is_string(), capability.tool);
        assert_eq!(it["inputSchema"].is_object(), capability.tool, "{}", capability.id);
        assert_eq!(it["plannedRoute"].is_object(), capability.route.is_some());
        assert!(it["errorCodes"].as_array().is_some_and(|codes| !codes.is_empty()) || capability.operations.is_empty());
        for id in capability.operations {
            assert!(operation(id).is_some(), "{id}");
        }
    }
    for command in COMMANDS {
        let listed = surface["commands"].as_array().expect("a list").iter().find(|it| it["kind"] == command.kind);
        let listed = listed.unwrap_or_else(|| panic!("{} is missing", command.kind));
        assert!(listed["outputSchema"].is_object() && listed["inputSchema"]["type"] == "object", "{}", command.kind);
    }
    for code in ErrorCode::ALL {
        let listed = surface["errorCodes"].as_array().expect("a list").iter().find(|it| it["code"] == code.as_str());
        assert_eq!(listed.expect("every code")["fixableBy"], code.fixable_by().as_str());
    }
}

#[test]
fn schemas_of_the_surface_are_draft_2020_12_and_refer_to_its_own_definitions() {
    let surface = surface();
    let mut references = BTreeSet::new();
    visit(&surface, &mut |object| {
        references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
        for schema in ["inputSchema", "outputSchema"].iter().filter_map(|name| object.get(*name)) {
            assert!(schema.is_null() || jsonschema::draft202012::meta::is_valid(schema), "{schema}");
        }
    });
    let definitions = surface["$defs"].as_object().expect("definitions");
    for schema in definitions.values() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema}");
    }
    let expected: BTreeSet<_> = definitions.keys().map(|name| format!("#/$defs/{name}")).collect();
    assert_eq!(references, expected);
}

#[test]
fn the_index_links_what_the_server_serves_and_nothing_else() {
    let index = contents("docs/llms.txt");
    let mut lines = index.lines();
    assert_eq!(lines.next(), Some("# Walwarden"));
    assert!(lines.by_ref().find(|line| !line.is_empty()).is_some_and(|line| line.starts_with("> ")));
    let catalog = format!("{BASE_PATH}/mcp/tools");
    let served = [
        "/llms-full.txt",
        "/openapi/walwarden.v1.json",
        "/skills/walwarden/SKILL.md",
        "/skills/walwarden/surface.json",
        "/.well-known/walwarden-pubkey.pem",
        &catalog,
    ];
    let full = contents("docs/llms-full.txt");
    let targets = index.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let mut linked = BTreeSet::new();
    for link in targets {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        assert!(served.contains(&path), "{link} is not served");
        let title = |line: &str| line.strip_prefix("# ").map(|title| title.to_lowercase().replace(' ', "-"));
        assert!(anchor.is_empty() || full.lines().any(|line| title(line).as_deref() == Some(anchor)), "{link}");
        linked.insert(path);
    }
    assert_eq!(linked.len(), served.len());
}
