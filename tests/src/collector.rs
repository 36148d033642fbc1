//! A stand-in for a collector of OpenTelemetry traces: it keeps every span that it is sent, or fails on demand.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::runtime::{block_on, lock, spawn};

pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
pub use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

/// What it does with exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It takes them.
    Takes,
    /// It answers 503.
    Refuses,
    /// It never answers.
    Hangs,
}

/// A span as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The span.
    pub span: Span,
    /// What the service that sent it calls itself.
    pub service: String,
}

impl Received {
    /// An attribute, as text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<String> {
        text(&self.span.attributes, name)
    }

    /// The names of its attributes.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.span.attributes.iter().map(|attribute| attribute.key.as_str())
    }
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    Some(match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(yes) => yes.to_string(),
        other => format!("{other:?}"),
    })
}

#[derive(Debug)]
struct Shared {
    mood: Mood,
    spans: Mutex<Vec<Received>>,
    /// The request lines and headers of every request, whatever became of it.
    heads: Mutex<Vec<String>>,
    kept: Mutex<File>,
}

/// A running stand-in. Dropped, it closes its port and every connection.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

impl Collector {
    /// Starts it on a free port of 127.0.0.1. The bodies that it gets are kept in `logs`, where a trial's secrets are searched for.
    pub fn start(mood: Mood, logs: &Path) -> Result<Self> {
        let listener = block_on(TcpListener::bind(("127.0.0.1", 0))).context("cannot listen for the collector")?;
        let address = listener.local_addr()?;
        let kept = File::create(logs.join(format!("traces-{}.otlp", address.port())))?;
        let (spans, heads) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { mood, spans, heads, kept: Mutex::new(kept) });
        let listener = spawn({
            let shared = Arc::clone(&shared);
            async move {
                // Owned by this task, so that aborting it aborts the connections as well.
                let mut connections = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move { serve(client, &shared).await });
                    while connections.try_join_next().is_some() {}
                }
            }
        });
        Ok(Self { address, shared, listener })
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is set to.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span up to now.
    #[must_use]
    pub fn spans(&self) -> Vec<Received> {
        lock(&self.shared.spans).clone()
    }

    /// Request line and headers of every request up to now.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        lock(&self.shared.heads).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn serve(client: TcpStream, shared: &Shared) -> Result<()> {
    let mut client = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let before = head.len();
        if client.read_line(&mut head).await? == 0 {
            bail!("the connection ended within a request");
        }
        let line = head[before..].trim().to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).await?;
    let known = head.starts_with("POST /v1/traces ");
    lock(&shared.heads).push(head);
    lock(&shared.kept).write_all(&body)?;
    let status = match shared.mood {
        Mood::Hangs => return std::future::pending().await,
        Mood::Refuses => "503 Service Unavailable",
        Mood::Takes if known && take(&body, shared) => "200 OK",
        Mood::Takes => "400 Bad Request",
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    Ok(client.flush().await?)
}

fn take(body: &[u8], shared: &Shared) -> bool {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return false };
    let mut spans = lock(&shared.spans);
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = text(&attributes, "service.name").unwrap_or_default();
        let of_scopes = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(of_scopes.map(|span| Received { span, service: service.clone() }));
    }
    true
}
