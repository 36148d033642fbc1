//! `walwarden-verify`: checks an evidence bundle on a machine that may be connected to nothing.

mod progress;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use walwarden_contract::bundle::verify::{Code, Failure, Line, Question, Report, Status, small_text, verify};

use progress::Progress;

const AFTER_HELP: &str = "\
Exit status:
  0  verified: everything that was looked at holds
  1  undecidable: nothing contradicts the evidence, and something that would prove it is missing
  2  bad input: an argument or a file cannot be read, or is not in a form that Walwarden writes
  3  tampered: the evidence contradicts itself, the key, the checkpoint or the dump

Examples:
  walwarden-verify --bundle walwarden-evidence-bkp_….tgz --pubkey walwarden-pubkey.pem
  walwarden-verify --bundle evidence.tgz --pubkey walwarden-pubkey.pem --checkpoint 00000000000000000042.txt
  walwarden-verify --bundle evidence.tgz --pubkey walwarden-pubkey.pem --artifact bkp_….dump --json | jq -e '.verdict == \"verified\" and .anchored'

Get the public key from the installation once and keep it; get checkpoints from your own bucket, under org/<orgId>/checkpoints/. \
Nothing is sent anywhere: this program has no network code.";

/// Check an evidence bundle offline: manifests, audit chains, the signed log and, when it is given, the dump
#[derive(Debug, Parser)]
#[command(name = "walwarden-verify", version, after_help = AFTER_HELP)]
struct Arguments {
    /// The bundle, as `walwarden-api admin evidence export` or the API wrote it
    #[arg(long, value_name = "TGZ")]
    bundle: PathBuf,
    /// A public key of the installation, SPKI PEM; any of its history, the newest best
    #[arg(long, value_name = "PEM")]
    pubkey: PathBuf,
    /// A checkpoint that you kept, or took from your bucket
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The dump that the manifest describes
    #[arg(long, value_name = "DUMP")]
    artifact: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout with status 0, usage errors to stderr with 2.
            let code = if error.use_stderr() { 2 } else { 0 };
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::from(2) };
        }
    };
    let report = look(&arguments).unwrap_or_else(Report::of);
    let exit = report.verdict().exit_code();
    let printed = print(&report, arguments.json);
    // Who does not get to read the verdict must not take it for a good one.
    ExitCode::from(if printed.is_err() && exit == 0 { 2 } else { exit })
}

fn open(path: &Path) -> Result<File, Failure> {
    let file = File::open(path);
    file.map_err(|error| Code::UnreadableFile.because(format!("{} cannot be read: {error}", path.display())))
}

fn look(arguments: &Arguments) -> Result<Report, Failure> {
    let text = |path: &Path, otherwise| small_text(&path.display().to_string(), open(path)?, otherwise);
    let public_key = text(&arguments.pubkey, Code::MalformedPublicKey)?;
    let checkpoint = arguments.checkpoint.as_deref().map(|path| text(path, Code::MalformedCheckpoint)).transpose()?;
    let mut bundle = Progress::new("bundle", open(&arguments.bundle)?);
    let artifact = arguments.artifact.as_deref().map(open).transpose()?;
    let mut artifact = artifact.map(|file| Progress::new("dump", file));
    Ok(verify(Question {
        bundle: &mut bundle,
        public_key: &public_key,
        checkpoint: checkpoint.as_deref(),
        artifact: artifact.as_mut().map(|file| file as &mut dyn Read),
    }))
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", report.to_json())?;
        return out.flush();
    }
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    for Line { status, text } in &report.lines {
        let word = status.as_str();
        match (colour, status) {
            (false, _) => writeln!(out, "{word}: {text}")?,
            (true, Status::Ok) => writeln!(out, "\u{1b}[32m{word}\u{1b}[0m: {text}")?,
            (true, Status::Fail) => writeln!(out, "\u{1b}[31m{word}\u{1b}[0m: {text}")?,
            (true, Status::Skip | Status::Unanchored) => writeln!(out, "\u{1b}[33m{word}\u{1b}[0m: {text}")?,
        }
    }
    out.flush()
}
