//! What a running server tells of itself: exactly what is documented.

mod traces;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_contract::telemetry::{LOG_FIELDS, METRICS, Metric};
use walwarden_contract::{ErrorCode, Scope};
use walwarden_tests::collector::Mood;
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::postgres::free_port;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use crate::SOON;
use crate::setting::{Options, Setting};

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("metrics_are_those_that_are_documented_sqlite", |context| metrics(context, Store::Sqlite))
        .trial("metrics_are_those_that_are_documented_postgres", |context| metrics(context, Store::Postgres))
        .trial("log_lines_have_only_documented_fields", log_fields)
        .trial("traces_are_those_that_are_documented_sqlite", |context| traces::documented(context, Store::Sqlite))
        .trial("traces_are_those_that_are_documented_postgres", |context| traces::documented(context, Store::Postgres))
        .trial("traces_of_a_worker_by_itself_arrive", traces::of_a_worker)
        .trial("traces_that_are_refused_cost_a_backup_nothing", |context| traces::of_no_use(context, Mood::Refuses))
        .trial("traces_that_nobody_answers_cost_a_backup_nothing", |context| traces::of_no_use(context, Mood::Hangs))
        .trial("traces_that_find_the_queue_full_are_counted", traces::bounded)
        .trial("traces_are_sent_only_where_somebody_asks", traces::only_as_asked)
}

fn scrape(setting: &Setting<'_>) -> Result<String> {
    let answer = setting.server()?.request("GET", "/metrics", &[], None)?;
    ensure!(answer.status == 200, "{}", answer.status);
    Ok(String::from_utf8(answer.body)?)
}

/// The value of a series, by its name and labels as they are written.
fn value(text: &str, series: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.with_context(|| format!("no {series} in\n{text}"))?.parse().context("a number")
}

/// After a backup that completed and one that was tried again, every documented metric is there and no other, with the labels that
/// it should have.
fn metrics(context: &TestContext, store: Store) -> Result<()> {
    let flags = &["--backup-attempts", "2", "--retry-delay-seconds", "0", "--inventory-check-seconds", "1"];
    let mut setting = Setting::new(context, store, Options::default().serve(flags))?;
    let bytes = setting.backup_and_wait()?.artifact.context("an artifact")?.size_bytes;
    setting.update_source(&setting.source.dsn_with(&setting.source.password, free_port()?))?;
    setting.backup_fails(ErrorCode::SourceUnreachable)?;

    // What the inventory holds is not known before it was compared.
    let text = wait_for("the inventory to be compared", SOON, || {
        Ok(Some(scrape(&setting)?).filter(|text| text.contains("walwarden_inventory_findings{")))
    })?;
    let documented: BTreeMap<&str, &Metric> = METRICS.iter().map(|metric| (metric.name, metric)).collect();
    let mut kinds = BTreeMap::new();
    for (name, kind) in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')) {
        ensure!(kinds.insert(name, kind).is_none(), "{name} comes twice");
        let metric = documented.get(name).with_context(|| format!("{name} is not documented"))?;
        ensure!(metric.kind.as_str() == kind, "{name} is a {kind}");
    }
    for name in documented.keys() {
        ensure!(kinds.contains_key(name), "{name} is documented and not there:\n{text}");
    }
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let base = |end: &str| name.strip_suffix(end).filter(|name| kinds.get(name) == Some(&"histogram"));
        let name = ["_bucket", "_sum", "_count"].into_iter().find_map(base).unwrap_or(name);
        let metric = documented.get(name).with_context(|| format!("{line} is of no metric"))?;
        let labels = line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(labels, _)| labels);
        let names: BTreeSet<_> = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0)).collect();
        let wanted: BTreeSet<_> = metric.labels.iter().copied().collect();
        ensure!(names.iter().filter(|name| **name != "le").copied().collect::<BTreeSet<_>>() == wanted, "{line}");
    }

    #[expect(clippy::cast_precision_loss, reason = "a small dump")]
    let bytes = bytes as f64;
    ensure!((value(&text, "walwarden_backup_bytes_total")? - bytes).abs() < 0.5, "{text}");
    ensure!((value(&text, "walwarden_upload_bytes_total")? - bytes).abs() < 0.5, "{text}");
    for (series, wanted) in [
        ("walwarden_backup_attempts_total", 3.0),
        ("walwarden_backups_total{result=\"completed\"}", 1.0),
        ("walwarden_backups_total{result=\"source_unreachable\"}", 2.0),
        ("walwarden_backup_retries_total{code=\"source_unreachable\"}", 1.0),
        ("walwarden_backup_duration_seconds_count", 1.0),
        ("walwarden_lease_losses_total", 0.0),
    ] {
        let found = value(&text, series)?;
        ensure!((found - wanted).abs() < 0.5, "{series} is {found}, not {wanted}");
    }

    // What comes from the store is read at the start.
    setting.restart_with(&["--retry-delay-seconds", "0"])?;
    let ages = format!("walwarden_last_verified_backup_age_seconds{{database_id=\"{}\",", setting.database_id);
    let text = walwarden_tests::wait::wait_for("the gauges of the store", crate::SOON, || {
        let text = scrape(&setting)?;
        Ok(text.contains(&ages).then_some(text))
    })?;
    ensure!((value(&text, "walwarden_databases")? - 1.0).abs() < 0.5, "{text}");
    Ok(())
}

/// Requests and backups, good and bad, in JSON lines: no field that is not in the table.
fn log_fields(context: &TestContext) -> Result<()> {
    let options = Options::default().serve(&[
        "--log-format",
        "json",
        "--log",
        "info,walwarden_api=debug,walwarden_sdk=debug",
        "--retry-delay-seconds",
        "0",
        "--backup-attempts",
        "2",
    ]);
    let mut setting = Setting::new(context, Store::Sqlite, options)?;
    setting.backup_and_wait()?;
    setting.update_source(&setting.source.dsn_with(&setting.source.password, free_port()?))?;
    setting.backup_fails(ErrorCode::SourceUnreachable)?;
    let poor = format!("Bearer {}", setting.issue_key(&[Scope::ReadinessRead])?);
    let answer = setting.server()?.request("GET", "/api/v1/databases", &[("authorization", &poor)], None)?;
    ensure!(answer.status == 403, "{}", answer.status);
    let log = setting.server()?.log_text()?;
    setting.stop()?;

    let known: BTreeSet<&str> = LOG_FIELDS.iter().map(|field| field.name).collect();
    let check = |object: &Value, line: &str| -> Result<BTreeSet<String>> {
        let object = object.as_object().with_context(|| format!("no object: {line}"))?;
        for name in object.keys() {
            ensure!(known.contains(name.as_str()), "{name} is not documented: {line}");
        }
        Ok(object.keys().cloned().collect())
    };
    let mut seen = BTreeSet::new();
    for line in log.lines() {
        let document: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
        seen.extend(check(&document, line)?);
        for span in document["spans"].as_array().into_iter().flatten().chain(document.get("span")) {
            seen.extend(check(span, line)?);
        }
    }
    for name in ["request_id", "operation", "status", "latency_ms", "backup_job_id", "attempt", "size_bytes", "code"] {
        ensure!(seen.contains(name), "{name} was not in any line:\n{log}");
    }
    Ok(())
}
