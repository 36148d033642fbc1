//! `capabilities.md`

use super::claims::with_status;
use crate::capabilities::{Capability, HumanGate, MIN_CLIENT_VERSION, SURFACE_VERSION, Status};
use crate::emit::markdown::{codes, head, list, table};
use crate::error::{CONFIRMATION_HEADER, ErrorCode};
use crate::operations::BASE_PATH;

const LEAD: &str = "\
Everything that Walwarden does, and what it does not do yet, as one closed list. A program may decide from this list, from
`skills/walwarden/surface.json` (the same as data, with the JSON Schema of every input and output) or from the live tool catalog what it
may call. Each entry has a **status**:

- `available`: built and tested; it may be relied on.
- `planned`: not built. Nothing carries it out, and it must not be claimed.
- `advisory`: described so that a program can reason about it; nothing carries it out.

The **risk** says what it may change: `read_only` nothing; `safe_write` adds and takes nothing away; `sensitive_write` changes what
later backups, restores or audits rely on, or hands out data; `destructive` may take something away.
";

fn rules() -> String {
    format!(
        "\
## Versions

The surface version is `{SURFACE_VERSION}`; its major number changes when something is taken away. The oldest client that understands it
is `{MIN_CLIENT_VERSION}`. Both stand in `surface.json` and in the live catalog.

## The live catalog

`GET {BASE_PATH}/mcp/tools` lists the tools that the asking key may call: name, risk, scopes, operation, input and output schema, error
codes. Planned and advisory capabilities are not in it, and neither is what the key has no scope for. It is a plain JSON document; there
is no MCP transport. A tool is called by calling its operation.

## What is not available refuses

Some capabilities that are not built have a route already. A request to it is authenticated and its scope is checked like any other; then
it is refused with 501 [`{not_available}`](errors.md#{not_available}), and nothing has happened. There is no other effect and no partial one.

## Human confirmation

Keys of agents (client kind `mcp_external`) may not run a gated operation by themselves. For other keys the gate does nothing.

1. The first request is refused with 428 [`{confirmation}`](errors.md#{confirmation}). Its `confirmation` member says what the request
   would do (`summary`), holds a `challenge`, and says when the challenge is void (`expiresAt`, ten minutes later). Nothing else has
   happened.
2. A person reads the summary and decides.
3. If they agree, the very same request is sent again with the challenge in the header `{CONFIRMATION_HEADER}`. The challenge is bound to
   the key, the operation, its path, its body and its `Idempotency-Key`: it passes no other request.

An agent must not answer a challenge in a person's place.
",
        not_available = ErrorCode::CapabilityNotAvailable,
        confirmation = ErrorCode::HumanConfirmationRequired,
    )
}

pub(in crate::emit) fn page() -> String {
    let row = |capability: &Capability| {
        [
            format!("[`{}`](#{})", capability.id, anchor(capability)),
            format!("`{}`", capability.risk.as_str()),
            if capability.gate == HumanGate::None { String::new() } else { "yes".to_owned() },
            codes(capability.scopes().iter().map(|scope| scope.as_str())),
        ]
    };
    let heads = ["capability", "risk", "human gate", "scopes"];
    let group = |title: &str, status| {
        let sections: String = with_status(status).map(section).collect();
        format!("\n## {title}\n\n{}{sections}", table(heads, with_status(status).map(row)))
    };
    format!(
        "{}\n{}{}{}{}",
        head("Capabilities", LEAD),
        rules(),
        group("Available", Status::Available),
        group("Planned", Status::Planned),
        group("Advisory", Status::Advisory),
    )
}

/// The anchor of a section, as Markdown readers make it: without dots.
fn anchor(capability: &Capability) -> String {
    capability.id.replace('.', "")
}

fn section(capability: &Capability) -> String {
    let mut facts = vec![format!(
        "Status `{}`, risk `{}`, human gate `{}`",
        capability.status.as_str(),
        capability.risk.as_str(),
        capability.gate.as_str(),
    )];
    let mut fact = |name: &str, values: String| {
        if values != "–" {
            facts.push(format!("{name}: {values}"));
        }
    };
    let operations = capability.operations.iter().map(|id| format!("[`{id}`](api.md#{})", id.to_lowercase()));
    let commands = capability.commands.iter().map(|kind| kind.replace('.', " "));
    let commands = commands.map(|words| format!("[`{words}`](cli.md#{})", words.replace(' ', "-")));
    fact("Scopes", codes(capability.scopes().iter().map(|scope| scope.as_str())));
    fact("Operations", join(operations));
    fact("Commands", join(commands));
    if capability.tool {
        fact("Tool", format!("`{}`", capability.tool_name()));
    }
    if let Some(route) = capability.route {
        fact("Planned route", format!("`{} {BASE_PATH}{}`", route.method.as_str(), route.path));
    }
    fact("Errors", join(capability.errors().into_iter().map(|code| format!("[`{code}`](errors.md#{code})"))));
    format!("\n### {}\n\n{}.\n\n{}", capability.id, capability.claim.trim_end_matches('.'), list(facts))
}

/// Links with commas between; a dash when there are none.
fn join(links: impl Iterator<Item = String>) -> String {
    let links: Vec<_> = links.collect();
    if links.is_empty() { "–".to_owned() } else { links.join(", ") }
}
