//! `walwarden verify-environment`: what is missing, found before it is needed. Shows no value of a secret.

mod findings;
mod machine;
mod service;

use walwarden_contract::Open;
use walwarden_contract::model::cli::{EnvironmentReport, EnvironmentStatus, Loop};

use self::findings::Findings;
use super::to_value;
use crate::cli::VerifyArgs;
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::view::{Cell, View};

pub(crate) async fn run(context: &Context, arguments: VerifyArgs) -> Result<Report, Failure> {
    let loops: Vec<Loop> = arguments.loops.into_iter().map(Loop::from).collect();
    let look = async {
        let mut findings = Findings::default();
        let known = service::look(context, &loops, &mut findings).await;
        machine::look(&loops, arguments.work_dir.as_deref(), &known, &mut findings).await;
        (findings, known)
    };
    let (findings, known) = tokio::select! {
        biased;
        () = context.cancel.cancelled() => return Err(Failure::cancelled()),
        found = look => found,
    };
    let report = EnvironmentReport {
        result: findings.result(),
        checked_at: context.now(),
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
        server_version: known.server_version,
        findings: findings.all,
    };
    let human = human(&report, &context.view());
    match findings.error {
        None => Ok(Report { data: to_value(&report), human, next: Vec::new() }),
        Some(mut error) => {
            let failed = report.findings.iter().filter(|finding| finding.status == EnvironmentStatus::Failed).count();
            let more =
                if failed > 1 { format!(" {failed} findings failed; this is the first.") } else { String::new() };
            error.message.push_str(&more);
            let failure = Failure::from(*error).untouched("Nothing was changed; no database was touched.");
            Err(failure.found(to_value(&report), human))
        }
    }
}

pub(in crate::commands) fn human(report: &EnvironmentReport, view: &View) -> String {
    let rows: Vec<[Cell; 3]> = report
        .findings
        .iter()
        .map(|finding| {
            let (check, status) = (Open::Known(finding.check), Open::Known(finding.status));
            [Cell::from(check.word()), Cell::word(&status), finding.evidence.as_str().into()]
        })
        .collect();
    let table = view.table(["CHECK", "STATUS", "OBSERVED"], &rows);
    let fixes: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.status >= EnvironmentStatus::Warning)
        .filter_map(|finding| Some(format!("  {}: {}", finding.code.as_str(), finding.fix.as_deref()?)))
        .collect();
    let count = |status| report.findings.iter().filter(|finding| finding.status == status).count();
    let (warnings, failed) = (count(EnvironmentStatus::Warning), count(EnvironmentStatus::Failed));
    let total = format!("{} checks, {failed} failed, {warnings} to look at", report.findings.len());
    if fixes.is_empty() {
        format!("{table}\n{total}")
    } else {
        format!("{table}\n{total}\nWhat to do:\n{}", fixes.join("\n"))
    }
}
