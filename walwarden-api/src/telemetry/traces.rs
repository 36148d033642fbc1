//! Traces: spans exported by OTLP over HTTP where the standard variables name a collector. Without one there is no tracer, no
//! thread and no connection, and every function here returns at once.

mod export;
mod settings;
mod traced;

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use self::settings::Wanted;
pub(crate) use self::traced::{Coded, Traced, step, transaction};
use crate::config::Environment;

/// What this program is called, where nobody says otherwise.
const SERVICE: &str = "walwarden-api";
/// How long the last spans may take to be exported.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Why traces cannot be exported as asked. Variables are named and not shown: some hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}; correct it, or unset it. Nothing was started")]
pub struct TracesError {
    variable: &'static str,
    problem: String,
}

/// What exports traces, if anything does.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Begins to trace, if the standard variables ask for it. Needs a Tokio runtime, on which the exporter sends.
    ///
    /// # Errors
    /// [`TracesError`] when they ask for what there is not.
    pub fn from_environment(env: &Environment<'_>) -> Result<Self, TracesError> {
        let Some(wanted) = settings::read(env)? else { return Ok(Self(None)) };
        let resource = resource(&wanted);
        let (variable, processor) = (wanted.variable, export::processor(wanted));
        let processor = processor.map_err(|problem| TracesError { variable, problem })?;
        let (processor, sampler) = processor;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        traced::begin(provider.tracer(SERVICE));
        Ok(Self(Some(provider)))
    }

    /// Exports what is left, for no longer than a process may take to end.
    pub async fn flush(self, grace: Duration) {
        let Some(provider) = self.0 else { return };
        let limit = grace.clamp(Duration::from_secs(1), FLUSH_LIMIT);
        // It waits for the exporter's thread, which sends on this runtime.
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(limit)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last traces were not exported in time");
        }
    }
}

/// Says who traces. What `OTEL_RESOURCE_ATTRIBUTES` says is taken as it is.
fn resource(wanted: &Wanted) -> Resource {
    let builder =
        Resource::builder().with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    match &wanted.service_name {
        Some(name) => builder.with_service_name(name.clone()).build(),
        None => builder.build(),
    }
}
