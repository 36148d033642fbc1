//! What restores need on this machine: the Postgres client tools, and room for the artifact.

use std::path::Path;

use walwarden_contract::model::EvidenceSummary;
use walwarden_contract::model::cli::{EnvironmentCheck as Check, FindingCode as Code, Loop};
use walwarden_sdk::postgres::{ToolName, ToolVersion, Tools};
use walwarden_sdk::restore::room;

use super::findings::Findings;
use super::service::Known;
use crate::output::text;

pub(super) async fn look(loops: &[Loop], work_dir: Option<&Path>, known: &Known, findings: &mut Findings) {
    let restores = loops.contains(&Loop::Restore);
    let tools = Tools::discover(None, std::env::var_os("PATH").as_deref());
    let evidence = known.evidence.as_deref().ok();
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
    disk(&known.evidence, work_dir, restores, findings);
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

fn disk(
    evidence: &Result<Vec<EvidenceSummary>, String>,
    work_dir: Option<&Path>,
    wanted: bool,
    findings: &mut Findings,
) {
    let directory = work_dir.map_or_else(std::env::temp_dir, Path::to_path_buf);
    let largest = match evidence {
        Ok(evidence) => evidence.iter().map(|summary| summary.artifact.size_bytes).max().unwrap_or(0),
        Err(reason) if wanted => return findings.warning(Check::Disk, Code::NotChecked, reason.as_str()),
        Err(reason) => return findings.skipped(&[Check::Disk], reason),
    };
    match room(&directory, largest) {
        Ok((need, free)) => {
            let (need_text, free_text) = (text::size(need), text::size(free));
            let evidence =
                format!("{free_text} free in {}, the largest artifact needs {need_text}", directory.display());
            if free >= need {
                findings.passed(Check::Disk, Code::DiskSuffices, evidence);
            } else {
                findings.failed_if(wanted, Check::Disk, Code::DiskShort, evidence);
            }
        }
        Err(error) => findings.failed_if(wanted, Check::Disk, Code::DiskShort, error.to_string()),
    }
}
