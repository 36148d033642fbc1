//! The report on a period: facts from audit events and job records, arranged by the controls of a framework, signed, as a document
//! and as a page. It says what is on record and what is not covered, and never that anything is as a framework asks.

mod cited;
mod counts;
mod document;
mod findings;
mod frameworks;
mod gathering;
mod history;
mod jobs;
mod page;
mod period;
mod schedule;
mod signing;
mod summaries;
mod tally;

#[cfg(test)]
mod tests;

pub use self::cited::{Cited, Listed};
pub use self::document::{Document, SCHEMA};
pub use self::frameworks::Framework;
pub use self::gathering::{Request, make};
pub use self::page::page;
pub use self::period::{Period, PeriodError};
pub use self::signing::{Signed, SigningError, Unsigned, verify};
