//! What restores need on this machine: the Postgres client tools, and room for the artifact.

use std::path::Path;

use walwarden_contract::model::EvidenceSummary;
use walwarden_contract::model::cli::{EnvironmentCheck as Check, FindingCode as Code, Loop};
use walwarden_sdk::postgres::{ToolName, ToolVersion, Tools};

use super::findings::Findings;
use super::service::Known;
use crate::output::text;

/// Beside the artifact, a restore keeps small files and leaves some room to others.
const SLACK_BYTES: u64 = 64 << 20;

pub(super) async fn look(loops: &[Loop], work_dir: Option<&Path>, known: &Known, findings: &mut Findings) {
    let restores = loops.contains(&Loop::Restore);
    let tools = Tools::discover(None, std::env::var_os("PATH").as_deref());
    let evidence = known.evidence.as_deref();
    let dumped = newest(evidence, |source| source.0);
    let served = newest(evidence, |source| source.1);
    for (tool, check, needed, wanted) in [
        (ToolName::PgRestore, Check::PgRestore, dumped.max(served), restores),
        (ToolName::Psql, Check::Psql, None, restores),
        // Only the worker runs it.
        (ToolName::PgDump, Check::PgDump, served, false),
    ] {
        match tools.version(tool).await {
            Ok(version) => judge(check, &version, needed, wanted, findings),
            Err(error) => {
                let only = if tool == ToolName::PgDump { " It is needed only where walwarden-api runs." } else { "" };
                findings.failed_if(wanted, check, Code::ToolMissing, format!("{error}.{only}"));
            }
        }
    }
    disk(evidence, work_dir, restores, findings);
}

/// The newest major version among `pg_dump`'s or the servers'.
fn newest(evidence: Option<&[EvidenceSummary]>, which: impl Fn((u32, u32)) -> u32) -> Option<u32> {
    let major = |text: &str| text.split(|character: char| !character.is_ascii_digit()).next()?.parse::<u32>().ok();
    let sources = evidence?.iter().filter_map(|summary| summary.source.as_ref());
    sources.filter_map(|source| Some(which((major(&source.pg_dump_version)?, major(&source.postgres_version)?)))).max()
}

fn judge(check: Check, version: &ToolVersion, needed: Option<u32>, wanted: bool, findings: &mut Findings) {
    match (needed, version.advisory()) {
        (Some(needed), _) if version.major < needed => {
            let evidence = format!("version {version}; the newest backups and servers are of version {needed}");
            findings.failed_if(wanted, check, Code::ToolOutdated, evidence);
        }
        (_, Some(advisory)) => findings.warning(check, Code::ToolVulnerable, format!("version {version}: {advisory}")),
        _ => findings.passed(check, Code::ToolFound, format!("version {version}")),
    }
}

fn disk(evidence: Option<&[EvidenceSummary]>, work_dir: Option<&Path>, wanted: bool, findings: &mut Findings) {
    let sizes = evidence.map(|evidence| evidence.iter().map(|summary| summary.artifact.size_bytes).max());
    let Some(Some(largest)) = sizes else {
        let reason = if sizes.is_some() { "there is no backup yet" } else { "evidence could not be read" };
        findings.skipped(&[Check::Disk], reason);
        return;
    };
    let directory = work_dir.map_or_else(std::env::temp_dir, Path::to_path_buf);
    let shown = directory.display();
    let stat = match rustix::fs::statvfs(&directory) {
        Ok(stat) => stat,
        Err(error) => {
            let evidence = format!("the free space of {shown} cannot be told: {error}");
            findings.failed_if(wanted, Check::Disk, Code::DiskShort, evidence);
            return;
        }
    };
    let (free, need) = (stat.f_bavail.saturating_mul(stat.f_frsize), largest.saturating_add(SLACK_BYTES));
    let evidence = format!("{} free in {shown}, the largest artifact needs {}", text::size(free), text::size(need));
    if free >= need {
        findings.passed(Check::Disk, Code::DiskSuffices, evidence);
    } else {
        findings.failed_if(wanted, Check::Disk, Code::DiskShort, evidence);
    }
}
