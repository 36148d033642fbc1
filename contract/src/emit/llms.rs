//! `llms.txt`, where an agent begins to read, and `llms-full.txt`, all reference pages as one text.

use super::markdown::list;
use super::reference;
use crate::capabilities::{MIN_CLIENT_VERSION, SURFACE_VERSION};

/// A reference page: its title, what is in it, and its text.
struct Page(&'static str, &'static str, fn() -> String);

/// The reference pages in the order in which `llms-full.txt` has them.
const PAGES: &[Page] = &[
    Page(
        "Capabilities",
        "what Walwarden does and does not do yet, with status, risk, scopes and errors",
        reference::capabilities::page,
    ),
    Page("Claims", "what may be said about it, and what must not be said", reference::claims::page),
    Page("API", "every operation, with its scope, bodies and errors", reference::api::page),
    Page("Command line", "every command, with its flags and output", reference::cli::page),
    Page("Scopes", "what each scope of an API key opens", reference::scopes::page),
    Page("Exit codes", "the five exit codes of every command", reference::exit_codes::page),
    Page("Error codes", "every error code: retryable or not, who can fix it, what to do next", reference::errors::page),
];

pub(super) fn index() -> String {
    let pages = list(PAGES.iter().map(|Page(title, about, _)| {
        let anchor = title.to_lowercase().replace(' ', "-");
        format!("[{title}](/llms-full.txt#{anchor}): {about}")
    }));
    format!(
        "\
# Walwarden

> Self-hosted backups of Postgres databases into a bucket that their owner keeps: signed manifests, hash-chained audit events, and
> restores that are verified before they touch anything. Programs drive it with `walwarden --json` or over HTTP with a scoped API key.

Surface version {SURFACE_VERSION}, for clients from {MIN_CLIENT_VERSION} on. Paths are those of the server that serves this file. A completed
backup is not proven recoverable: only a completed restore of that backup proves it, for that backup.

## For agents

- [Skill](/skills/walwarden/SKILL.md): how to drive the command line safely, and what may be said afterwards
- [Surface](/skills/walwarden/surface.json): operations, commands, capabilities, scopes, exit codes and error codes as data, with JSON Schemas
- [Live tool catalog]({base}/mcp/tools): what the asking API key may call; needs the key as bearer token

## Contract

- [OpenAPI document](/openapi/walwarden.v1.json): OpenAPI 3.1, every operation with its schemas, bounds, examples and errors
- [Public key](/.well-known/walwarden-pubkey.pem): verifies the signature of every manifest that the current key signed; earlier keys stand beside it as `walwarden-pubkey-YYYY-MM-DD.pem`

## Reference

{pages}
## Optional

- [Everything above in one text](/llms-full.txt): the reference pages, one after the other
",
        base = crate::operations::BASE_PATH,
    )
}

pub(super) fn full() -> String {
    let pages = PAGES.iter().map(|Page(_, _, page)| {
        // The line that says who generates the page is of no use to its reader.
        let page = page();
        page.split_once("\n\n").map_or_else(String::new, |(_, rest)| rest.to_owned())
    });
    pages.collect::<Vec<_>>().join("\n---\n\n")
}
