//! The rows of the matrix. Its columns are the two stores. One row is elsewhere, with a token service of its own: a role whose
//! sessions end in the middle of an upload (`role_whose_sessions_end_mid_upload_*`).

use anyhow::Result;
use walwarden_api::failpoint::Failpoint;
use walwarden_contract::ErrorCode;
use walwarden_tests::fault_proxy::Action;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::bucket::{self, answers};
use super::cell::{Cell, ONE_ATTEMPT, PATIENT, QUICK};
use super::judge::Ending::{self, Failed, Unproven, Verified};
use super::{clock, source, store, worker};

/// Starts a backup and makes the fault happen to it.
type Inflict = dyn for<'a> Fn(&'a TestContext, Store) -> Result<Cell<'a>> + Send;

/// A row: what happens, and what must come of it.
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) inflict: Box<Inflict>,
    pub(super) ending: Ending,
}

fn fault(
    name: impl Into<String>,
    ending: Ending,
    inflict: impl for<'a> Fn(&'a TestContext, Store) -> Result<Cell<'a>> + Send + 'static,
) -> Fault {
    Fault { name: name.into(), inflict: Box::new(inflict), ending }
}

/// Where a worker that stands still is the most dangerous: what it does next is a write that another has made by then.
const PAUSES: [Failpoint; 5] = [
    Failpoint::AfterStart,
    Failpoint::MidDump,
    Failpoint::AfterFinalizeRecorded,
    Failpoint::AfterManifestWritten,
    Failpoint::BeforeCompletedRecorded,
];

/// Every row.
pub(super) fn faults() -> Vec<Fault> {
    let mut rows = of_the_source();
    rows.extend(of_the_bucket());
    rows.extend(of_store_and_clock());
    rows.extend(Failpoint::BACKUP.iter().map(|point| {
        let name = format!("worker_killed_{}", point.as_str());
        fault(name, Verified, |context, store| worker::killed(context, store, *point))
    }));
    rows.extend(PAUSES.map(|point| {
        let name = format!("worker_paused_past_its_lease_{}", point.as_str());
        fault(name, Verified, move |context, store| worker::paused(context, store, point))
    }));
    rows.push(fault("worker_killed_in_last_attempt", Failed(ErrorCode::WorkerLost), worker::killed_in_last_attempt));
    rows
}

fn of_the_source() -> Vec<Fault> {
    vec![
        fault("pg_dump_killed_once", Verified, |context, store| source::dump_killed(context, store, PATIENT)),
        fault("pg_dump_killed", Failed(ErrorCode::DumpKilled), |context, store| {
            source::dump_killed(context, store, ONE_ATTEMPT)
        }),
        fault("source_server_killed_and_back", Verified, |context, store| {
            source::server_killed(context, store, PATIENT, true)
        }),
        fault("source_server_killed", Failed(ErrorCode::SourceConnectionLost), |context, store| {
            source::server_killed(context, store, ONE_ATTEMPT, false)
        }),
        fault("source_connection_reset_once", Verified, |context, store| {
            source::connection_reset(context, store, PATIENT, false)
        }),
        fault("source_connection_reset", Failed(ErrorCode::SourceConnectionLost), |context, store| {
            source::connection_reset(context, store, ONE_ATTEMPT, true)
        }),
        fault("source_disk_error", Failed(ErrorCode::SourceDataCorrupted), |context, store| {
            source::disk_error(context, store, ONE_ATTEMPT)
        }),
    ]
}

fn of_the_bucket() -> Vec<Fault> {
    vec![
        fault("s3_503_once", Verified, |context, store| {
            bucket::each_fails_once(context, store, ONE_ATTEMPT, &answers(503, "SlowDown"))
        }),
        fault("s3_503", Failed(ErrorCode::DestinationThrottled), |context, store| {
            bucket::part_fails(context, store, answers(503, "SlowDown"))
        }),
        fault("s3_429_once", Verified, |context, store| {
            bucket::each_fails_once(context, store, PATIENT, &answers(429, "TooManyRequests"))
        }),
        fault("s3_429", Failed(ErrorCode::DestinationThrottled), |context, store| {
            bucket::part_fails(context, store, answers(429, "TooManyRequests"))
        }),
        fault("s3_500", Failed(ErrorCode::UploadFailed), |context, store| {
            bucket::part_fails(context, store, answers(500, "InternalError"))
        }),
        fault("part_resets_ridden_out", Verified, bucket::parts_reset),
        fault("reset_mid_part", Failed(ErrorCode::DestinationUnreachable), |context, store| {
            bucket::part_fails(context, store, Action::DropInBody(100_000))
        }),
        fault("slow_part", Verified, bucket::slow_part),
        fault("completion_unacknowledged", Verified, bucket::completion_unacknowledged),
        fault("manifest_unacknowledged", Verified, bucket::manifest_unacknowledged),
        fault("completion_200_with_error_passing", Verified, |context, store| {
            bucket::completion_answers_error(context, store, false)
        }),
        fault("completion_200_with_error", Failed(ErrorCode::UploadFailed), |context, store| {
            bucket::completion_answers_error(context, store, true)
        }),
        fault("wrong_bytes_on_read_back", Unproven(ErrorCode::ArtifactMismatch), bucket::wrong_bytes),
        fault("bucket_deleted", Failed(ErrorCode::DestinationBucketMissing), bucket::bucket_deleted),
        fault("lock_refused", Failed(ErrorCode::DestinationLockRefused), bucket::lock_refused),
        fault("lock_not_kept", Unproven(ErrorCode::DestinationLockRefused), bucket::lock_not_kept),
    ]
}

fn of_store_and_clock() -> Vec<Fault> {
    vec![
        fault("clock_jumps_past_the_lease", Verified, |context, store| clock::jumps(context, store, PATIENT, 600_000)),
        fault("clock_jumps_back_an_hour", Verified, |context, store| clock::jumps(context, store, QUICK, -3_600_000)),
        fault("store_locked_past_a_heartbeat", Verified, store::locked_past_a_heartbeat),
        fault("store_locked_past_the_lease", Verified, store::locked_past_the_lease),
        fault("store_connections_exhausted", Verified, store::pool_exhausted),
        fault("store_gone_and_back", Verified, store::gone),
    ]
}
