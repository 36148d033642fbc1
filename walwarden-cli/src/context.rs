//! What every command works with: settings, output, cancellation, and the warnings gathered on the way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use walwarden_contract::Timestamp;
use walwarden_sdk::{ClientBuilder, WalwardenClient};

use crate::config::Config;
use crate::failure::Failure;
use crate::output::Printer;
use crate::output::view::View;

pub(crate) struct Context {
    pub(crate) printer: Printer,
    pub(crate) config: Config,
    pub(crate) cancel: CancellationToken,
    now: fn() -> Timestamp,
    warnings: Mutex<Vec<String>>,
    /// Whether a client was built: from then on the command may have begun something that it must end properly.
    begun: AtomicBool,
}

/// What a command that succeeded has to say.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The envelope's `data`.
    pub(crate) data: serde_json::Value,
    /// The same for a person.
    pub(crate) human: String,
    /// What may be run next, as argument vectors.
    pub(crate) next: Vec<Vec<String>>,
}

impl Context {
    pub(crate) fn new(printer: Printer, config: Config, now: fn() -> Timestamp) -> Self {
        Self {
            printer,
            config,
            now,
            cancel: CancellationToken::new(),
            warnings: Mutex::default(),
            begun: AtomicBool::new(false),
        }
    }

    /// Says something that deserves attention, once: at once to a person, at the end in JSON.
    pub(crate) fn warn(&self, text: impl Into<String>) {
        let (text, mut warnings) = (text.into(), self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        if !warnings.contains(&text) {
            self.printer.warning(&text);
            warnings.push(text);
        }
    }

    /// This machine's clock.
    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// How a result is shown to a person now.
    pub(crate) fn view(&self) -> View {
        self.printer.view((self.now)(), self.config.reaching())
    }

    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A client with the caller's API key.
    pub(crate) fn client(&self) -> Result<WalwardenClient, Failure> {
        let (connection, key) = (self.config.connection()?, self.config.api_key()?);
        self.config.warnings(&connection, Some(&key.source)).into_iter().for_each(|warning| self.warn(warning));
        let client = connection.client().api_key(key.value).build()?;
        self.begun.store(true, Ordering::Relaxed);
        Ok(client)
    }

    /// What a client is built from, for a caller without an API key.
    pub(crate) fn client_builder(&self) -> Result<ClientBuilder, Failure> {
        let connection = self.config.connection()?;
        self.config.warnings(&connection, None).into_iter().for_each(|warning| self.warn(warning));
        self.begun.store(true, Ordering::Relaxed);
        Ok(connection.client())
    }

    /// How long a signal waits for the command to end by itself.
    pub(crate) fn grace(&self) -> Duration {
        // Children are ended, and the server is told, before a restore returns. What has not begun has nothing to end.
        if self.begun.load(Ordering::Relaxed) { Duration::from_secs(30) } else { Duration::from_secs(1) }
    }
}

/// An argument vector.
pub(crate) fn command(words: &[&str]) -> Vec<String> {
    std::iter::once("walwarden").chain(words.iter().copied()).map(str::to_owned).collect()
}
