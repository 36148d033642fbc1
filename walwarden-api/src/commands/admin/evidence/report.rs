//! `walwarden-api admin evidence report`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use walwarden_contract::{DatabaseId, ErrorCode};

use crate::commands::admin::context::Context;
use crate::commands::admin::usage;
use crate::commands::output::{CommandResult, Failure, Outcome};
use crate::evidence::report::{Document, Framework, Period, Request, Signed, Unsigned, make, page};

pub(super) const EXAMPLE: &str = "Examples:
  walwarden-api admin evidence report --framework soc2 --period 2026-Q1 --format html --out report.html
  walwarden-api admin evidence report --framework dora --period 2026 --json
  walwarden-api admin evidence report --framework iso27001 --period 2026-01-15..2026-02-14 --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --out report.json";

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The signed document
    Json,
    /// A page to print; the signed document is written beside it
    Html,
}

/// The arguments of `evidence report`.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct ReportArguments {
    /// The framework whose controls the report is arranged by
    #[arg(long, value_enum)]
    framework: Framework,
    /// 2026, 2026-Q1, 2026-01, 2026-01-31, or FROM..TO with days (both included) or RFC 3339 times; in UTC
    #[arg(long)]
    period: Period,
    /// Only this database; what belongs to the organization stays
    #[arg(long, value_name = "DATABASE_ID")]
    database: Option<DatabaseId>,
    /// Write the report to this file, in place of standard output; a page gets its document beside it, with the ending .json
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The form; by the ending of FILE when absent, or else json
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl ReportArguments {
    fn format(&self) -> Format {
        let ending = self.out.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
        let by_ending = if matches!(ending, Some("html" | "htm")) { Format::Html } else { Format::Json };
        self.format.unwrap_or(by_ending)
    }

    /// Where the document of a page goes.
    fn beside(page: &Path) -> Result<PathBuf, Failure> {
        let document = page.with_extension("json");
        if document == page {
            return Err(usage("--out ends in .json, where the page's document goes: give the page the ending .html"));
        }
        Ok(document)
    }
}

pub(super) async fn run(arguments: ReportArguments, context: &Context<'_>, json: bool) -> CommandResult {
    let format = arguments.format();
    if json && format == Format::Html && arguments.out.is_none() {
        return Err(usage("a page does not fit into --json: name a file for it with --out"));
    }
    let beside = match (&arguments.out, format) {
        (Some(out), Format::Html) => Some(ReportArguments::beside(out)?),
        _ => None,
    };
    let keyring = context.signing_keyring().await?;
    let ReportArguments { framework, period, database, out, .. } = arguments;
    let request = Request { org_id: context.org_id, framework, period, database };
    let document = make(&context.store, context.system.now(), request).await?;
    let unsigned = Unsigned::new(&document, keyring.verifying_key()).map_err(internal)?;
    let signature = keyring.sign(unsigned.message().to_vec()).await;
    let signature = signature.map_err(|error| Failure::new(ErrorCode::SigningFailed, error.to_string()))?;
    let signed = unsigned.signed(&signature).map_err(internal)?;
    let rendered = match format {
        Format::Json => signed.bytes.clone(),
        Format::Html => page(&document, &signed).map_err(internal)?.into_bytes(),
    };
    let Some(out) = out else { return printed(&signed, rendered) };
    if let Some(beside) = &beside {
        write(beside, &signed.bytes)?;
    }
    write(&out, &rendered)?;
    Ok(written(&document, &signed, &out, beside.as_deref()))
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::InternalError, format!("the report cannot be written down: {error}"))
}

fn printed(signed: &Signed, rendered: Vec<u8>) -> CommandResult {
    let report: Value = serde_json::from_slice(&signed.bytes).map_err(internal)?;
    let text = String::from_utf8(rendered).map_err(internal)?;
    Ok(Outcome::new(json!({ "report": report, "sha256": signed.hash, "keyId": signed.key_id }), text))
}

fn written(document: &Document, signed: &Signed, out: &Path, beside: Option<&Path>) -> Outcome {
    let data = json!({
        "file": out,
        "documentFile": beside.unwrap_or(out),
        "sha256": signed.hash,
        "keyId": signed.key_id,
        "period": document.period,
        "summary": document.summary,
        "findings": document.findings,
    });
    let mut text = format!("Wrote {}", out.display());
    if let Some(beside) = beside {
        text = format!("{text} and {}", beside.display());
    }
    text = format!(
        "{text}: SHA-256 {}, signed by {}.\n\n{} findings.",
        signed.hash, signed.key_id, document.findings.total
    );
    for finding in &document.findings.listed {
        text = format!("{text}\n  {} ({})", finding.text, finding.code);
    }
    Outcome::new(data, text)
}

/// Writes a file whole or not at all; one that was there is replaced.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let put = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    put().map_err(|error| {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::WorkerDiskFull,
            _ => ErrorCode::UsageError,
        };
        Failure::new(code, format!("{} cannot be written: {error}; what was there is as it was", path.display()))
    })
}
