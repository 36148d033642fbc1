//! `metrics.md`

use crate::emit::markdown::{codes, head, table};
use crate::telemetry::spans::{SPAN_ATTRIBUTES, SPANS};
use crate::telemetry::{LOG_FIELDS, METRICS, MetricKind, Where};

const LEAD: &str = "\
Every process answers `GET /metrics` on its own address, without an API key, in Prometheus's text format. Names and labels do not
change. What this page does not list is not there. How to set it all up is in `docs/guides/observability.md`.
";

const COUNTERS: &str = "\
Counters and histograms count what this one process did, since it started. A counter with a label shows a value of it from its first
time on; those in the last column are there from the start, at 0.
";

const LOGS: &str = "\
## Log lines

With `--log-format json` each line on stderr is one JSON object with these fields and no others; which of them depends on the line. The
fields of spans stand in `span` and `spans`. No field ever holds a secret or a row of your data.
";

const TRACES: &str = "\
## Traces

Where a collector is set by the standard variables of OpenTelemetry, these spans are exported, with these attributes and no others. A span
is of no more than one trace: a job does not go on with the trace of the request that queued it. No attribute ever holds a secret, an
address, a key of an object, SQL, or a row of your data.
";

fn kind(kind: MetricKind) -> String {
    match kind {
        MetricKind::Histogram(bounds) => {
            let bounds: Vec<String> = bounds.iter().map(ToString::to_string).collect();
            format!("histogram: {}", bounds.join(", "))
        }
        other => other.as_str().to_owned(),
    }
}

pub(in crate::emit) fn page() -> String {
    let metrics = METRICS.iter().map(|metric| {
        [
            format!("`{}`", metric.name),
            kind(metric.kind),
            codes(metric.labels.iter().copied()),
            if metric.found == Where::Workers { "workers" } else { "everywhere" }.to_owned(),
            metric.about.to_owned(),
            codes(metric.known_values.iter().copied()),
        ]
    });
    let metrics = table(["metric", "kind", "labels", "processes", "what it tells", "from the start"], metrics);
    let fields = LOG_FIELDS.iter().map(|field| [format!("`{}`", field.name), field.about.to_owned()]);
    format!(
        "{}\n{COUNTERS}\n{metrics}\n{LOGS}\n{}\n{TRACES}\n{}\n{}",
        head("Metrics, log lines and traces", LEAD),
        table(["field", "what it holds"], fields),
        spans(),
        table(["attribute", "what it holds"], attributes())
    )
}

fn spans() -> String {
    let rows = SPANS.iter().map(|span| {
        [
            format!("`{}`", span.name),
            codes(span.within.iter().copied()),
            codes(span.attributes.iter().copied()),
            codes(span.sometimes.iter().copied()),
            span.about.to_owned(),
        ]
    });
    table(["span", "directly within", "attributes", "sometimes", "what it spans"], rows)
}

fn attributes() -> impl Iterator<Item = [String; 2]> {
    SPAN_ATTRIBUTES.iter().map(|attribute| [format!("`{}`", attribute.name), attribute.about.to_owned()])
}
