//! Schedules: five-field cron expressions in UTC.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use walwarden_contract::Timestamp;

use crate::system::after;

/// Why a schedule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// There are not five fields.
    #[error(
        "a schedule has exactly five fields: minute, hour, day of month, month, day of week; for example \"0 2 * * *\""
    )]
    FieldCount,
    /// A field does not say when.
    #[error("the schedule is not a cron expression: {0}")]
    Malformed(String),
    /// No moment fits it.
    #[error("the schedule never comes round")]
    Never,
}

fn parse(cron: &str) -> Result<Cron, ScheduleError> {
    if cron.split_whitespace().count() != 5 {
        return Err(ScheduleError::FieldCount);
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(cron).map_err(|error| ScheduleError::Malformed(error.to_string()))
}

/// The first run after `at`, in UTC, never at `at` itself.
///
/// # Errors
/// A [`ScheduleError`] that says what is wrong with the expression.
pub fn next_after(cron: &str, at: Timestamp) -> Result<Timestamp, ScheduleError> {
    let after = at.as_jiff().to_zoned(TimeZone::UTC);
    let next = parse(cron)?.find_next_occurrence(&after, false).map_err(|_| ScheduleError::Never)?;
    Ok(next.timestamp().into())
}

/// Checks that an expression has five fields, and comes round after `at`.
///
/// # Errors
/// A [`ScheduleError`] that says what is wrong with the expression.
pub fn validate(cron: &str, at: Timestamp) -> Result<(), ScheduleError> {
    next_after(cron, at).map(|_| ())
}

/// The shortest time that a run has to become a backup before the one before it counts as too old: five minutes.
const LEAST_GRACE_MILLIS: i64 = 300_000;

/// When a backup whose dump began at `started_at`, and that took `took_millis` in all, is older than its schedule promises: when
/// the run after it should have become a backup. A run has a tenth of the interval for that, twice the time that the last backup
/// took, or five minutes, whichever is longest.
///
/// # Errors
/// A [`ScheduleError`] that says what is wrong with the expression.
pub fn stale_at(cron: &str, started_at: Timestamp, took_millis: i64) -> Result<Timestamp, ScheduleError> {
    let due = next_after(cron, started_at)?;
    let interval = next_after(cron, due).map_or(0, |next| next.as_millis().saturating_sub(due.as_millis()));
    let grace = LEAST_GRACE_MILLIS.max(interval / 10).max(took_millis.saturating_mul(2));
    Ok(after(due, grace))
}

/// The next `count` runs after `at`.
///
/// # Errors
/// A [`ScheduleError`] that says what is wrong with the expression.
pub fn next_runs(cron: &str, at: Timestamp, count: usize) -> Result<Vec<Timestamp>, ScheduleError> {
    let mut runs = Vec::with_capacity(count);
    let mut last = at;
    for _ in 0..count {
        last = next_after(cron, last)?;
        runs.push(last);
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn the_next_run_is_strictly_later_and_in_utc() {
        let cases = [
            ("0 2 * * *", "2026-01-31T01:59:59.999Z", "2026-01-31T02:00:00.000Z"),
            ("0 2 * * *", "2026-01-31T02:00:00.000Z", "2026-02-01T02:00:00.000Z"),
            ("*/15 * * * *", "2026-01-31T23:46:00.000Z", "2026-02-01T00:00:00.000Z"),
            ("30 4 1 * *", "2026-01-31T00:00:00.000Z", "2026-02-01T04:30:00.000Z"),
            ("0 0 29 2 *", "2026-01-31T00:00:00.000Z", "2028-02-29T00:00:00.000Z"),
            ("0 0 * * MON", "2026-01-31T00:00:00.000Z", "2026-02-02T00:00:00.000Z"),
            // The day on which many zones skip an hour: UTC does not.
            ("30 2 29 3 *", "2026-03-29T00:00:00.000Z", "2026-03-29T02:30:00.000Z"),
        ];
        for (cron, from, expected) in cases {
            assert_eq!(next_after(cron, at(from)), Ok(at(expected)), "{cron} after {from}");
        }
    }

    #[test]
    fn anything_but_five_fields_is_refused() {
        for cron in ["", "* * * *", "0 0 2 * * *", "@daily", "0 0 2 * * * 2026", "every night"] {
            assert_eq!(next_after(cron, at("2026-01-31T00:00:00Z")), Err(ScheduleError::FieldCount), "{cron}");
        }
        for cron in ["61 * * * *", "* 24 * * *", "a b c d e", "*/0 * * * *", "5-1 * * * *"] {
            let error = next_after(cron, at("2026-01-31T00:00:00Z"));
            assert!(matches!(error, Err(ScheduleError::Malformed(_))), "{cron}: {error:?}");
        }
        assert_eq!(validate("0 0 30 2 *", at("2026-01-31T00:00:00Z")), Err(ScheduleError::Never));
    }

    #[test]
    fn three_runs_follow_one_another() {
        let runs = next_runs("0 */8 * * *", at("2026-01-31T01:00:00Z"), 3).expect("valid");
        let texts: Vec<_> = runs.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["2026-01-31T08:00:00.000Z", "2026-01-31T16:00:00.000Z", "2026-02-01T00:00:00.000Z"]);
    }

    #[test]
    fn a_backup_is_too_old_when_the_run_after_it_came_to_nothing() {
        let began = "2026-01-31T02:00:07Z";
        for (cron, took_minutes, expected) in [
            ("0 2 * * *", 1, "2026-02-01T04:24:00.000Z"),
            ("0 * * * *", 1, "2026-01-31T03:06:00.000Z"),
            ("*/5 * * * *", 1, "2026-01-31T02:10:00.000Z"),
            // One that takes long is given that time again, and more.
            ("0 * * * *", 40, "2026-01-31T04:20:00.000Z"),
        ] {
            assert_eq!(stale_at(cron, at(began), took_minutes * 60_000), Ok(at(expected)), "{cron}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".*", fields in "[0-9*,/LW#?-]{1,6}( [0-9*,/LW#?-]{1,6}){4}") {
            let from = at("2026-01-31T00:00:00Z");
            let _ = next_after(&text, from);
            if let Ok(next) = next_after(&fields, from) {
                prop_assert!(next > from);
                prop_assert_eq!(next.as_millis() % 60_000, 0);
            }
        }
    }
}
