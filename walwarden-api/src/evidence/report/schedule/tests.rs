use proptest::prelude::*;
use uuid::Uuid;
use walwarden_contract::audit::EventKind;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn cited(at: Timestamp, kind: EventKind) -> Cited {
    Cited { at, hash: "00".repeat(32), kind, seq: 1, stream: "org_x".to_owned() }
}

fn setting(from: &str, cron: Option<&str>) -> Setting {
    let from = at(from);
    Setting { from, cron: cron.map(str::to_owned), event: cited(from, EventKind::DatabaseUpdated) }
}

fn january() -> Period {
    "2026-01".parse().expect("a period")
}

fn coverage(settings: Vec<Setting>) -> Coverage {
    Coverage::new(settings, None, &january(), at("2026-03-01T00:00:00Z"))
}

fn job(number: u128, run: &str, fate: Fate) -> ScheduledJob {
    ScheduledJob {
        id: BackupJobId::from_uuid(Uuid::from_u128(number)),
        run: Some(at(run)),
        queued_at: after(at(run), 1_000),
        made_up: 0,
        fate,
        retried: false,
    }
}

fn missed(coverage: &Coverage) -> Vec<String> {
    coverage.missed().map(|missed| missed.at.to_string()).collect()
}

#[test]
fn a_run_without_a_job_is_missed_and_each_is_counted_once() {
    let mut january = coverage(vec![setting("2025-12-01T00:00:00Z", Some("0 0 * * *"))]);
    // The first run comes with the first moment of the period; the first of February is not in it.
    assert_eq!(january.counts().expected, 31);
    for day in (1..=31).filter(|day| ![7, 8].contains(day)) {
        assert!(january.job(&job(day, &format!("2026-01-{day:02}T00:00:00Z"), Fate::Completed)).is_some());
    }
    assert_eq!(january.job(&job(32, "2026-02-01T00:00:00Z", Fate::Completed)), None, "another period's");
    let counts = january.counts();
    assert_eq!((counts.completed, counts.missed, counts.open), (29, 2, 0));
    assert_eq!(missed(&january), ["2026-01-07T00:00:00.000Z", "2026-01-08T00:00:00.000Z"]);
}

#[test]
fn a_changed_schedule_asks_for_its_own_runs_from_its_change_on() {
    let settings = vec![
        setting("2025-12-01T00:00:00Z", Some("0 2 * * *")),
        setting("2026-01-10T12:00:00Z", Some("0 */6 * * *")),
        setting("2026-01-20T12:00:00Z", None),
        setting("2026-01-25T02:00:00Z", Some("0 2 * * *")),
    ];
    let january = coverage(settings);
    // 10 nights; 12:00 on the 10th is not after the change, so 18:00 is first: 1 + 9 * 4 + 2 (12:00 is the next change); 6 nights.
    assert_eq!(january.counts().expected, 10 + (1 + 9 * 4 + 2) + 6);
    let last = january.missed().last().expect("one");
    assert_eq!((last.at, last.setting.from), (at("2026-01-31T02:00:00Z"), at("2026-01-25T02:00:00Z")));
}

#[test]
fn a_database_that_comes_or_goes_in_the_middle_is_asked_for_its_own_time_only() {
    let settings = vec![setting("2026-01-11T02:00:00Z", Some("0 2 * * *"))];
    let gone = Some(at("2026-01-21T02:00:00Z"));
    let coverage = Coverage::new(settings, gone, &january(), at("2026-03-01T00:00:00Z"));
    // It was added and removed at the moment of a run: neither is its own.
    assert_eq!(coverage.counts().expected, 9);
}

#[test]
fn a_run_that_failed_at_first_and_completed_then_is_completed() {
    let mut coverage = coverage(vec![setting("2026-01-30T00:00:00Z", Some("0 2 * * *"))]);
    let retried = ScheduledJob { retried: true, ..job(1, "2026-01-30T02:00:00Z", Fate::Completed) };
    coverage.job(&retried);
    coverage.job(&job(2, "2026-01-31T02:00:00Z", Fate::Failed));
    let counts = coverage.counts();
    assert_eq!((counts.completed, counts.completed_after_retry, counts.failed, counts.missed), (1, 1, 1, 0));
}

#[test]
fn a_run_that_was_left_out_is_skipped_and_not_missed() {
    let mut coverage = coverage(vec![setting("2026-01-31T00:00:00Z", Some("0 */6 * * *"))]);
    assert!(coverage.skipped(at("2026-01-31T06:00:00Z")));
    assert!(!coverage.skipped(at("2026-01-31T07:00:00Z")), "nobody asked for it");
    coverage.job(&job(1, "2026-01-31T12:00:00Z", Fate::Cancelled));
    let counts = coverage.counts();
    assert_eq!((counts.expected, counts.skipped, counts.cancelled, counts.missed), (3, 1, 1, 1));
}

#[test]
fn runs_that_one_job_made_up_for_are_missed_and_name_it() {
    let mut coverage = coverage(vec![setting("2026-01-31T00:00:00Z", Some("0 */6 * * *"))]);
    let late = ScheduledJob {
        queued_at: at("2026-01-31T13:00:00Z"),
        made_up: 1,
        ..job(9, "2026-01-31T06:00:00Z", Fate::Completed)
    };
    coverage.job(&late);
    let counts = coverage.counts();
    assert_eq!((counts.completed, counts.late, counts.missed), (1, 1, 2));
    let by: Vec<_> = coverage.missed().map(|missed| missed.made_up_by).collect();
    assert_eq!(by, [Some(late.id), None]);
}

#[test]
fn two_accounts_of_one_run_count_once_and_the_better_one_counts() {
    let mut coverage = coverage(vec![setting("2026-01-31T00:00:00Z", Some("0 2 * * *"))]);
    coverage.job(&job(1, "2026-01-31T02:00:00Z", Fate::Completed));
    coverage.job(&job(2, "2026-01-31T02:00:00Z", Fate::Failed));
    coverage.skipped(at("2026-01-31T02:00:00Z"));
    let counts = coverage.counts();
    assert_eq!((counts.expected, counts.completed, counts.failed, counts.skipped), (1, 1, 0, 0));
}

#[test]
fn a_job_that_does_not_name_its_run_stands_for_the_last_one_before_it() {
    let mut coverage = coverage(vec![setting("2026-01-30T00:00:00Z", Some("0 2 * * *"))]);
    let unnamed = ScheduledJob { run: None, ..job(1, "2026-01-30T02:00:00Z", Fate::Completed) };
    assert_eq!(coverage.job(&unnamed), Some(at("2026-01-30T02:00:00Z")));
    assert_eq!(coverage.counts().completed, 1);
}

#[test]
fn a_run_is_open_until_it_is_late_and_what_is_to_come_is_not_expected() {
    let settings = vec![setting("2026-01-01T00:00:00Z", Some("0 2 * * *"))];
    let coverage = Coverage::new(settings, None, &january(), at("2026-01-03T02:59:59Z"));
    let counts = coverage.counts();
    assert_eq!((counts.expected, counts.missed, counts.open), (3, 2, 1));
}

proptest! {
    #[test]
    fn every_expected_run_has_exactly_one_fate(fates in proptest::collection::vec(0_u8..6, 31), hours in 0_i64..800) {
        let now = after(at("2026-01-01T00:00:00Z"), hours * 3_600_000);
        let settings = vec![setting("2025-12-01T00:00:00Z", Some("0 2 * * *"))];
        let mut coverage = Coverage::new(settings, None, &january(), now);
        for (day, fate) in (1..=31_u128).zip(fates) {
            let run = format!("2026-01-{day:02}T02:00:00Z");
            match fate {
                0 => { coverage.job(&job(day, &run, Fate::Completed)); }
                1 => { coverage.job(&job(day, &run, Fate::Failed)); }
                2 => { coverage.job(&job(day, &run, Fate::Cancelled)); }
                3 => { coverage.skipped(at(&run)); }
                4 => { coverage.job(&job(day, &run, Fate::InProgress)); }
                _ => {}
            }
        }
        let RunCounts { expected, completed, failed, cancelled, skipped, missed, in_progress, open, .. } = coverage.counts();
        prop_assert_eq!(expected, completed + failed + cancelled + skipped + missed + in_progress + open);
        prop_assert_eq!(missed, coverage.missed().count() as u64);
    }
}
