//! Two streams in the order of the keys, side by side: what the bucket lists, and what the store has on record.

use std::cmp::Ordering;
use std::collections::VecDeque;

use walwarden_contract::model::InventoryFindingCode as Code;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId};

use super::findings::{About, Findings};
use super::place::{self, Half, Place};
use super::{Scope, Stop, backup, strangers, uploads};
use crate::engine::storage::{Bucket, Listed};
use crate::jobs::retention::Keeper;
use crate::store::inventory::InventoryRow;

/// How many rows are in memory at once; the bucket's pages hold a thousand keys.
const ROWS: u32 = 200;

/// Where and for whom is compared.
pub(super) struct Comparison<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) org_id: OrgId,
    pub(super) destination_id: DestinationId,
    pub(super) bucket: &'a Bucket,
    pub(super) deep: bool,
}

impl Comparison<'_> {
    pub(super) fn about(&self, database_id: DatabaseId, job_id: BackupJobId, key: &str) -> About {
        About {
            database_id: Some(database_id),
            destination_id: Some(self.destination_id),
            backup_job_id: Some(job_id),
            key: Some(key.to_owned()),
        }
    }

    pub(super) fn about_key(&self, key: &str) -> About {
        About { destination_id: Some(self.destination_id), key: Some(key.to_owned()), ..About::default() }
    }
}

/// What comes next out of the bucket.
enum Found {
    Group(DatabaseId, BackupJobId, Vec<(Half, Listed)>),
    Stranger(Listed),
}

struct Objects<'a> {
    of: &'a Comparison<'a>,
    prefix: String,
    page: VecDeque<Listed>,
    token: Option<String>,
    begun: bool,
    seen: u64,
}

impl Objects<'_> {
    async fn peek(&mut self) -> Result<Option<(Option<Place>, &Listed)>, Stop> {
        while self.page.is_empty() && (self.token.is_some() || !self.begun) {
            let (page, next) = self.of.bucket.list_page(&self.prefix, self.token.take()).await?;
            (self.page, self.token, self.begun) = (page.into(), next, true);
            self.seen += self.page.len() as u64;
        }
        let org_id = self.of.org_id;
        Ok(self.page.front().map(|listed| (place::read(org_id, &listed.key), listed)))
    }

    /// The next backup's objects, or the next object that is no backup's.
    async fn next(&mut self) -> Result<Option<Found>, Stop> {
        let (database_id, job_id) = match self.peek().await? {
            None => return Ok(None),
            Some((None, _)) => return Ok(self.page.pop_front().map(Found::Stranger)),
            Some((Some(place), _)) => (place.database_id, place.job_id),
        };
        let mut objects = Vec::new();
        while let Some((Some(place), _)) = self.peek().await? {
            if (place.database_id, place.job_id) != (database_id, job_id) {
                break;
            }
            let half = place.half;
            objects.extend(self.page.pop_front().map(|listed| (half, listed)));
        }
        Ok(Some(Found::Group(database_id, job_id, objects)))
    }
}

struct Rows<'a> {
    of: &'a Comparison<'a>,
    only: Option<DatabaseId>,
    page: VecDeque<InventoryRow>,
    after: Option<(DatabaseId, BackupJobId)>,
    done: bool,
    seen: u64,
}

impl Rows<'_> {
    async fn next(&mut self) -> Result<Option<InventoryRow>, Stop> {
        if self.page.is_empty() && !self.done {
            let (store, org_id) = (&self.of.keeper.store, self.of.org_id);
            let page = store.inventory(org_id, self.of.destination_id, self.only, self.after, ROWS).await?;
            self.done = page.len() < ROWS as usize;
            self.after = page.last().map(|row| (row.database_id, row.id)).or(self.after);
            self.seen += page.len() as u64;
            self.page = page.into();
        }
        Ok(self.page.pop_front())
    }
}

/// Compares what one bucket holds with what is on record about it.
pub(super) async fn compare(
    keeper: &Keeper,
    org_id: OrgId,
    destination_id: DestinationId,
    bucket: &Bucket,
    scope: Scope,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let of = Comparison { keeper, org_id, destination_id, bucket, deep: scope.deep };
    let prefix = place::prefix(org_id, scope.database);
    let mut objects =
        Objects { of: &of, prefix: prefix.clone(), page: VecDeque::new(), token: None, begun: false, seen: 0 };
    let mut rows = Rows { of: &of, only: scope.database, page: VecDeque::new(), after: None, done: false, seen: 0 };
    let compared = merge(&of, &mut objects, &mut rows, findings).await;
    findings.objects += objects.seen;
    findings.backups += rows.seen;
    compared?;
    uploads::compare(&of, &prefix, findings).await
}

async fn merge(
    of: &Comparison<'_>,
    objects: &mut Objects<'_>,
    rows: &mut Rows<'_>,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let (mut found, mut row) = (objects.next().await?, rows.next().await?);
    loop {
        let order = match (&found, &row) {
            (None, None) => return Ok(()),
            (Some(Found::Stranger(_)), _) | (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(Found::Group(database, job, _)), Some(row)) => (database, job).cmp(&(&row.database_id, &row.id)),
        };
        let here = if order == Ordering::Greater { None } else { std::mem::replace(&mut found, objects.next().await?) };
        let recorded = if order == Ordering::Less { None } else { std::mem::replace(&mut row, rows.next().await?) };
        match (here, recorded) {
            (Some(Found::Stranger(listed)), _) => {
                if !place::is_probe(of.org_id, &listed.key) {
                    let evidence = format!("{} bytes that are no backup's.", listed.size_bytes);
                    findings.add(Code::StrangerObject, of.about_key(&listed.key), evidence);
                }
            }
            (Some(Found::Group(database_id, job_id, objects)), None) => {
                strangers::compare(of, database_id, job_id, &objects, findings).await?;
            }
            (Some(Found::Group(.., objects)), Some(row)) => backup::compare(of, &row, objects, findings).await?,
            (None, Some(row)) => backup::compare(of, &row, Vec::new(), findings).await?,
            (None, None) => {}
        }
    }
}
