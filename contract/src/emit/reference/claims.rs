//! `claims.md`

use crate::capabilities::{CAPABILITIES, CLAIM_RULES, Capability, Status};
use crate::emit::markdown::{head, list};

const LEAD: &str = "\
What may be said about Walwarden, in docs, in product copy and by agents that report on it, and what must not be said. The
lists come from the code's own table of [capabilities](capabilities.md): a capability moves up when it is built and tested.
";

pub(in crate::emit) fn page() -> String {
    format!(
        "{}\n## May be claimed\n\n{}\n## Must not be claimed: planned, not built\n\n{}\n## Must not be claimed: described only\n\nNothing carries these out.\n\n{}\n## Rules for every claim\n\n{}",
        head("Claims", LEAD),
        list(with_status(Status::Available).map(item)),
        list(with_status(Status::Planned).map(item)),
        list(with_status(Status::Advisory).map(item)),
        list(CLAIM_RULES),
    )
}

/// The capabilities with one status, in the order of the table.
pub(in crate::emit) fn with_status(status: Status) -> impl Iterator<Item = &'static Capability> {
    CAPABILITIES.iter().filter(move |capability| capability.status == status)
}

fn item(capability: &Capability) -> String {
    format!("{} (`{}`)", capability.claim.trim_end_matches('.'), capability.id)
}
