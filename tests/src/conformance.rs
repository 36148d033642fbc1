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
pub(crate) struct Violations {
    found: Arc<Mutex<Vec<String>>>,
    /// Texts of those that the trial provoked.
    provoked: Arc<Mutex<Vec<&'static str>>>,
}

impl Violations {
    fn add(&self, violation: String) {
        let mut all = lock(&self.found);
        // A client that polls gets the same answer many times.
        if !all.contains(&violation) {
            all.push(violation);
        }
    }

    /// Takes note that the trial makes the server answer what no sound server does.
    pub(crate) fn expect(&self, text: &'static str) {
        lock(&self.provoked).push(text);
    }

    /// All of them, up to now, but those that were provoked.
    pub(crate) fn all(&self) -> Vec<String> {
        let provoked = lock(&self.provoked);
        let found = lock(&self.found);
        found.iter().filter(|it| !provoked.iter().any(|text| it.contains(text))).cloned().collect()
    }
}
