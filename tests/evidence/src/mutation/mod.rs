//! Ways to falsify evidence, and what each of them has to be detected with.

mod archives;
mod chains;
mod checkpoints;
mod encodings;
mod honest;
mod indexes;
mod keys;
mod manifests;
mod periods;
mod proofs;
mod restores;
mod rewriting;

use ed25519_dalek::SigningKey;
use serde_json::json;
use walwarden_contract::manifest::key_id;

use crate::bundle::{Files, INDEX};
use crate::history::sign;
use crate::setting::{Setting, key, pem};

/// What a judge says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Verified {
        /// Whether it was held against a remembered checkpoint.
        anchored: bool,
        /// How far it is proven that the backup can be restored.
        state: Option<String>,
    },
    /// It does not, and this is the code.
    Refused(String),
}

/// One archive to judge, with what is given beside it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What was done to it.
    pub name: &'static str,
    /// Who signed afterwards.
    pub signed: &'static str,
    /// The archive.
    pub archive: Vec<u8>,
    /// The key that the auditor has.
    pub pubkey: String,
    /// The checkpoint that the auditor has.
    pub checkpoint: Option<Vec<u8>>,
    /// The artifact that the auditor has.
    pub artifact: Option<Vec<u8>>,
    /// What has to be found.
    pub expected: Verdict,
}

impl Case {
    fn new(name: &'static str, archive: Vec<u8>, code: &str) -> Self {
        Self {
            name,
            signed: "as it was",
            archive,
            pubkey: pem(&key(3)),
            checkpoint: None,
            artifact: None,
            expected: Verdict::Refused(code.to_owned()),
        }
    }

    fn signed(mut self, signed: &'static str) -> Self {
        self.signed = signed;
        self
    }

    fn with_key(mut self, pubkey: impl Into<String>) -> Self {
        self.pubkey = pubkey.into();
        self
    }

    fn remembering(mut self, checkpoint: impl Into<Vec<u8>>) -> Self {
        self.checkpoint = Some(checkpoint.into());
        self
    }

    fn with_artifact(mut self, artifact: impl Into<Vec<u8>>) -> Self {
        self.artifact = Some(artifact.into());
        self
    }

    fn verified(mut self, state: &str) -> Self {
        let anchored = self.checkpoint.is_some();
        self.expected = Verdict::Verified { anchored, state: Some(state.to_owned()) };
        self
    }
}

const UNSIGNED: &str = "index_signature_invalid";

impl Case {
    /// What is remembered vouches for a part of it only.
    fn unanchored(mut self) -> Self {
        if let Verdict::Verified { anchored, .. } = &mut self.expected {
            *anchored = false;
        }
        self
    }
}

/// What somebody does to the files of a bundle.
type Edit = fn(&Setting, &mut Files);

/// An edit of the content, tried with every signature that whoever did it might have.
struct Content {
    name: &'static str,
    backup: usize,
    edit: Edit,
    /// Nobody signs again.
    nobody: &'static str,
    /// Somebody signs with a key of their own, in the installation's name.
    another: &'static str,
    /// The signing key was stolen.
    stolen: &'static str,
    /// Whether the index describes the files as they are then.
    describe: bool,
}

impl Content {
    /// One that is found before anybody looks at the index's signature, whoever made it.
    const fn new(name: &'static str, backup: usize, edit: Edit, code: &'static str) -> Self {
        Self { name, backup, edit, nobody: code, another: code, stolen: code, describe: true }
    }

    /// One that contradicts nothing but the index.
    const fn late(name: &'static str, backup: usize, edit: Edit, stolen: &'static str) -> Self {
        Self { name, backup, edit, nobody: "file_altered", another: UNSIGNED, stolen, describe: true }
    }

    /// One of the index itself.
    const fn index(name: &'static str, backup: usize, edit: Edit, stolen: &'static str) -> Self {
        Self { name, backup, edit, nobody: UNSIGNED, another: UNSIGNED, stolen, describe: false }
    }

    /// One of the index itself, found before anybody looks at its signature.
    const fn index_early(name: &'static str, backup: usize, edit: Edit, code: &'static str) -> Self {
        Self { name, backup, edit, nobody: code, another: code, stolen: code, describe: false }
    }

    const fn nobody(mut self, code: &'static str) -> Self {
        self.nobody = code;
        self
    }

    const fn another(mut self, code: &'static str) -> Self {
        self.another = code;
        self
    }

    fn cases(&self, setting: &Setting) -> Vec<Case> {
        let edited = |seal: fn(&Self, &mut Files)| {
            let mut files = setting.bundle(self.backup);
            (self.edit)(setting, &mut files);
            seal(self, &mut files);
            files.archive()
        };
        let another = |content: &Self, files: &mut Files| {
            content.seal(files, &key(100));
            // In the installation's name: whoever names another key is not trusted to begin with.
            files.edit(INDEX, |index| index["keyId"] = json!(key_id(&key(3).verifying_key())));
        };
        let newest = &setting.honest.checkpoints[setting.newest()].1;
        let stolen = edited(|content, files| content.seal(files, &key(3)));
        vec![
            Case::new(self.name, edited(|_, _| ()), self.nobody).signed("by nobody"),
            Case::new(self.name, edited(another), self.another).signed("by another key"),
            Case::new(self.name, stolen.clone(), self.stolen).signed("by the stolen key"),
            Case::new(self.name, stolen, self.stolen)
                .signed("by the stolen key, anchored")
                .remembering(newest.as_str()),
        ]
    }

    fn seal(&self, files: &mut Files, key: &SigningKey) {
        if self.describe {
            files.seal(key);
        } else {
            files.edit(INDEX, |index| sign(index, key));
        }
    }
}

/// Every case: what is true first, then everything that is not.
#[must_use]
pub fn all(setting: &Setting) -> Vec<Case> {
    let mut cases = honest::cases(setting);
    let contents = [
        manifests::CONTENTS,
        encodings::CONTENTS,
        chains::CONTENTS,
        restores::CONTENTS,
        keys::CONTENTS,
        checkpoints::CONTENTS,
        proofs::CONTENTS,
        indexes::CONTENTS,
    ];
    cases.extend(contents.into_iter().flatten().flat_map(|content| content.cases(setting)));
    cases.extend(manifests::cases(setting));
    cases.extend(keys::cases(setting));
    cases.extend(checkpoints::cases(setting));
    cases.extend(indexes::cases(setting));
    cases.extend(rewriting::cases(setting));
    cases.extend(periods::cases(setting));
    cases.extend(archives::cases(setting));
    cases
}
