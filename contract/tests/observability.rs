//! The example alerts and the dashboard name only metrics that there are, with labels that they have.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use walwarden_contract::telemetry::{METRICS, Metric, MetricKind};

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/observability").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The metric of a name, or of one of a histogram's series.
fn metric(word: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| {
        let part = ["_bucket", "_sum", "_count"].iter().any(|end| word.strip_suffix(end) == Some(metric.name));
        if matches!(metric.kind, MetricKind::Histogram(_)) { part } else { metric.name == word }
    })
}

/// The metrics that an expression names; each must be one.
fn metrics_in(expression: &str) -> Vec<&'static Metric> {
    let words = expression.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let named = words.filter(|word| word.starts_with("walwarden_"));
    named.map(|word| metric(word).unwrap_or_else(|| panic!("{word} is no metric: {expression}"))).collect()
}

/// The labels in `by (…)` and in `{…}` belong to a metric of the expression.
fn check_labels(expression: &str, metrics: &[&Metric]) {
    let known: BTreeSet<_> = metrics.iter().flat_map(|metric| metric.labels).chain([&"le"]).copied().collect();
    let grouped = expression.split("by (").skip(1).filter_map(|rest| rest.split_once(')')).map(|(labels, _)| labels);
    let selected = expression.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(labels, _)| labels);
    for label in grouped.chain(selected).flat_map(|labels| labels.split(',')) {
        let label = label.trim().split(['=', '!']).next().unwrap_or_default();
        assert!(known.contains(label), "{label} is no label there: {expression}");
    }
}

#[test]
fn alerts_name_what_there_is_and_say_what_to_do() {
    let text = file("alerts.yml");
    let alerts: Vec<&str> = text.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 8, "only {}", alerts.len());
    for alert in alerts {
        let value = |key: &str| {
            let line = alert.lines().find_map(|line| line.trim().strip_prefix(key));
            line.unwrap_or_else(|| panic!("no {key} in\n{alert}")).trim()
        };
        let expression = value("expr:");
        let metrics = metrics_in(expression);
        assert!(!metrics.is_empty(), "{expression}");
        check_labels(expression, &metrics);
        assert!(["critical", "warning"].contains(&value("severity:")), "{alert}");
        assert!(!value("summary:").is_empty() && !value("description:").is_empty());
    }
}

#[test]
fn the_dashboard_names_what_there_is() {
    let dashboard: Value = serde_json::from_str(&file("grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut named = BTreeSet::new();
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets")) {
        let expression = target["expr"].as_str().expect("an expression");
        let metrics = metrics_in(expression);
        check_labels(expression, &metrics);
        named.extend(metrics.iter().map(|metric| metric.name));
    }
    assert!(named.len() > 15, "{named:?}");
}
