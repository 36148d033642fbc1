//! The harness proves itself: every trap it sets for the product is sprung here on purpose.

mod postgres;
mod proxy;
mod s3;
mod traps;

use std::time::Duration;

use walwarden_tests::harness::Suite;

/// Generous: it only passes when something is broken.
const SOON: Duration = Duration::from_secs(20);

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("harness_digests_tell_equal_databases_from_different_ones", postgres::digests)
        .trial("harness_bulk_table_is_as_large_as_asked", postgres::bulk)
        .trial("harness_lock_holds_a_reader_until_released", postgres::table_lock)
        .trial("harness_sees_a_dump_in_the_middle_of_a_table", postgres::dump_in_the_middle)
        .trial("harness_terminates_pg_dump_backends", postgres::terminates_pg_dump)
        .trial("harness_object_lock_refuses_deletion_of_a_retained_version", s3::object_lock)
        .trial("harness_flipped_bit_changes_exactly_one_bit", s3::flipped_bit)
        .trial("harness_proxy_holds_a_part_and_releases_it", proxy::proxy_holds)
        .trial("harness_proxy_loses_an_acknowledgement", proxy::proxy_loses_acknowledgement)
        .trial("harness_proxy_answers_errors_and_spoils_answers", proxy::proxy_errors)
        .trial("harness_canary_search_finds_every_encoding", traps::canary_encodings)
        .trial("harness_leak_fails_the_trial", traps::leak_fails_the_trial)
        .trial("harness_argv_sampler_catches_a_short_lived_process", traps::argv_sampler)
        .trial("harness_kills_a_program_that_overstays", traps::overstays)
}
