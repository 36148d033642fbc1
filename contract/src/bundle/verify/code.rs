//! What can be wrong with evidence, each with a name of its own, and what that makes of the whole.

use std::fmt;

/// How a verification ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was looked at holds.
    Verified,
    /// Something contradicts something else: the evidence was changed, or is not what it says.
    Tampered,
    /// Nothing contradicts it, and what would prove it is not there.
    Undecidable,
    /// What was given is not evidence in a form that can be read.
    BadInput,
}

impl Verdict {
    /// The exit status of `walwarden-verify`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Undecidable => 1,
            Self::BadInput => 2,
            Self::Tampered => 3,
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Tampered => "tampered",
            Self::Undecidable => "undecidable",
            Self::BadInput => "bad_input",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $text:literal, $verdict:ident, $meaning:literal;)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $meaning] $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// What it means.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }

            /// What it makes of the whole.
            #[must_use]
            pub const fn verdict(self) -> Verdict {
                match self { $(Self::$variant => Verdict::$verdict),* }
            }
        }
    };
}

codes! {
    UnreadableFile = "unreadable_file", BadInput, "A file that was named cannot be read.";
    MalformedPublicKey = "malformed_public_key", BadInput, "The public key is not an Ed25519 key in SPKI PEM form.";
    MalformedCheckpoint = "malformed_checkpoint", BadInput, "A checkpoint is not a signed note as Walwarden writes it.";
    NotAnArchive = "not_an_archive", BadInput, "The bundle is not a whole gzip archive.";
    ArchiveTooLarge = "archive_too_large", BadInput, "The bundle holds more than any that Walwarden makes.";
    ArchiveNotCanonical = "archive_not_canonical", BadInput, "The archive is not in the one form in which Walwarden writes it.";
    EntryRefused = "entry_refused", BadInput, "The archive holds a link, a directory, or a path that leads elsewhere.";
    DuplicateFile = "duplicate_file", BadInput, "The archive holds a file twice.";
    MissingFile = "missing_file", BadInput, "The bundle lacks a file.";
    UnexpectedFile = "unexpected_file", BadInput, "The bundle holds a file that does not belong into it.";
    MalformedJson = "malformed_json", BadInput, "A document is not JSON.";
    DuplicateJsonKey = "duplicate_json_key", BadInput, "A document names a member twice, so that two readers may read two things.";
    JsonTooDeep = "json_too_deep", BadInput, "A document is nested too deep.";
    NumberOutOfRange = "number_out_of_range", BadInput, "A number is not whole, or so large that readers differ about it.";
    JsonNotCanonical = "json_not_canonical", BadInput, "A document is not written in its RFC 8785 form.";
    UnknownSchema = "unknown_schema", BadInput, "A document has a form that this version does not know.";
    KeyStatementInvalid = "key_statement_invalid", Tampered, "A rotation or revocation of signing keys does not hold.";
    KeyNotTrusted = "key_not_trusted", Undecidable, "A signature is by a key that nothing ties to the one that was given.";
    KeySuperseded = "key_superseded", Tampered, "The index is signed by a key that had been handed over to another.";
    KeyRevoked = "key_revoked", Tampered, "A signature is by a key that had been revoked.";
    ManifestUnsigned = "manifest_unsigned", Tampered, "A manifest has no signature.";
    ManifestSignatureInvalid = "manifest_signature_invalid", Tampered, "A manifest was changed after it was signed.";
    ManifestOfAnotherBackup = "manifest_of_another_backup", Tampered, "A manifest is about another backup, database or organization than the bundle.";
    ManifestHashMismatch = "manifest_hash_mismatch", Tampered, "A manifest is not the one that the index names.";
    ChainGap = "chain_gap", Tampered, "An event is missing, or stands in the wrong place.";
    ChainLinkBroken = "chain_link_broken", Tampered, "An event does not follow from the one before it.";
    EventAltered = "event_altered", Tampered, "An event was changed after it was written.";
    EventOfAnotherChain = "event_of_another_chain", Tampered, "An event belongs to another job or organization.";
    ChainImpossible = "chain_impossible", Tampered, "Events tell of something that cannot happen in this order.";
    CompletionMissing = "completion_missing", Tampered, "No event says that a backup with this manifest was completed.";
    CheckpointOfAnotherOrganization = "checkpoint_of_another_organization", Tampered, "A checkpoint is of another organization's log.";
    CheckpointUnsignedByTrustedKey = "checkpoint_unsigned_by_trusted_key", Undecidable, "A checkpoint is not signed by the key that has to sign it.";
    CheckpointSignatureInvalid = "checkpoint_signature_invalid", Tampered, "A checkpoint was changed after it was signed.";
    CheckpointRootMismatch = "checkpoint_root_mismatch", Tampered, "The index names another checkpoint than the one in the bundle.";
    ProofMissing = "proof_missing", Tampered, "An event has no proof that it stands in the log.";
    InclusionInvalid = "inclusion_invalid", Tampered, "An event does not stand in the log where the proof says.";
    IndexSignatureInvalid = "index_signature_invalid", Tampered, "The index was changed after it was signed, or is not signed.";
    FileAltered = "file_altered", Tampered, "A file is not the one that the index describes.";
    ChainTruncated = "chain_truncated", Tampered, "A chain does not end where the index says that it ends.";
    StateNotProven = "state_not_proven", Tampered, "The index claims something else than the events amount to.";
    LeavesIncomplete = "leaves_incomplete", Tampered, "The list of leaves is not the log, or an event that it holds is not shown.";
    Forked = "forked", Tampered, "There are two logs of one size: history was rewritten.";
    RolledBack = "rolled_back", Undecidable, "The bundle is older than the checkpoint that was given.";
    ConsistencyMissing = "consistency_missing", Undecidable, "The bundle does not prove that its log begins with the one of the checkpoint that was given.";
    ConsistencyInvalid = "consistency_invalid", Tampered, "The bundle's log does not begin with the one of the checkpoint that was given: history was rewritten.";
    ArtifactAltered = "artifact_altered", Tampered, "The dump is not the one that the manifest describes.";
}

impl Code {
    /// A failure with this code.
    #[must_use]
    pub fn because(self, message: impl AsRef<str>) -> Failure {
        Failure { code: self, message: shown(message.as_ref()) }
    }
}

/// A text as it may be shown: what a document says must not look like what the verifier says, nor steer a terminal.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut shown = String::new();
    for character in text.chars() {
        let steers = character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if steers {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
        if shown.len() > LONGEST {
            shown.push('…');
            break;
        }
    }
    shown
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// What.
    pub code: Code,
    /// Where.
    pub message: String,
}
