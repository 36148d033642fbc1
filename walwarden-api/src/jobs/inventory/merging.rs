//! Two streams in the order of the keys, side by side: what the bucket lists, and what the store has on record.

use std::cmp::Ordering;
use std::collections::VecDeque;

use walwarden_contract::model::InventoryFindingCode as Code;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId};

use super::findings::{About, Findings};
use super::place::{self, Half, Place};
use super::{Scope, Stop, backup, strangers, uploads};
use crate::engine::storage::{Bucket, Listed};
use crate::jobs::integrity::is_checkpoint;
use crate::jobs::retention::Keeper;
use crate::store::inventory::{InventoryEntry, InventoryRow};

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
            let org_id = self.of.org_id;
            // What they are is looked at with the log.
            self.page.retain(|listed| !is_checkpoint(org_id, &listed.key));
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
    page: VecDeque<InventoryEntry>,
    after: (String, String),
    done: bool,
    seen: u64,
}

/// A job on record, at its place in the order of the keys.
struct Recorded {
    database_id: DatabaseId,
    id: BackupJobId,
    row: Result<InventoryRow, &'static str>,
}

impl Rows<'_> {
    /// The next job whose ids can be read; those of which they cannot are findings.
    async fn next(&mut self, findings: &mut Findings) -> Result<Option<Recorded>, Stop> {
        loop {
            if self.page.is_empty() && !self.done {
                let (store, org_id) = (&self.of.keeper.store, self.of.org_id);
                let after = (self.after.0.as_str(), self.after.1.as_str());
                let page = store.inventory(org_id, self.of.destination_id, self.only, after, ROWS).await?;
                self.done = page.len() < ROWS as usize;
                if let Some(last) = page.last() {
                    self.after = (last.database_id.clone(), last.id.clone());
                }
                self.seen += page.len() as u64;
                self.page = page.into();
            }
            let Some(InventoryEntry { database_id, id, row }) = self.page.pop_front() else { return Ok(None) };
            if let (Ok(database_id), Ok(id)) = (database_id.parse(), id.parse()) {
                return Ok(Some(Recorded { database_id, id, row }));
            }
            let about = About { destination_id: Some(self.of.destination_id), ..About::default() };
            findings.add(Code::RecordDisagrees, about, unreadable_id("a backup", &id));
        }
    }
}

/// Says of what an id cannot be read, with as much of it as is worth showing.
pub(super) fn unreadable_id(what: &str, id: &str) -> String {
    let shown: String = id.chars().take(80).collect();
    format!("The record of {what} cannot be read: it is called {shown:?}.")
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
    let mut rows = Rows {
        of: &of,
        only: scope.database,
        page: VecDeque::new(),
        after: (String::new(), String::new()),
        done: false,
        seen: 0,
    };
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
    let (mut found, mut row) = (objects.next().await?, rows.next(findings).await?);
    loop {
        let order = match (&found, &row) {
            (None, None) => return Ok(()),
            (Some(Found::Stranger(_)), _) | (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(Found::Group(database, job, _)), Some(row)) => (database, job).cmp(&(&row.database_id, &row.id)),
        };
        let here = if order == Ordering::Greater { None } else { std::mem::replace(&mut found, objects.next().await?) };
        let recorded =
            if order == Ordering::Less { None } else { std::mem::replace(&mut row, rows.next(findings).await?) };
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
            (Some(Found::Group(.., objects)), Some(recorded)) => of_backup(of, recorded, objects, findings).await?,
            (None, Some(recorded)) => of_backup(of, recorded, Vec::new(), findings).await?,
            (None, None) => {}
        }
    }
}

async fn of_backup(
    of: &Comparison<'_>,
    recorded: Recorded,
    objects: Vec<(Half, Listed)>,
    findings: &mut Findings,
) -> Result<(), Stop> {
    match recorded.row {
        Ok(row) => backup::compare(of, &row, objects, findings).await,
        Err(what) => {
            let about = About {
                database_id: Some(recorded.database_id),
                destination_id: Some(of.destination_id),
                backup_job_id: Some(recorded.id),
                key: None,
            };
            let evidence = format!("The record holds an unreadable {what}, so that nothing else of it was compared.");
            findings.add(Code::RecordDisagrees, about, evidence);
            Ok(())
        }
    }
}
