//! How spans leave the process: a bounded queue, a thread of the SDK's, and requests that whoever is traced never waits for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use opentelemetry::Context;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, Span, SpanData, SpanExporter, SpanProcessor,
};
use tokio::runtime::Handle;
use walwarden_contract::telemetry::TRACE_SPANS;

use super::settings::Wanted;

/// How long after a failure was told the next one is.
const SILENCE: Duration = Duration::from_mins(1);
/// No collector has more to say than this.
const ANSWER_LIMIT: usize = 64 << 10;

/// What takes the spans that ended, and which traces are sampled.
pub(super) fn processor(wanted: Wanted) -> Result<(Bounded, Sampler), String> {
    let failed = |_| "cannot be used: the exporter does not take it".to_owned();
    let http = reqwest::Client::builder()
        .connect_timeout(wanted.time_limit)
        .timeout(wanted.time_limit)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| format!("cannot be used: there is no HTTP client: {}", error.without_url()))?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Client { http, runtime: Handle::current() })
        .with_endpoint(wanted.endpoint)
        .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
        .with_timeout(wanted.time_limit)
        .build()
        .map_err(failed)?;
    let waiting = Arc::new(AtomicUsize::new(0));
    let exporter = Reporting { exporter, waiting: Arc::clone(&waiting), told: Mutex::default() };
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(wanted.queue)
        .with_max_export_batch_size(wanted.batch)
        .with_scheduled_delay(wanted.delay);
    let batches = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build();
    Ok((Bounded { batches, waiting, limit: wanted.queue }, wanted.sampler))
}

fn count(result: &'static str, spans: usize) {
    metrics::counter!(TRACE_SPANS, "result" => result).increment(spans as u64);
}

/// Lets no more spans wait than it may, and counts those that it drops. The queue behind it would drop them in silence.
#[derive(Debug)]
pub(super) struct Bounded {
    batches: BatchSpanProcessor,
    /// Spans that ended and were neither exported nor given up.
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return count("dropped", 1);
        }
        self.batches.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what becomes of spans, and tells of failures now and then.
#[derive(Debug)]
struct Reporting {
    exporter: opentelemetry_otlp::SpanExporter,
    waiting: Arc<AtomicUsize>,
    told: Mutex<Option<Instant>>,
}

impl Reporting {
    fn is_time_to_tell(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|told| told.elapsed() < SILENCE) {
            return false;
        }
        *told = Some(Instant::now());
        true
    }
}

impl SpanExporter for Reporting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        match &exported {
            Ok(()) => count("exported", spans),
            Err(error) => {
                count("failed", spans);
                if self.is_time_to_tell() {
                    // A status, or that there was no answer: neither the endpoint nor a header.
                    tracing::warn!(%error, "traces are not exported");
                }
            }
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Sends requests on the program's runtime: the exporter's own thread has none.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        for value in request.headers_mut().values_mut() {
            value.set_sensitive(true);
        }
        let sent = self.runtime.spawn(send(self.http.clone(), reqwest::Request::try_from(request)?));
        Ok(sent.await??)
    }
}

async fn send(http: reqwest::Client, request: reqwest::Request) -> Result<Response<Bytes>, HttpError> {
    let mut answer = http.execute(request).await.map_err(reqwest::Error::without_url)?;
    let mut body = BytesMut::new();
    while let Some(piece) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + piece.len() > ANSWER_LIMIT {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&piece);
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}
