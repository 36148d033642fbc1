//! Whether a chain is one that this version writes: more than whoever reads the chains of other versions may ask for.

use super::kind::{EventKind, StreamKind};
use super::{AuditEvent, lifecycle, verify_chain};
use crate::id::StreamId;

/// Checks that the events are one whole chain, that their order is one in which things happen, and that each of them says what its
/// kind says and nothing else.
///
/// # Errors
/// What is wrong with the first that is not.
pub fn conforms(events: &[AuditEvent]) -> Result<(), String> {
    verify_chain(events).map_err(|error| error.to_string())?;
    let Some(first) = events.first() else { return Ok(()) };
    let stream: StreamId = first.job_id.parse().map_err(|_| format!("{} names no chain", first.job_id))?;
    let kinds = events.iter().map(|event| event.kind);
    lifecycle::possible(StreamKind::from(stream), kinds).map_err(|error| error.to_string())?;
    events.iter().try_for_each(said)
}

fn said(event: &AuditEvent) -> Result<(), String> {
    let of = |kind: EventKind| format!("event {} is {} and says {}", event.seq, kind.as_str(), event.payload);
    let typed = event.typed().map_err(|error| format!("{}: {error}", of(event.kind)))?;
    // What was read and is not written again was not understood.
    match typed.to_value() {
        Ok(again) if again == event.payload => Ok(()),
        _ => Err(format!("{}, which is more or less than it says", of(event.kind))),
    }
}
