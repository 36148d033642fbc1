//! Who judges: the library, the program that auditors run, and the verifier that shares nothing with them.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use walwarden_contract::bundle::verify::{Code, Question, small_text, verify};

use crate::mutation::{Case, Verdict};

/// What one of them says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// `verified`, `tampered`, `undecidable` or `bad_input`.
    pub verdict: String,
    /// What is wrong.
    pub code: Option<String>,
    /// Whether the log was held against a remembered checkpoint.
    pub anchored: bool,
    /// How many manifests hold.
    pub manifests: u64,
    /// How many events stand in the log.
    pub events: u64,
    /// How far it is proven that the backup can be restored.
    pub state: Option<String>,
}

impl Judgement {
    /// Reads it from the document that both programs print.
    pub fn read(document: &Value) -> Result<Self> {
        let text = |member: &str| document[member].as_str().map(str::to_owned);
        Ok(Self {
            verdict: text("verdict").context("no verdict")?,
            code: text("code"),
            anchored: document["anchored"].as_bool().context("no anchored")?,
            manifests: document["manifests"].as_u64().context("no manifests")?,
            events: document["events"].as_u64().context("no events")?,
            state: text("state"),
        })
    }

    /// Whether it is what has to be found.
    #[must_use]
    pub fn is(&self, expected: &Verdict) -> bool {
        match expected {
            Verdict::Refused(code) => self.verdict != "verified" && self.code.as_ref() == Some(code),
            Verdict::Verified { anchored, state } => {
                (self.verdict.as_str(), &self.code, self.anchored, &self.state) == ("verified", &None, *anchored, state)
            }
        }
    }
}

/// The library's judgement.
pub fn library(case: &Case) -> Result<Judgement> {
    let mut artifact = case.artifact.as_deref();
    let checkpoint =
        case.checkpoint.as_deref().map(|note| small_text("it", note, Code::MalformedCheckpoint)).transpose();
    let report = match &checkpoint {
        Err(failure) => walwarden_contract::bundle::verify::Report::of(failure.clone()),
        Ok(checkpoint) => verify(Question {
            bundle: &mut case.archive.as_slice(),
            public_key: &case.pubkey,
            checkpoint: checkpoint.as_deref(),
            artifact: artifact.as_mut().map(|bytes| bytes as &mut dyn Read),
        }),
    };
    Judgement::read(&report.to_json())
}

/// Where a case stands on disk.
#[derive(Debug, Clone)]
pub struct Laid {
    /// The archive.
    pub bundle: PathBuf,
    /// The public key.
    pub pubkey: PathBuf,
    /// The remembered checkpoint.
    pub checkpoint: Option<PathBuf>,
    /// The artifact.
    pub artifact: Option<PathBuf>,
}

impl Laid {
    /// What a judge is given, as one document.
    #[must_use]
    pub fn arguments(&self) -> Value {
        json!({
            "bundle": self.bundle,
            "pubkey": self.pubkey,
            "checkpoint": self.checkpoint,
            "artifact": self.artifact,
        })
    }
}

/// Writes a case into a directory, for judges that read files.
pub fn lay(directory: &Path, number: usize, case: &Case) -> Result<Laid> {
    let at = directory.join(format!("{number:04}"));
    fs::create_dir_all(&at)?;
    let write = |name: &str, content: &[u8]| {
        let path = at.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok::<_, anyhow::Error>(path)
    };
    Ok(Laid {
        bundle: write("bundle.tgz", &case.archive)?,
        pubkey: write("pubkey.pem", case.pubkey.as_bytes())?,
        checkpoint: case.checkpoint.as_deref().map(|note| write("checkpoint.txt", note)).transpose()?,
        artifact: case.artifact.as_deref().map(|bytes| write("artifact.dump", bytes)).transpose()?,
    })
}

fn command(program: &Path) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing here runs beside anything else: these are judges, not servers"
    )]
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command
}

/// The judgement of the program that auditors run, whose exit status has to say the same.
pub fn program(program: &Path, laid: &Laid) -> Result<Judgement> {
    let mut command = command(program);
    command.arg("--json").arg("--bundle").arg(&laid.bundle).arg("--pubkey").arg(&laid.pubkey);
    for (flag, path) in [("--checkpoint", &laid.checkpoint), ("--artifact", &laid.artifact)] {
        if let Some(path) = path {
            command.arg(flag).arg(path);
        }
    }
    let output = command.output().with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(output.stderr.is_empty(), "it complains: {}", String::from_utf8_lossy(&output.stderr));
    let judgement = Judgement::read(&serde_json::from_slice(&output.stdout).context("it prints no document")?)?;
    let expected = match judgement.verdict.as_str() {
        "verified" => 0,
        "undecidable" => 1,
        "bad_input" => 2,
        "tampered" => 3,
        other => bail!("{other} is no verdict"),
    };
    ensure!(output.status.code() == Some(expected), "{judgement:?}, and it ends with {}", output.status);
    Ok(judgement)
}

/// The judgements of the independent verifier, on all cases in one process.
pub fn independent(python: &Path, directory: &Path, laid: &[Laid]) -> Result<Vec<Judgement>> {
    let cases = directory.join("cases.jsonl");
    let lines = laid.iter().map(|laid| laid.arguments().to_string() + "\n");
    fs::write(&cases, lines.collect::<String>())?;
    let errors = directory.join("errors.txt");
    let mut command = command(python);
    command
        .arg(repository().join("tests/verifier/verify.py"))
        .arg("--cases")
        .arg(&cases)
        .stderr(File::create(&errors)?);
    let output = command.output().with_context(|| format!("cannot run {}: run `make setup`", python.display()))?;
    ensure!(output.status.success(), "it fails: {}", fs::read_to_string(errors)?);
    let verdicts = String::from_utf8(output.stdout)?;
    verdicts.lines().map(|line| Judgement::read(&serde_json::from_str(line)?)).collect()
}

/// Runs the independent verifier's own tests: what others published.
pub fn published_vectors(python: &Path) -> Result<()> {
    let output = command(python).arg("-m").arg("unittest").current_dir(repository().join("tests/verifier")).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The root of this repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/evidence lies in it").to_path_buf()
}

/// The Python that `make setup` prepared: `WALWARDEN_TEST_PYTHON`, else the one in `.tools`.
pub fn python() -> Result<PathBuf> {
    let path = std::env::var_os("WALWARDEN_TEST_PYTHON")
        .map_or_else(|| repository().join(".tools/verifier/venv/bin/python"), PathBuf::from);
    ensure!(path.is_file(), "no Python at {}: run `make setup`", path.display());
    Ok(path)
}

/// The program that auditors run: in `WALWARDEN_TEST_BIN_DIR`, else beside this test's own build directory.
pub fn verifier() -> Result<PathBuf> {
    let directory = match std::env::var_os("WALWARDEN_TEST_BIN_DIR") {
        Some(directory) => PathBuf::from(directory),
        // target/debug/deps/matrix-…
        None => {
            std::env::current_exe()?.ancestors().nth(2).context("this test is not in a build directory")?.to_path_buf()
        }
    };
    let path = directory.join("walwarden-verify");
    ensure!(path.is_file(), "no walwarden-verify at {}: run `cargo build --workspace --bins`", path.display());
    Ok(path)
}
