//! Reads checkpoints back from a bucket, and holds the log against them: a history that was rewritten here cannot be rewritten there.

use walwarden_contract::log::SignedCheckpoint;
use walwarden_contract::log::checkpoint::{object_key, object_prefix};
use walwarden_contract::{OrgId, Timestamp};

use crate::engine::storage::{Bucket, StorageError};
use crate::jobs::retention::{Keeper, Refusal, Stop};
use crate::store::destinations::Destination;
use crate::store::{Result, StoreError};
use crate::system::after;

/// On how many days back every checkpoint is read; looks are more frequent than that.
const DAYS: i64 = 3;
const DAY_MILLIS: i64 = 86_400_000;
/// How many are read in one look. Where there are more, those in between are left out: each of them commits to all before it.
const READ: usize = 400;
/// No checkpoint is longer.
const MAX_BYTES: usize = 16 << 10;

/// What a bucket says of the log.
pub(super) enum Said {
    /// That it is the one whose checkpoints it holds.
    Holds,
    /// That it is another one.
    Contradicts(String),
    /// Nothing: it cannot be read.
    Unreadable(Refusal),
}

/// Asks one bucket.
///
/// # Errors
/// When the store fails.
pub(super) async fn ask(keeper: &Keeper, org_id: OrgId, destination: &Destination) -> Result<Said> {
    let id = destination.id;
    if let Some(failure) = keeper.store.occupied_copy(org_id, id).await? {
        // Whoever put it there may have taken it away.
        keeper.store.retry_occupied_copies(org_id, id, keeper.system.now()).await?;
        return Ok(Said::Contradicts(failure));
    }
    let bucket = match keeper.bucket(org_id, id).await? {
        Ok(bucket) => bucket,
        Err(refusal) => return Ok(Said::Unreadable(refusal)),
    };
    match contradiction(keeper, org_id, destination, &bucket).await {
        Ok(None) => Ok(Said::Holds),
        Ok(Some(failure)) => Ok(Said::Contradicts(failure)),
        Err(Stop::Store(StoreError::Corrupt(what))) => {
            Ok(Said::Contradicts(format!("The log cannot be held against it: it holds an unreadable {what}.")))
        }
        Err(Stop::Bucket(refusal)) => Ok(Said::Unreadable(refusal)),
        Err(Stop::Store(error)) => Err(error),
    }
}

async fn contradiction(
    keeper: &Keeper,
    org_id: OrgId,
    destination: &Destination,
    bucket: &Bucket,
) -> Result<Option<String>, Stop> {
    let keys = keys(org_id, bucket, keeper.system.now()).await?;
    let newest = keeper.store.newest_copy(org_id, destination.id).await?;
    // What was written before the destination was changed may be in another bucket.
    let known = newest.filter(|copy| copy.written_at.is_some_and(|at| at > destination.updated_at));
    if let Some(copy) = known.filter(|copy| !keys.contains(&copy.object_key))
        && let Some(failure) = of_object(keeper, org_id, bucket, &copy.object_key, true).await?
    {
        return Ok(Some(failure));
    }
    // The newest is always among them.
    let step = keys.len().div_ceil(READ).max(1);
    for key in keys.iter().rev().step_by(step) {
        if let Some(failure) = of_object(keeper, org_id, bucket, key, false).await? {
            return Ok(Some(failure));
        }
    }
    Ok(None)
}

/// The keys of the checkpoints of the last days, in order, and of the oldest: what stands there was written before anything was
/// rewritten.
async fn keys(org_id: OrgId, bucket: &Bucket, now: Timestamp) -> Result<Vec<String>, StorageError> {
    let prefix = object_prefix(org_id);
    let (oldest, _) = bucket.list_page(&prefix, None).await?;
    let mut keys: Vec<_> =
        oldest.into_iter().map(|listed| listed.key).filter(|key| is_checkpoint(org_id, key)).collect();
    // One of a page is enough that far back.
    if keys.len() > 2 {
        keys.drain(1..keys.len() - 1);
    }
    for back in (0..DAYS).rev() {
        let day = after(now, -back * DAY_MILLIS).to_string()[..10].replace('-', "/");
        let (below, mut token) = (format!("{prefix}{day}/"), None);
        loop {
            let (page, next) = bucket.list_page(&below, token).await?;
            keys.extend(page.into_iter().map(|listed| listed.key).filter(|key| is_checkpoint(org_id, key)));
            token = next;
            if token.is_none() {
                break;
            }
        }
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Whether a key is one that checkpoints have.
pub(in crate::jobs) fn is_checkpoint(org_id: OrgId, key: &str) -> bool {
    let Some(rest) = key.strip_prefix(&object_prefix(org_id)) else { return false };
    let parts: Vec<_> = rest.split('/').collect();
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [year, month, day, name] => {
            let size = name.strip_suffix(".txt").unwrap_or_default();
            digits(year, 4) && digits(month, 2) && digits(day, 2) && digits(size, 20)
        }
        _ => false,
    }
}

/// What the checkpoint under this key says against the log.
async fn of_object(
    keeper: &Keeper,
    org_id: OrgId,
    bucket: &Bucket,
    key: &str,
    expected: bool,
) -> Result<Option<String>, Stop> {
    let Some(bytes) = bucket.read_small(key, MAX_BYTES).await? else {
        return Ok(expected.then(|| format!("{key} was written, and is not there any more.")));
    };
    let note = std::str::from_utf8(&bytes).ok().and_then(|text| SignedCheckpoint::parse(text).ok());
    let Some(note) = note else { return Ok(Some(format!("{key} is no checkpoint."))) };
    let found = &note.checkpoint;
    if found.org_id != org_id || object_key(org_id, found.size, found.at) != key {
        return Ok(Some(format!("{key} is a checkpoint that belongs elsewhere.")));
    }
    let ours = keeper.store.checkpoint_at_time(org_id, found.size, found.at).await?;
    let known = ours.is_some_and(|ours| ours.note.as_bytes() == bytes.as_ref());
    if !known && !is_signed(keeper, &note).await? {
        return Ok(Some(format!("{key} is on no record here, and not signed by any key of this installation.")));
    }
    let size = keeper.store.log(org_id).await?.edge.size();
    if found.size > size {
        return Ok(Some(format!("{key} was signed, and the log has {size} leaves: it was rolled back.")));
    }
    let holds = keeper.store.root_at(org_id, found.size).await? == found.root;
    Ok((!holds).then(|| format!("{key} was signed, and the log does not go on from it: it was rewritten.")))
}

/// Whether a key of this installation signed it, an earlier one included.
async fn is_signed(keeper: &Keeper, note: &SignedCheckpoint) -> Result<bool> {
    let keys = keeper.keyring.history(&keeper.store).await?;
    let earlier = keys.all().filter_map(|(record, _)| keys.key(&record.key_id));
    Ok(earlier.chain([keeper.keyring.verifying_key()]).any(|key| note.signed_by(key) == Some(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_checkpoints_have_are_theirs() {
        let org = OrgId::from_uuid(uuid::Uuid::from_u128(1));
        let at = Timestamp::from_millis(1_769_824_800_000).expect("in range");
        let key = object_key(org, 7, at);
        assert!(is_checkpoint(org, &key), "{key}");
        let other = OrgId::from_uuid(uuid::Uuid::from_u128(2));
        for stranger in [
            object_key(other, 7, at),
            format!("{key}.bak"),
            key.replace(".txt", ".sig"),
            key.replace("/2026/", "/26/"),
            key.replace("/checkpoints/", "/checkpoints/x/"),
            format!("{}notes.txt", object_prefix(org)),
        ] {
            assert!(!is_checkpoint(org, &stranger), "{stranger}");
        }
    }
}
