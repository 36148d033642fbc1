//! What the server and the command line say, held against what is published about them. The proxy stands in front of every server
//! that a trial starts; the documents of the command line are checked where a program's output is collected.

mod answers;
mod commands;
mod framing;
mod proxy;
mod schema;

pub(crate) use self::commands::check_documents;
pub(crate) use self::proxy::ConformanceProxy;

use std::sync::{Arc, Mutex};

use crate::runtime::lock;

/// What did not conform, as a trial's servers said it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Violations(Arc<Mutex<Vec<String>>>);

impl Violations {
    fn add(&self, violation: String) {
        let mut all = lock(&self.0);
        // A client that polls gets the same answer many times.
        if !all.contains(&violation) {
            all.push(violation);
        }
    }

    /// All of them, up to now.
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.0).clone()
    }
}
