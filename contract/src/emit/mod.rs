//! Pure generators of the checked-in artefacts. Nothing in here reads or writes a file.

mod breaking;
mod examples;
mod json;
mod llms;
mod markdown;
mod openapi;
mod reference;
mod skill;
mod surface;
#[cfg(test)]
mod tests;

pub use self::breaking::breaking_changes;

/// The command that brings the checked-in files up to date.
pub const COMMAND: &str = "cargo run -p walwarden-contract --bin generate";

/// The directories that hold nothing but artefacts.
pub const DIRECTORIES: &[&str] = &["docs/reference", "openapi", "skills/walwarden"];

/// A file that is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Where it stands, relative to the root of the repository.
    pub path: &'static str,
    /// The whole file.
    pub contents: String,
}

/// Every generated file.
#[must_use]
pub fn artefacts() -> Vec<Artefact> {
    [
        ("docs/llms-full.txt", llms::full as fn() -> String),
        ("docs/llms.txt", llms::index),
        ("docs/reference/api.md", reference::api::page),
        ("docs/reference/audit-events.md", reference::audit_events::page),
        ("docs/reference/capabilities.md", reference::capabilities::page),
        ("docs/reference/claims.md", reference::claims::page),
        ("docs/reference/cli.md", reference::cli::page),
        ("docs/reference/errors.md", reference::errors::page),
        ("docs/reference/exit-codes.md", reference::exit_codes::page),
        ("docs/reference/metrics.md", reference::metrics::page),
        ("docs/reference/scopes.md", reference::scopes::page),
        ("docs/reference/verification.md", reference::verification::page),
        ("openapi/walwarden.v1.json", openapi::document),
        ("skills/walwarden/SKILL.md", skill::page),
        ("skills/walwarden/surface.json", surface::document),
    ]
    .map(|(path, generate)| Artefact { path, contents: generate() })
    .into()
}
