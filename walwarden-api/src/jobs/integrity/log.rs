//! Walks an organization's log from its first leaf to its edge: leaves against events, nodes against leaves, and every signed root.

use std::collections::VecDeque;

use walwarden_contract::OrgId;
use walwarden_contract::log::{Frontier, Hash};

use super::Beat;
use crate::store::{Result, Store, StoreError};

/// How many leaves are in memory at once.
const PAGE: u32 = 500;

/// What of the log does not hold; `None` when all of it does.
///
/// # Errors
/// When the store fails.
pub(super) async fn failure(store: &Store, org_id: OrgId, beat: &Beat<'_>) -> Result<Option<String>> {
    match walk(store, org_id, beat).await {
        Err(StoreError::Corrupt(what)) => Ok(Some(format!("The log holds an unreadable {what}."))),
        Err(StoreError::Missing(what)) => Ok(Some(format!("The {what} is missing."))),
        walked => walked,
    }
}

async fn walk(store: &Store, org_id: OrgId, beat: &Beat<'_>) -> Result<Option<String>> {
    // It may grow meanwhile: what is walked is its beginning, which does not change.
    let log = store.log(org_id).await?;
    let (size, mut edge, mut roots) = (log.edge.size(), Frontier::default(), Roots::default());
    while edge.size() < size {
        let first = edge.size();
        let limit = u32::try_from(size - first).unwrap_or(u32::MAX).min(PAGE);
        let leaves = store.leaves_with_events(org_id, first, limit).await?;
        if leaves.is_empty() {
            return Ok(Some(format!("Leaf {first} and what follows it are missing.")));
        }
        let mut nodes = Vec::new();
        for (leaf, event) in leaves {
            if event.as_ref() != Some(&leaf.hash) {
                let (number, seq, stream) = (edge.size(), leaf.seq, leaf.stream);
                let found = if event.is_some() { "is another now" } else { "is missing" };
                return Ok(Some(format!("Leaf {number} is event {seq} of {stream}, which {found}.")));
            }
            nodes.extend(edge.push(leaf.leaf_hash()).into_iter().filter(|(node, _)| node.level > 0));
            if let Some(root) = roots.at(store, org_id, edge.size()).await?
                && root != edge.root()
            {
                return Ok(Some(format!("The first {} leaves are not those whose root was signed.", edge.size())));
            }
        }
        let wanted: Vec<_> = nodes.iter().map(|(node, _)| *node).collect();
        let stored = store.inner_nodes(org_id, &wanted).await?;
        if let Some((node, _)) = nodes.iter().find(|(node, hash)| stored.get(node) != Some(hash)) {
            return Ok(Some(format!("Node {} of level {} does not follow from its leaves.", node.index, node.level)));
        }
        beat.keep().await?;
    }
    if edge != log.edge {
        return Ok(Some("The edge of the log does not follow from its leaves.".to_owned()));
    }
    let newest = store.newest_checkpoint(org_id).await?.map(|checkpoint| checkpoint.size);
    let (newest, size) = (newest.unwrap_or_default(), store.log(org_id).await?.edge.size());
    Ok((newest > size).then(|| format!("The log has {size} leaves, and a checkpoint of {newest} was signed.")))
}

/// The roots of checkpoints, in the order of their sizes, a page at a time.
#[derive(Default)]
struct Roots {
    page: VecDeque<(u64, Hash)>,
    after: u64,
    done: bool,
}

impl Roots {
    /// The root that was signed for this size, if one was. Sizes are asked for in order.
    async fn at(&mut self, store: &Store, org_id: OrgId, size: u64) -> Result<Option<Hash>> {
        if self.page.is_empty() && !self.done {
            self.page = store.checkpoint_roots(org_id, self.after, PAGE).await?.into();
            self.after = self.page.back().map_or(self.after, |(size, _)| *size);
            self.done = self.page.len() < PAGE as usize;
        }
        Ok(self.page.pop_front_if(|(signed, _)| *signed <= size).map(|(_, root)| root))
    }
}
