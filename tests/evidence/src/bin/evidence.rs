//! Writes evidence, true and false, into a directory: `evidence cases <directory>` each case with what has to be found, for other
//! verifiers to be tried on; `evidence seeds <directory>` what fuzzing begins with.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;
use walwarden_evidence::judge;
use walwarden_evidence::mutation::{self, Verdict};
use walwarden_evidence::seeds;
use walwarden_evidence::setting::Setting;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, directory] = arguments.as_slice() else { bail!("usage: evidence cases|seeds <directory>") };
    match what.as_str() {
        "cases" => write_cases(Path::new(directory)),
        "seeds" => seeds::write(Path::new(directory)),
        _ => bail!("usage: evidence cases|seeds <directory>"),
    }
}

fn write_cases(directory: &Path) -> Result<()> {
    let mut lines = String::new();
    for (number, case) in mutation::all(&Setting::new()).iter().enumerate() {
        let laid = judge::lay(directory, number, case)?;
        let mut line = laid.arguments();
        line["name"] = json!(case.name);
        line["signed"] = json!(case.signed);
        line["expected"] = match &case.expected {
            Verdict::Verified { anchored, state } => {
                json!({ "verdict": "verified", "anchored": anchored, "state": state })
            }
            Verdict::Refused(code) => json!({ "code": code }),
        };
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let index = directory.join("cases.jsonl");
    std::fs::write(&index, lines).with_context(|| format!("cannot write {}", index.display()))
}
