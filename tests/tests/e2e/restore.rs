//! Restores: what they promise when they succeed, and what they leave alone when they do not.

mod cancel;
mod download;
mod events;
mod happy;
mod lost;
mod plan;
mod progress;
mod refused;
pub(crate) mod stage;
mod tampered;
mod target;
mod terminal;
mod tokens;
mod traffic;

use walwarden_tests::harness::Suite;
use walwarden_tests::walwarden::Store;

pub(crate) fn register(suite: Suite) -> Suite {
    let suite = register_happy(suite);
    let suite = register_refusals(suite);
    let suite = register_terminal(suite);
    register_failures(suite)
}

fn register_happy(suite: Suite) -> Suite {
    suite
        .trial("restore_creates_the_named_database_sqlite", |context| happy::named_database(context, Store::Sqlite))
        .trial("restore_creates_the_named_database_postgres", |context| happy::named_database(context, Store::Postgres))
        .trial("restore_creates_the_sources_database_on_another_cluster", happy::another_cluster)
        .trial("restore_execute_tells_the_api_only_the_redacted_target", traffic::execute)
        .trial("restore_commands_send_nothing_of_the_target_but_its_identity", traffic::every_command)
        .trial("restore_reads_what_the_bucket_encrypts", happy::encrypted_by_the_bucket)
        .trial("restore_in_place_replaces_what_the_target_holds", happy::in_place)
        .trial("restore_accepts_only_the_key_that_was_pinned", happy::pinned_key)
        .trial("restore_dry_run_touches_nothing_and_its_plan_is_carried_out", plan::carried_out)
        .trial("restore_plan_pins_and_carries_the_targets_parameters", plan::parameters)
        .trial("restore_dry_run_fails_where_the_sources_name_is_taken", plan::name_taken)
        .trial("restore_changed_plan_is_refused_before_a_session", plan::changed)
}

fn register_refusals(suite: Suite) -> Suite {
    suite
        .trial("restore_in_place_unconfirmed_makes_no_call", refused::unconfirmed)
        .trial("restore_wrong_password_leaves_the_token_usable", refused::wrong_password)
        .trial("restore_unreachable_target_leaves_the_token_usable", refused::unreachable)
        .trial("restore_without_pg_restore_leaves_the_token_usable", refused::no_tools)
        .trial("restore_other_manifest_leaves_the_token_usable", refused::other_manifest)
        .trial("restore_never_overwrites_an_existing_database", refused::database_exists)
        .trial("restore_expired_token_is_refused_and_recorded", tokens::expired)
        .trial("restore_token_works_once", tokens::reused)
        .trial("restore_forged_token_is_refused_and_recorded", tokens::forged)
        .trial("restore_token_of_another_job_is_refused_and_recorded", tokens::other_job)
}

fn register_terminal(suite: Suite) -> Suite {
    suite
        .trial("restore_asks_for_the_databases_name_before_it_overwrites", terminal::consent)
        .trial("restore_of_a_token_asks_for_the_databases_name_before_it_overwrites", terminal::legacy_consent)
        .trial("restore_asks_for_a_missing_password_and_does_not_show_it", terminal::password)
        .trial("restore_shows_its_progress_and_leaves_nothing_half_drawn", progress::on_a_terminal)
        .trial("restore_of_a_token_writes_lines_for_programs_and_words_for_people", progress::in_a_pipe)
        .trial("restore_tells_every_event_while_it_happens", events::told)
        .trial("restore_that_tells_events_ends_in_one_result", events::ends)
}

fn register_failures(suite: Suite) -> Suite {
    suite
        .trial("restore_flipped_bit_never_reaches_the_target", tampered::flipped_bit)
        .trial("restore_truncated_artifact_never_reaches_the_target", tampered::truncated)
        .trial("restore_tampered_manifest_is_refused_before_the_download", tampered::manifest)
        .trial("restore_survives_dropped_connections", download::dropped_connections)
        .trial("restore_missing_artifact_is_a_download_failure", download::missing)
        .trial("restore_renews_an_expired_url", download::expired_url)
        .trial("restore_failure_of_pg_restore_is_terminal", target::pg_restore_fails)
        .trial("restore_interrupted_download_leaves_nothing", cancel::during_download)
        .trial("restore_interrupted_pg_restore_leaves_no_process", cancel::during_pg_restore)
        .trial("restore_killed_machine_is_timed_out", cancel::killed)
        .trial("restore_whose_token_may_be_used_up_says_so", lost::trigger)
        .trial("restore_that_is_done_but_unreported_is_not_to_be_repeated", lost::completed)
}
