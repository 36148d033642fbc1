//! One body instead of a suite: for programs that measure, where nothing else may run.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::{Servers, TestContext, tails};
use crate::argv::ArgvSampler;
use crate::canary::files_below;
use crate::paths::RunDirectory;

/// Starts the servers, runs the body, and stops and removes everything again. Nobody looks at argv, at answers or for secrets
/// meanwhile: that would be measured as well.
pub fn run_alone<T>(name: &'static str, body: impl FnOnce(&TestContext) -> Result<T>) -> Result<T> {
    let run = RunDirectory::create()?;
    let outcome = run_in(run.path(), name, body);
    let outcome = outcome.map_err(|error| {
        let logs = files_below(&run.path().join("trials").join(name).join("logs")).unwrap_or_default();
        anyhow!("{error:#}\n{}", tails(&logs))
    });
    run.clean(true);
    outcome
}

fn run_in<T>(run: &Path, name: &'static str, body: impl FnOnce(&TestContext) -> Result<T>) -> Result<T> {
    let servers = Servers::start(run, ArgvSampler::idle())?;
    let context = TestContext::new(name, servers.into(), None)?;
    body(&context)
}
