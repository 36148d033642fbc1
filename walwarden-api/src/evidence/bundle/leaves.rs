//! Every leaf of a log, as the lines of a file: described first, written later, never held.

use sha2::{Digest, Sha256};
use walwarden_contract::OrgId;
use walwarden_contract::bundle::{BundleFile, LEAVES};

use super::BundleError;
use crate::store::Store;

const PAGE: u32 = 1_000;

/// The leaves of a log of a certain size.
pub struct Leaves {
    store: Store,
    org_id: OrgId,
    size: u64,
    file: BundleFile,
}

impl Leaves {
    /// Reads the leaves once, for their length and hash.
    pub(super) async fn measure(store: &Store, org_id: OrgId, size: u64) -> Result<Self, BundleError> {
        let file = BundleFile { name: LEAVES.to_owned(), size_bytes: 0, sha256: String::new() };
        let mut leaves = Self { store: store.clone(), org_id, size, file };
        let (mut hasher, mut length) = (Sha256::new(), 0);
        leaves
            .each(&mut |line| {
                hasher.update(line);
                length += line.len() as u64;
                Ok(())
            })
            .await?;
        (leaves.file.size_bytes, leaves.file.sha256) = (length, hex::encode(hasher.finalize()));
        Ok(leaves)
    }

    /// The file's name, length and hash.
    #[must_use]
    pub fn described(&self) -> BundleFile {
        self.file.clone()
    }

    /// Hands out the lines, oldest leaf first.
    ///
    /// # Errors
    /// When the store fails, or what takes a line does.
    pub async fn each(
        &self,
        take: &mut (dyn FnMut(&[u8]) -> Result<(), BundleError> + Send),
    ) -> Result<(), BundleError> {
        let mut next = 0;
        while next < self.size {
            let page = self.store.leaves(self.org_id, next, PAGE).await?;
            if page.is_empty() {
                let what = format!("it has {next} leaves, and a checkpoint of {}", self.size);
                return Err(BundleError::Broken(self.org_id.to_string(), what));
            }
            let left = usize::try_from(self.size - next).unwrap_or(usize::MAX);
            for leaf in page.iter().take(left) {
                let mut line = leaf.bytes();
                line.push(b'\n');
                take(&line)?;
            }
            next += page.len() as u64;
        }
        Ok(())
    }
}
