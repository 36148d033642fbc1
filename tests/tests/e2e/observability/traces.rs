//! Traces: what a collector gets is what is documented, and no backup depends on one.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use walwarden_contract::ErrorCode;
use walwarden_contract::telemetry::spans::{BACKUP, REQUEST, SPANS, Span, UPLOAD_PART};
use walwarden_tests::collector::{Collector, Mood, Received, SpanKind, StatusCode};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::free_port;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Role, Store};

use super::{scrape, value};
use crate::SOON;
use crate::setting::{Options, Setting};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A setting, whose servers from now on export to the collector, nearly at once. The first one is stopped.
fn exporting<'a>(
    context: &'a TestContext,
    store: Store,
    options: Options,
    collector: &Collector,
) -> Result<Setting<'a>> {
    let mut setting = Setting::new(context, store, options)?;
    setting.stop()?;
    for (name, text) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint().as_str()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ] {
        setting.walwarden.set_env(name, text);
    }
    Ok(setting)
}

/// The row of the table that a span is of.
fn row(received: &Received) -> Result<&'static Span> {
    if received.span.kind == SpanKind::Server as i32 {
        return Ok(&REQUEST);
    }
    let name = received.span.name.as_str();
    SPANS.iter().find(|span| span.name == name).with_context(|| format!("{name} is not documented"))
}

fn is_error(received: &Received) -> bool {
    received.span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32)
}

/// Every span is one of the table: within one that it can be within, and with the attributes that it has there and no others.
fn check(spans: &[Received]) -> Result<()> {
    let by_id: BTreeMap<_, _> = spans.iter().map(|received| (&received.span.span_id, received)).collect();
    ensure!(by_id.len() == spans.len(), "a span came twice");
    for received in spans {
        let (row, span) = (row(received)?, &received.span);
        ensure!(received.service == "walwarden-api", "{}", received.service);
        ensure!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
        let parent = by_id.get(&span.parent_span_id);
        match parent {
            Some(parent) => {
                ensure!(parent.span.trace_id == span.trace_id, "{span:?}");
                let name = self::row(parent)?.name;
                ensure!(row.within.contains(&name), "{} is within {name}", span.name);
            }
            None => ensure!(row.within.is_empty(), "{} is within nothing that came", span.name),
        }
        let found: BTreeSet<_> = received.attributes().collect();
        ensure!(found.len() == span.attributes.len(), "an attribute comes twice: {span:?}");
        let documented: BTreeSet<_> = row.attributes.iter().chain(row.sometimes).copied().collect();
        ensure!(found.is_subset(&documented), "{}: {found:?}", span.name);
        if !is_error(received) {
            let always: BTreeSet<_> = row.attributes.iter().copied().collect();
            ensure!(always.is_subset(&found), "{}: {found:?}", span.name);
        }
        if row == &REQUEST {
            let named = [received.attribute("http.request.method"), received.attribute("http.route")];
            ensure!(named.into_iter().flatten().collect::<Vec<_>>().join(" ") == span.name, "{span:?}");
        }
    }
    Ok(())
}

/// After a backup whose parts had to be sent again, one that failed, and requests good and bad, every documented span was sent, and
/// nothing that is not documented. That no secret was sent is checked wherever a trial ends.
pub(super) fn documented(context: &TestContext, store: Store) -> Result<()> {
    let collector = Collector::start(Mood::Takes, &context.logs())?;
    let secret = context.canaries().secret_key("the collector's token");
    let mut setting = exporting(context, store, Options::multipart(), &collector)?;
    let header = format!("authorization=Bearer%20{secret}");
    setting.walwarden.set_env("OTEL_EXPORTER_OTLP_TRACES_HEADERS", &header);
    setting.start_with(&["--retry-delay-seconds", "0", "--part-memory-mib", "32", "--backup-attempts", "1"])?;
    let refusal = Action::Respond { status: 503, code: "SlowDown".to_owned() };
    setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), refusal).times(1));
    let completed = setting.backup_and_wait()?;
    setting.update_source(&setting.source.dsn_with(&setting.source.password, free_port()?))?;
    setting.backup_fails(ErrorCode::SourceUnreachable)?;

    let authorization = format!("Bearer {}", setting.api_key);
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("authorization", authorization.as_str()), ("traceparent", parent.as_str())];
    let path = format!("/api/v1/databases/{}", setting.database_id);
    let answer = setting.server()?.request("GET", &path, &headers, None)?;
    let request_id = answer.header("x-request-id").context("a request id")?.to_owned();
    let refused = setting.server()?.request("GET", "/api/v1/databases", &[("traceparent", "00-nonsense-01")], None)?;
    ensure!((answer.status, refused.status) == (200, 401), "{} {}", answer.status, refused.status);
    let database = format!("{} {}", setting.database_id, setting.org_id);
    // What is left is sent before the end.
    setting.stop()?;

    let mut spans = collector.spans();
    let continued: Vec<_> = spans.extract_if(.., |received| hex::encode(&received.span.trace_id) == TRACE).collect();
    check(&spans)?;
    let names: BTreeSet<_> = spans.iter().map(|received| row(received).map(|row| row.name)).collect::<Result<_>>()?;
    ensure!(names == SPANS.iter().map(|span| span.name).collect(), "only {names:?}");

    let (server, within): (Vec<_>, Vec<_>) =
        continued.iter().partition(|received| hex::encode(&received.span.parent_span_id) == CALLER);
    ensure!(server.len() == 1 && server[0].attribute("request_id") == Some(request_id), "{continued:?}");
    ensure!(server[0].span.name == "GET /api/v1/databases/{databaseId}", "{}", server[0].span.name);
    ensure!(within.iter().all(|received| received.span.parent_span_id == server[0].span.span_id), "{within:?}");

    let one = |wanted: &dyn Fn(&&Received) -> bool| -> Result<Received> {
        let found: Vec<_> = spans.iter().filter(wanted).collect();
        ensure!(found.len() == 1, "{found:?}");
        Ok(found[0].clone())
    };
    let job = completed.id.to_string();
    let backup = one(&|received| received.attribute("backup_job_id").is_some_and(|id| id == job))?;
    let ids = [backup.attribute("database_id"), backup.attribute("organization_id")];
    ensure!(ids.into_iter().flatten().collect::<Vec<_>>().join(" ") == database, "{backup:?}");
    ensure!(backup.attribute("result").as_deref() == Some("completed") && !is_error(&backup), "{backup:?}");
    let parts: Vec<_> = spans.iter().filter(|received| received.span.name == UPLOAD_PART.name).collect();
    let sent: u64 = parts.iter().filter_map(|part| part.attribute("size_bytes")?.parse::<u64>().ok()).sum();
    ensure!(Some(sent) == completed.artifact.map(|artifact| artifact.size_bytes), "{parts:?}");
    for part in &parts {
        let again = part.attribute("retries");
        let second = part.attribute("part").as_deref() == Some("2");
        ensure!(again.as_deref() == Some(if second { "1" } else { "0" }), "{part:?}");
    }
    let failed = one(&|received| received.span.name == BACKUP.name && is_error(received))?;
    let code = ErrorCode::SourceUnreachable.as_str();
    ensure!(failed.attribute("result").as_deref() == Some(code), "{failed:?}");
    ensure!(failed.span.status.as_ref().is_some_and(|status| status.message == code), "{failed:?}");
    let source = one(&|received| received.span.parent_span_id == failed.span.span_id && is_error(received))?;
    ensure!(source.span.name == "source" && source.attribute("error.type").as_deref() == Some(code), "{source:?}");
    let refused = one(&|received| received.attribute("http.response.status_code").as_deref() == Some("401"))?;
    ensure!(refused.attribute("error.type").as_deref() == Some("unauthorized") && !is_error(&refused), "{refused:?}");
    ensure!(collector.heads().iter().all(|head| head.contains(&format!("authorization: Bearer {secret}"))), "no token");
    Ok(())
}

/// A collector that does not take what it is sent costs a backup nothing, nor the process its end.
pub(super) fn of_no_use(context: &TestContext, mood: Mood) -> Result<()> {
    let collector = Collector::start(mood, &context.logs())?;
    let mut setting = exporting(context, Store::Sqlite, Options::default(), &collector)?;
    setting.start()?;
    setting.backup_and_wait()?;
    let failed = "walwarden_trace_spans_total{result=\"failed\"}";
    wait_for("an export to fail", SOON, || Ok((value(&scrape(&setting)?, failed)? > 0.5).then_some(())))?;
    setting.backup_and_wait()?;
    wait_for("another export to fail", SOON, || Ok((collector.heads().len() > 2).then_some(())))?;
    let log = setting.server()?.log_text()?;
    ensure!(log.matches("traces are not exported").count() == 1, "{log}");
    ensure!(!log.contains(&collector.endpoint()), "{log}");
    setting.stop()
}

/// Spans that find the queue full are dropped, and counted.
pub(super) fn bounded(context: &TestContext) -> Result<()> {
    let collector = Collector::start(Mood::Hangs, &context.logs())?;
    let mut setting = exporting(context, Store::Sqlite, Options::default(), &collector)?;
    setting.walwarden.set_env("OTEL_BSP_MAX_QUEUE_SIZE", "2");
    setting.start()?;
    setting.backup_and_wait()?;
    let text = scrape(&setting)?;
    ensure!(value(&text, "walwarden_trace_spans_total{result=\"dropped\"}")? > 5.5, "{text}");
    setting.stop()
}

/// What is not built, or no URL, is refused before anything starts; without an endpoint nothing is sent.
pub(super) fn only_as_asked(context: &TestContext) -> Result<()> {
    let collector = Collector::start(Mood::Takes, &context.logs())?;
    let mut setting = Setting::new(context, Store::Sqlite, Options::default())?;
    setting.stop()?;
    let endpoint = collector.endpoint();
    for (name, text) in [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")] {
        setting.walwarden.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        setting.walwarden.set_env(name, text);
        let output = setting.walwarden.api(["serve", "--listen", "127.0.0.1:0"])?.output()?.exit(2)?;
        ensure!(output.stderr_text().contains(name), "{output:?}");
        setting.walwarden.unset_env(name);
        setting.walwarden.unset_env("OTEL_EXPORTER_OTLP_ENDPOINT");
    }
    for (name, text) in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_SERVICE_NAME", "me")] {
        // By itself, a name asks for nothing.
        if name != "OTEL_SERVICE_NAME" {
            setting.walwarden.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        }
        setting.walwarden.set_env(name, text);
        setting.start()?;
        setting.backup_and_wait()?;
        setting.stop()?;
        setting.walwarden.unset_env(name);
        setting.walwarden.unset_env("OTEL_EXPORTER_OTLP_ENDPOINT");
    }
    ensure!(collector.heads().is_empty(), "{:?}", collector.heads());
    Ok(())
}

/// A worker by itself traces as well.
pub(super) fn of_a_worker(context: &TestContext) -> Result<()> {
    let collector = Collector::start(Mood::Takes, &context.logs())?;
    let mut setting = Setting::new(context, Store::Sqlite, Options { role: Role::Api, ..Options::default() })?;
    setting.walwarden.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint());
    setting.walwarden.set_env("OTEL_EXPORTER_OTLP_COMPRESSION", "none");
    let worker = setting.walwarden.serve_with(Role::Worker, &[])?;
    setting.backup_and_wait()?;
    worker.stop()?;
    let spans = collector.spans();
    check(&spans)?;
    let wanted: BTreeSet<_> = SPANS.iter().map(|span| span.name).filter(|name| *name != REQUEST.name).collect();
    let found: BTreeSet<_> = spans.iter().map(|received| received.span.name.as_str()).collect();
    ensure!(found == wanted, "{found:?}");
    setting.stop()
}
