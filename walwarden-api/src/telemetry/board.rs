//! The gauges that come from the store, read anew every minute: what waits, what is late, and how old every database's newest
//! verified backup is.

use std::fmt::Write;
use std::sync::{Arc, RwLock};

use walwarden_contract::Timestamp;
use walwarden_contract::telemetry as names;

use crate::jobs::schedule::stale_at;
use crate::store::monitoring::{DatabaseAge, Findings, Monitored};
use crate::store::{Result, Store};
use crate::system::{System, after};

/// How many databases have series of their own.
const LISTED: usize = 25_000;
/// How many databases are read at a time.
const PAGE: u32 = 500;
/// A worker that was not seen for this long does not work.
const ABSENT_MILLIS: i64 = 60_000;

/// The series of single databases, as they were last read. They are kept as text: a database that is gone is gone from it, too.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<RwLock<String>>);

impl Board {
    /// The series, in Prometheus's text format.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.read().map(|text| text.clone()).unwrap_or_default()
    }

    /// Reads every gauge anew. Costs a page of 500 databases at a time, and their newest backups.
    ///
    /// # Errors
    /// When the store fails; then every gauge stays as it was, and so does the time at which they were read.
    pub async fn refresh(&self, store: &Store, system: &System) -> Result<()> {
        let now = system.now();
        let monitored = store.monitored(now, after(now, -ABSENT_MILLIS)).await?;
        let (mut series, mut last) = (Series::new(now), None);
        loop {
            let page = store.database_ages(last, PAGE).await?;
            last = page.last().map(|database| database.id);
            let more = page.len() == PAGE as usize;
            page.iter().take(LISTED - series.listed).for_each(|database| series.add(database));
            if !more || series.listed == LISTED {
                break;
            }
        }
        publish(&monitored, &series, now);
        if let Ok(mut text) = self.0.write() {
            *text = series.text();
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating-point numbers, and exact up to 2^53")]
fn publish(monitored: &Monitored, series: &Series, now: Timestamp) {
    let seconds_since = |at: Option<Timestamp>| at.map_or(0.0, |at| seconds(now, at));
    let unlisted = monitored.databases.saturating_sub(series.listed as u64);
    metrics::gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::gauge!(names::DATABASES).set(monitored.databases as f64);
    metrics::gauge!(names::DATABASES_UNLISTED).set(unlisted as f64);
    metrics::gauge!(names::QUEUE_JOBS, "state" => "waiting").set(monitored.waiting as f64);
    metrics::gauge!(names::QUEUE_JOBS, "state" => "held").set(monitored.held as f64);
    metrics::gauge!(names::QUEUE_OLDEST).set(seconds_since(monitored.oldest_waiting));
    metrics::gauge!(names::SCHEDULER_LAG).set(seconds_since(monitored.oldest_due));
    metrics::gauge!(names::WORKERS).set(monitored.workers as f64);
    metrics::gauge!(names::AUDIT_ANOMALIES).set(monitored.anomalies as f64);
    metrics::gauge!(names::LOG_OLDEST).set(seconds_since(monitored.oldest_due_event));
    metrics::gauge!(names::COPIES_OLDEST).set(seconds_since(monitored.oldest_waiting_copy));
    let Findings { all, critical } = monitored.findings;
    metrics::gauge!(names::INVENTORY_FINDINGS, "severity" => "critical").set(critical as f64);
    metrics::gauge!(names::INVENTORY_FINDINGS, "severity" => "warning").set(all.saturating_sub(critical) as f64);
    metrics::gauge!(names::REFRESHED).set(now.as_millis() as f64 / 1000.0);
}

/// From `then` to `now`, never negative.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating-point numbers, and exact up to 2^53")]
fn seconds(now: Timestamp, then: Timestamp) -> f64 {
    now.as_millis().saturating_sub(then.as_millis()).max(0) as f64 / 1000.0
}

struct Series {
    now: Timestamp,
    listed: usize,
    ages: String,
    overdue: String,
}

impl Series {
    fn new(now: Timestamp) -> Self {
        Self { now, listed: 0, ages: String::new(), overdue: String::new() }
    }

    fn add(&mut self, database: &DatabaseAge) {
        let labels = format!("database_id=\"{}\",database_name=\"{}\"", database.id, escaped(&database.name));
        let (began, ended) = database.verified.unwrap_or((database.updated_at, database.updated_at));
        let age = seconds(self.now, database.verified.map_or(database.created_at, |(began, _)| began));
        let took = ended.as_millis().saturating_sub(began.as_millis());
        let stale = database.schedule.as_deref().and_then(|cron| stale_at(cron, began, took).ok());
        let overdue = stale.is_some_and(|stale| stale <= self.now);
        // Nothing fails that writes to a text.
        let _ = writeln!(self.ages, "{}{{{labels}}} {age}", names::BACKUP_AGE);
        let _ = writeln!(self.overdue, "{}{{{labels}}} {}", names::BACKUP_OVERDUE, u8::from(overdue));
        self.listed += 1;
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(self.ages.len() + self.overdue.len() + 512);
        for (name, series) in [(names::BACKUP_AGE, &self.ages), (names::BACKUP_OVERDUE, &self.overdue)] {
            let about = names::METRICS.iter().find(|metric| metric.name == name).map_or("", |metric| metric.about);
            let _ = write!(text, "# HELP {name} {about}\n# TYPE {name} gauge\n{series}\n");
        }
        text
    }
}

/// As the text format wants a label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use walwarden_contract::DatabaseId;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn database(schedule: Option<&str>, began: Option<&str>, updated_at: &str) -> DatabaseAge {
        DatabaseAge {
            id: DatabaseId::from_uuid(Uuid::nil()),
            name: "a \"b\\\n".to_owned(),
            schedule: schedule.map(str::to_owned),
            created_at: at("2026-01-01T00:00:00.000Z"),
            updated_at: at(updated_at),
            verified: began.map(|began| (at(began), at(began))),
        }
    }

    fn overdue(now: &str, database: &DatabaseAge) -> bool {
        let mut series = Series::new(at(now));
        series.add(database);
        series.overdue.ends_with(" 1\n")
    }

    #[test]
    fn a_backup_is_overdue_when_its_schedule_promised_a_newer_one_or_the_first() {
        let (hourly, early) = (Some("0 * * * *"), "2026-01-01T00:00:00.000Z");
        let last = database(hourly, Some("2026-03-09T02:00:01.000Z"), early);
        assert!(!overdue("2026-03-09T03:05:00.000Z", &last));
        assert!(overdue("2026-03-09T03:06:00.000Z", &last));
        assert!(overdue("2026-03-09T03:06:00.000Z", &database(hourly, None, early)));
        assert!(!overdue("2026-03-09T03:06:00.000Z", &database(hourly, None, "2026-03-09T03:01:00.000Z")));
        assert!(!overdue("2026-03-09T03:06:00.000Z", &database(None, None, early)));
    }

    #[test]
    fn a_database_without_a_backup_ages_from_the_day_it_was_added_and_its_name_cannot_forge_a_series() {
        let mut series = Series::new(at("2026-01-01T01:00:00.000Z"));
        series.add(&database(None, None, "2026-01-01T00:00:00.000Z"));
        assert!(series.ages.contains("database_name=\"a \\\"b\\\\\\n\"} 3600\n"), "{}", series.ages);
        assert_eq!(series.ages.lines().count(), 1);
    }
}
