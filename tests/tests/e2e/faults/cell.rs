//! One cell of the matrix under way: the installation, its job, and the fault that was to happen.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use walwarden_contract::BackupJobId;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule, RuleHandle};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::{Database, PostgresServer};
use walwarden_tests::relay::Relay;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Server, Store};

use crate::SOON;
use crate::setting::{Options, Setting};

/// What a server is started with.
pub(super) type Flags = &'static [&'static str];

/// Flags of a server whose jobs have one attempt.
pub(super) const ONE_ATTEMPT: Flags = &["--backup-attempts", "1", "--part-memory-mib", "32"];
/// Flags of a server that tries again at once, and is taken for dead within a minute.
pub(super) const PATIENT: Flags = &["--backup-attempts", "10", "--retry-delay-seconds", "0", "--part-memory-mib", "32"];
/// The same, and soon taken for dead.
pub(super) const QUICK: Flags =
    &["--backup-attempts", "10", "--retry-delay-seconds", "0", "--part-memory-mib", "32", "--lease-seconds", "2"];

/// A backup that a fault happens or happened to.
pub(super) struct Cell<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) id: BackupJobId,
    /// What is dumped.
    pub(super) source: Database,
    /// Where it is, when not on the shared cluster.
    pub(super) source_server: Option<PostgresServer>,
    /// Rules of the fault proxy that must have been applied by the end.
    pub(super) faults: Vec<RuleHandle>,
    /// Between worker and source.
    pub(super) _relay: Option<Relay>,
    /// Processes beside the setting's own that live as long as the cell.
    pub(super) workers: Vec<Server>,
}

impl<'a> Cell<'a> {
    pub(super) fn new(setting: Setting<'a>, id: BackupJobId) -> Self {
        let source = setting.source.clone();
        Self { setting, id, source, source_server: None, faults: Vec::new(), _relay: None, workers: Vec::new() }
    }

    /// Small, and sent in two parts.
    pub(super) const TWO_PARTS: Options = Options { bulk_mib: 9, ..Options::multipart() };

    /// A backup that meets these rules on its way to the bucket.
    pub(super) fn with_rules(
        context: &'a TestContext,
        store: Store,
        options: Options,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Result<Self> {
        let setting = Setting::new(context, store, options)?;
        let proxy = setting.proxy()?;
        let faults = rules.into_iter().map(|rule| proxy.add(rule)).collect();
        let id = setting.trigger()?;
        Ok(Self { faults, ..Self::new(setting, id) })
    }

    /// A backup that waits in the middle of its upload, until the handle is released.
    pub(super) fn held(setting: Setting<'a>) -> Result<(Self, RuleHandle)> {
        let gate = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), Action::Hold).nth(1));
        let id = setting.trigger()?;
        gate.wait_hit(SOON)?;
        Ok((Self::new(setting, id), gate))
    }

    /// Where the source is.
    pub(super) fn source_server(&self) -> &PostgresServer {
        self.source_server.as_ref().unwrap_or_else(|| self.setting.context.postgres())
    }

    /// Fails unless everything that was to go wrong did.
    pub(super) fn assert_happened(&self) -> Result<()> {
        for fault in &self.faults {
            ensure!(fault.hits() > 0, "this never happened: {fault:?}");
        }
        Ok(())
    }
}

/// Lets a fault last this long: for those that are nothing but time.
pub(super) fn lasts(time: Duration) -> Result<()> {
    let began = Instant::now();
    wait_for("time to pass", time * 2, || Ok((began.elapsed() >= time).then_some(())))
}
