//! A restore that is ready to run: its options, and what it takes from its surroundings.

use tokio_util::sync::CancellationToken;
use walwarden_contract::Timestamp;

use super::events::RestoreEvent;
use super::options::RestoreOptions;
use crate::{Error, download_http_client};

/// Runs restores on this machine, for a command line as for a service.
///
/// ```no_run
/// use secrecy::SecretString;
/// use walwarden_sdk::WalwardenClient;
/// use walwarden_sdk::contract::model::RestoreMode;
/// use walwarden_sdk::postgres::{Dsn, Tools};
/// use walwarden_sdk::restore::{Executor, RestoreEvent, RestoreOptions};
///
/// # async fn restore(token: SecretString, manifest_hash: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let target = Dsn::parse("postgresql://postgres@127.0.0.1/postgres")?;
/// let tools = Tools::default().with_system_directories();
/// let mut options = RestoreOptions::new(target, RestoreMode::NewDatabase, tools);
/// options.created_database = Some("recovery".to_owned());
/// let executor = Executor::new(options).on_event(|event| {
///     if let RestoreEvent::Downloaded { bytes, total } = event {
///         tracing::info!(bytes, total, "downloading");
///     }
/// });
///
/// let session = WalwardenClient::builder().base_url("https://walwarden.example.com").restore_session(token)?;
/// let outcome = executor.run(&session, manifest_hash).await?;
/// tracing::info!(database = outcome.database, "restored");
/// # Ok(())
/// # }
/// ```
pub struct Executor {
    pub(super) options: RestoreOptions,
    pub(super) cancel: CancellationToken,
    pub(super) observer: Box<dyn Fn(RestoreEvent) + Send + Sync>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    download_http: Option<reqwest::Client>,
    pub(super) plan_digest: Option<String>,
    pub(super) source_database: Option<String>,
}

impl Executor {
    /// Restores as `options` say: watched by nobody, not to be cancelled, with the system's clock.
    #[must_use]
    pub fn new(options: RestoreOptions) -> Self {
        Self {
            options,
            cancel: CancellationToken::new(),
            observer: Box::new(|_| {}),
            now: Box::new(system_clock),
            download_http: None,
            plan_digest: None,
            source_database: None,
        }
    }

    /// Hands over what happens. Called often, from the threads that do the work: it must not block.
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(RestoreEvent) + Send + Sync + 'static) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Ends the restore when `token` is cancelled: children are killed, temporary files removed, the job reported as
    /// cancelled.
    #[must_use]
    pub fn cancel(mut self, token: CancellationToken) -> Self {
        self.cancel = token;
        self
    }

    /// Takes times from `now`.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.now = Box::new(now);
        self
    }

    /// Fetches the artifact through `http`, which should not bound the time that a whole download takes. Without it, each
    /// run makes a [`download_http_client`].
    #[must_use]
    pub fn download_client(mut self, http: reqwest::Client) -> Self {
        self.download_http = Some(http);
        self
    }

    /// Refuses to run, before the token is used, unless all is as the plan with this [`plan_digest`](super::plan_digest)
    /// has pinned it.
    #[must_use]
    pub fn pinned_to(mut self, plan_digest: impl Into<String>) -> Self {
        self.plan_digest = Some(plan_digest.into());
        self
    }

    /// Names the source's database, so that a plan can tell whether the target already has one of that name. A restore
    /// learns the name from the manifest.
    #[must_use]
    pub fn source_database(mut self, name: impl Into<String>) -> Self {
        self.source_database = Some(name.into());
        self
    }

    /// What this restores, and how.
    #[must_use]
    pub fn options(&self) -> &RestoreOptions {
        &self.options
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(super) fn observe(&self, event: RestoreEvent) {
        (self.observer)(event);
    }

    pub(super) fn download_http(&self) -> Result<reqwest::Client, Error> {
        self.download_http.clone().map_or_else(download_http_client, Ok)
    }
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Executor").field("options", &self.options).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock of restores that were handed no other")]
fn system_clock() -> Timestamp {
    jiff::Timestamp::now().into()
}
