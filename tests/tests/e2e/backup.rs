//! The backup side: what completes, what fails and how, and that nothing is completed unless it is proven.

mod auth;
mod cancel;
mod crash;
mod destination;
mod dump;
mod encryption;
mod happy;
mod inventory;
mod preflight;
mod progress;
mod retention;
mod role;
mod source;
mod sweep;
mod trigger;
mod upload;

use walwarden_contract::audit::EventKind as K;
use walwarden_tests::harness::Suite;
use walwarden_tests::walwarden::Store;

/// Flags of a server whose jobs have one attempt, sent in parts of 16 MiB, one at a time.
const ONE_ATTEMPT: &[&str] = &["--backup-attempts", "1", "--part-memory-mib", "32"];

/// Two attempts that end before `pg_dump` is started.
const REFUSED: [K; 6] =
    [K::BackupQueued, K::BackupClaimed, K::BackupFailed, K::BackupQueued, K::BackupClaimed, K::BackupFailed];
/// One attempt that ends while `pg_dump` runs.
const FAILED_RUNNING: [K; 4] = [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFailed];
/// One attempt that ends while the object is sealed.
const FAILED_FINALIZING: [K; 5] =
    [K::BackupQueued, K::BackupClaimed, K::BackupRunning, K::BackupFinalizing, K::BackupFailed];

pub(crate) fn register(suite: Suite) -> Suite {
    let suite = completing(suite);
    let suite = failing(suite);
    let suite = uploading(suite);
    let suite = crashing(suite);
    requesting(suite)
}

fn completing(suite: Suite) -> Suite {
    suite
        .trial("backup_completes_only_as_proven_sqlite", |context| happy::completes(context, Store::Sqlite))
        .trial("backup_completes_only_as_proven_postgres", |context| happy::completes(context, Store::Postgres))
        .trial("backup_without_lock_says_so", happy::without_lock)
        .trial("backup_api_and_worker_run_apart", happy::roles_are_separate)
        .trial("backup_schedule_queues_one_run", happy::schedule_runs)
}

fn failing(suite: Suite) -> Suite {
    suite
        .trial("backup_with_wrong_password_fails_at_once", source::wrong_password)
        .trial("backup_of_unreachable_source_spends_its_attempts", source::unreachable)
        .trial("backup_of_missing_database_fails_at_once", source::missing_database)
        .trial("backup_of_unreadable_table_fails_at_once", source::unreadable_table)
        .trial("backup_into_missing_bucket_fails", destination::missing_bucket)
        .trial("backup_with_wrong_bucket_key_fails", destination::wrong_key)
        .trial("backup_into_unreachable_endpoint_fails", destination::unreachable)
        .trial("destination_that_is_not_verified_takes_no_backups", destination::not_verified)
        .trial("destination_that_failed_meanwhile_ends_the_job_sqlite", |context| {
            destination::failed_meanwhile(context, Store::Sqlite)
        })
        .trial("destination_that_failed_meanwhile_ends_the_job_postgres", |context| {
            destination::failed_meanwhile(context, Store::Postgres)
        })
        .trial("destination_of_the_api_is_verified_by_a_worker_sqlite", |context| {
            destination::verified_by_a_worker(context, Store::Sqlite)
        })
        .trial("destination_of_the_api_is_verified_by_a_worker_postgres", |context| {
            destination::verified_by_a_worker(context, Store::Postgres)
        })
        .trial("role_whose_sessions_end_mid_upload_makes_a_whole_backup_sqlite", |context| {
            role::sessions_end_mid_upload(context, Store::Sqlite)
        })
        .trial("role_whose_sessions_end_mid_upload_makes_a_whole_backup_postgres", |context| {
            role::sessions_end_mid_upload(context, Store::Postgres)
        })
        .trial("role_that_is_refused_mid_upload_leaves_nothing_sqlite", |context| {
            role::refused_mid_upload(context, Store::Sqlite)
        })
        .trial("role_that_is_refused_mid_upload_leaves_nothing_postgres", |context| {
            role::refused_mid_upload(context, Store::Postgres)
        })
        .trial("role_is_assumed_under_its_external_id_or_not_at_all", role::preflight_of_a_role)
        .trial("backup_of_truncated_dump_never_completes", dump::truncated)
        .trial("backup_of_dump_with_more_behind_never_completes", dump::trailing)
        .trial("backup_of_whole_but_failed_dump_never_completes", dump::whole_but_failed)
        .trial("backup_of_empty_dump_never_completes", dump::empty)
        .trial("backup_without_pg_dump_says_so", dump::tool_missing)
}

fn uploading(suite: Suite) -> Suite {
    suite
        .trial("backup_with_corrupted_manifest_never_completes", upload::corrupted_manifest)
        .trial("backup_with_truncated_read_back_never_completes", upload::truncated_read_back)
        .trial("backup_never_overwrites_an_object", upload::occupied_key)
        .trial("backup_is_encrypted_as_asked_and_says_so", encryption::proven)
        .trial("backup_that_the_bucket_did_not_encrypt_never_completes", encryption::overlooked)
        .trial("backup_sends_nothing_without_a_checksum", upload::checksums)
}

fn crashing(suite: Suite) -> Suite {
    suite
        .trial("backup_is_handed_back_on_sigterm_sqlite", |context| crash::sigterm_mid_dump(context, Store::Sqlite))
        .trial("backup_is_handed_back_on_sigterm_while_sealing", crash::sigterm_while_sealing)
        .trial("backup_waiting_for_a_lock_is_handed_back", crash::sigterm_at_lock)
        .trial("backup_is_handed_back_on_sigterm_postgres", |context| crash::sigterm_mid_dump(context, Store::Postgres))
        .trial("backup_left_uploads_are_given_up", sweep::only_the_abandoned)
        .trial("backup_left_uploads_given_up_before_a_refusal_are_on_record", sweep::recorded_despite_a_refusal)
        .trial("backup_uploads_unknown_to_an_older_store_are_given_up", sweep::after_an_older_store)
        .trial("backup_cancelled_at_a_lock_ends_at_once", cancel::at_lock)
        .trial("backup_cancelled_mid_upload_leaves_nothing", cancel::mid_upload)
}

fn requesting(suite: Suite) -> Suite {
    suite
        .trial("retention_deletes_old_backups_for_good_and_keeps_the_newest", retention::deletes_for_good)
        .trial("audit_edited_event_is_found_and_fails_readiness", inventory::edited_event)
        .trial("inventory_finds_what_is_missing_altered_or_strange", inventory::reconciliation)
        .trial("inventory_compares_locks_and_tells_a_bucket_that_is_gone", inventory::locks_and_reach)
        .trial("retention_waits_for_the_lock", retention::waits_for_the_lock)
        .trial("retention_goes_on_after_a_death_at_any_point", retention::killed)
        .trial("retention_finds_a_backup_before_it_deletes_it", retention::finds_before_it_deletes)
        .trial("retention_needs_a_newer_backup_as_recorded", retention::needs_a_newer_one_as_recorded)
        .trial("retention_never_offers_a_half_deleted_backup_again", retention::half_deleted_stays_marked)
        .trial("backup_runs_one_at_a_time_sqlite", |context| trigger::one_at_a_time(context, Store::Sqlite))
        .trial("backup_runs_one_at_a_time_postgres", |context| trigger::one_at_a_time(context, Store::Postgres))
        .trial("backup_trigger_is_idempotent_sqlite", |context| trigger::idempotent(context, Store::Sqlite))
        .trial("backup_trigger_is_idempotent_postgres", |context| trigger::idempotent(context, Store::Postgres))
        .trial("backup_trigger_command_can_be_repeated", trigger::idempotent_command)
        .trial("backup_wait_shows_its_progress_and_leaves_nothing_half_drawn", progress::shown)
        .trial("backup_wait_tells_every_event_while_it_happens", progress::events)
        .trial("preflight_passes_where_backups_do", preflight::passes_where_backups_do)
        .trial("preflight_fails_where_backups_do", preflight::fails_where_backups_do)
        .trial("auth_matrix_refuses_every_wrong_key", auth::matrix)
        .trial("auth_command_line_says_what_is_missing", auth::command_line)
}
