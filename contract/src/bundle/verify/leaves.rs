//! The whole log, leaf by leaf: its root is computed again, and of every chain that is shown nothing may be left out.

use std::collections::BTreeMap;

use super::report::Report;
use super::shown::Shown;
use super::{Code, Failure};
use crate::bundle::layout::LEAVES;
use crate::bundle::read::{Archive, Entry};
use crate::log::{Frontier, Leaf};

/// Longer than any line.
const MAX_LINE: usize = 256;

/// A database's export holds no leaves, an organization's has to.
pub(super) fn absent(shown: &Shown, report: &mut Report) -> Result<(), Failure> {
    if shown.scope.as_ref().is_some_and(|scope| scope.database_id.is_none()) {
        return Err(Code::MissingFile.because(format!("the export of an organization has {LEAVES}")));
    }
    report.skip("whether the log holds more of these chains was not looked at: an organization's export shows it");
    Ok(())
}

struct Reader<'a> {
    frontier: Frontier,
    /// The hashes of the events that are shown, by chain, and how many of them the log has had.
    shown: BTreeMap<&'a str, (Vec<&'a str>, usize)>,
    line: Vec<u8>,
    failure: Option<Failure>,
}

impl Reader<'_> {
    fn take(&mut self, chunk: &[u8]) {
        for byte in chunk {
            if self.failure.is_some() {
                return;
            }
            if *byte == b'\n' {
                self.failure = self.end_of_line().err();
                self.line.clear();
            } else if self.line.len() < MAX_LINE {
                self.line.push(*byte);
            } else {
                self.failure = Some(incomplete(format!("{LEAVES} holds a line that is none")));
            }
        }
    }

    fn end_of_line(&mut self) -> Result<(), Failure> {
        let number = self.frontier.size();
        let leaf: Leaf = serde_json::from_slice(&self.line)
            .ok()
            .filter(|leaf: &Leaf| leaf.bytes() == self.line)
            .ok_or_else(|| incomplete(format!("leaf {number} is not as Walwarden writes it")))?;
        if let Some((hashes, had)) = self.shown.get_mut(leaf.stream.as_str()) {
            *had += 1;
            if *had as u64 != leaf.seq || hashes.get(*had - 1) != Some(&leaf.hash.as_str()) {
                let (stream, seq) = (&leaf.stream, leaf.seq);
                return Err(incomplete(format!("the log holds event {seq} of {stream}, which is not shown so")));
            }
        }
        self.frontier.push(leaf.leaf_hash());
        Ok(())
    }
}

fn incomplete(message: String) -> Failure {
    Code::LeavesIncomplete.because(message)
}

pub(super) fn check(
    shown: &Shown,
    archive: &mut Archive<'_>,
    entry: &Entry,
    report: &mut Report,
) -> Result<(), Failure> {
    use sha2::{Digest, Sha256};

    let expected = shown.described(LEAVES)?;
    if entry.size != expected.size_bytes || entry.size > shown.head.size.saturating_mul(MAX_LINE as u64) {
        return Err(Code::FileAltered.because(format!("{LEAVES} has not the length that the index names")));
    }
    let chains = shown.chains().filter_map(|chain| {
        let stream = chain.first()?.job_id.as_str();
        Some((stream, (chain.iter().map(|event| event.hash.as_str()).collect(), 0)))
    });
    let mut reader = Reader { frontier: Frontier::default(), shown: chains.collect(), line: Vec::new(), failure: None };
    let mut hasher = Sha256::new();
    archive.pass(entry, &mut |chunk| {
        hasher.update(chunk);
        reader.take(chunk);
    })?;
    if archive.next()?.is_some() {
        return Err(Code::UnexpectedFile.because(format!("something follows {LEAVES}")));
    }
    if hex::encode(hasher.finalize()) != expected.sha256 {
        return Err(Code::FileAltered.because(format!("{LEAVES} is not the file that the index describes")));
    }
    if let Some(failure) = reader.failure {
        return Err(failure);
    }
    let head = &shown.checkpoint.checkpoint;
    if !reader.line.is_empty() || reader.frontier.size() != head.size || reader.frontier.root() != head.root {
        return Err(incomplete(format!("the leaves are not those of the checkpoint's {} events", head.size)));
    }
    if let Some((stream, (hashes, had))) = reader.shown.iter().find(|(_, (hashes, had))| hashes.len() != *had) {
        let left = hashes.len() - had;
        return Err(incomplete(format!("the log does not hold {left} events of {stream} that are shown")));
    }
    report.ok(format!(
        "the log was computed again from its {} leaves; no event of a chain that is shown is left out",
        head.size
    ));
    Ok(())
}
