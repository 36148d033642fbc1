//! Named points of a backup, of its deletion, and of a rotation of the signing key, at which a debug build can be made to kill or stop its own process, so that
//! tests meet a death between any two lines. A release build has the names and nothing that looks for them.

#[cfg(debug_assertions)]
mod armed;
#[cfg(debug_assertions)]
mod clock;

#[cfg(debug_assertions)]
pub(crate) use self::armed::reach;
#[cfg(debug_assertions)]
pub(crate) use self::clock::skewed;

/// Writes the points once: the enumeration, the lists that tests iterate, and the names.
macro_rules! failpoints {
    ($($list:ident, $order:literal: {$($(#[$documentation:meta])* $variant:ident = $name:literal,)+})+) => {
        /// A boundary of a backup, of its deletion, or of a rotation: what is before it has happened, what is after it has not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Failpoint {
            $($($(#[$documentation])* $variant,)+)+
        }

        impl Failpoint {
            $(
                #[doc = $order]
                pub const $list: &'static [Self] = &[$(Self::$variant,)+];
            )+

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$variant => $name,)+)+
                }
            }
        }
    };
}

failpoints! {
    BACKUP, "In the order in which a backup passes them.": {
        /// The job is claimed.
        AfterClaim = "after_claim",
        /// The job is running; the bucket has seen nothing.
        AfterStart = "after_start",
        /// The bucket has begun an upload that the store does not know.
        AfterUploadBegun = "after_upload_begun",
        /// The store knows the upload.
        AfterUploadRecorded = "after_upload_recorded",
        /// The bucket has taken a part, and more are to come. Reached once for each part.
        MidDump = "mid_dump",
        /// The dump is whole and in the bucket; the store does not know.
        AfterDump = "after_dump",
        /// The store knows the closed dump.
        AfterFinalizeRecorded = "after_finalize_recorded",
        /// The artifact stands under its key.
        AfterCompleteUpload = "after_complete_upload",
        /// The artifact was read back and matches.
        AfterReadBack = "after_read_back",
        /// The manifest was written; nobody has read it back.
        AfterManifestWritten = "after_manifest_written",
        /// The manifest was read back; the store does not know.
        BeforeCompletedRecorded = "before_completed_recorded",
        /// The job is completed.
        AfterCompleted = "after_completed",
    }
    DELETION, "In the order in which the deletion of an old backup passes them.": {
        /// The backup is marked as being deleted; the bucket has seen nothing.
        AfterExpiryMarked = "after_expiry_marked",
        /// The artifact is gone, its manifest is not.
        AfterArtifactDeleted = "after_artifact_deleted",
        /// Both are gone; the store does not know.
        BeforeExpiredRecorded = "before_expired_recorded",
    }
    ROTATION, "In the order in which a rotation of the signing key passes them.": {
        /// The new key is written; the store does not know it.
        AfterNextKeyWritten = "after_next_key_written",
        /// The store and every chain know the new key; it is not in its place.
        AfterRotationRecorded = "after_rotation_recorded",
        /// The old key is kept under its id.
        AfterOldKeyKept = "after_old_key_kept",
        /// The new key is in its place.
        AfterNewKeyPlaced = "after_new_key_placed",
    }
}

/// Nothing: failpoints are for debug builds.
#[cfg(not(debug_assertions))]
pub(crate) const fn reach(_: Failpoint) {}

/// A release build does not start to compile when a point does anything at all: what the compiler can run reads no
/// environment and ends no process.
#[cfg(not(debug_assertions))]
const _: () = reach(Failpoint::AfterClaim);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn every_point_has_a_name_of_its_own() {
        let all = [Failpoint::BACKUP, Failpoint::DELETION, Failpoint::ROTATION].concat();
        let names: std::collections::BTreeSet<_> = all.iter().map(|point| point.as_str()).collect();
        assert_eq!(names.len(), all.len());
    }

    /// This module as the compiler sees it without debug assertions: what it makes of it, as text.
    fn compiled(source: &str, directory: &Path) -> Result<String, String> {
        let (file, output) = (directory.join("failpoint.rs"), directory.join("failpoint.ll"));
        fs::write(&file, source).expect("writes");
        let compiler = PathBuf::from(env!("CARGO")).with_file_name("rustc");
        #[expect(clippy::disallowed_methods, reason = "a compiler, no part of the product")]
        let mut compiler = std::process::Command::new(compiler);
        compiler.args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=llvm-ir",
            "-Cdebug-assertions=off",
            "-Adead_code",
        ]);
        let ended = compiler.arg("-o").arg(&output).arg(&file).output().expect("rustc runs");
        if !ended.status.success() {
            return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
        }
        Ok(fs::read_to_string(output).expect("rustc has written it"))
    }

    #[test]
    fn a_release_build_has_no_failpoints() {
        let directory = tempfile::tempdir().expect("a directory");
        let source = include_str!("failpoint.rs");
        let (module, _) = source.split_once("#[cfg(test)]").expect("the tests are last");
        let made = compiled(module, directory.path()).expect("a release build compiles");
        assert!(made.contains("after_claim"), "the names are there");
        for trace in ["WALWARDEN", "getenv", "var_os", "kill"] {
            assert!(!made.contains(trace), "a release build knows {trace}");
        }
        // And it would not compile if a point read anything.
        let reading =
            module.replace("pub(crate) const fn reach(_: Failpoint) {}", "pub(crate) fn reach(_: Failpoint) {}");
        assert_ne!(reading, module, "the line that is replaced has changed");
        let refused = compiled(&reading, directory.path()).expect_err("refuses");
        assert!(refused.contains("non-const"), "{refused}");
    }
}
