//! Spans as the rest of the program makes them: those of the contract's table, with its attributes.

use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;
use std::panic::Location;
use std::sync::OnceLock;

use futures::future::Either;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;
use walwarden_contract::ErrorCode;
use walwarden_contract::telemetry::spans;
use walwarden_contract::telemetry::spans::Span;

/// What makes spans; unset, nothing does.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// From now on spans are made.
pub(super) fn begin(tracer: SdkTracer) {
    // A process serves once, so that nothing is ever there already.
    let _ = TRACER.set(tracer);
}

/// An error with a code of the catalog.
pub(crate) trait Coded {
    /// The code.
    fn code(&self) -> ErrorCode;
}

/// A span under way, which ends as this is dropped; or nothing, where nothing is traced.
#[derive(Debug)]
pub(crate) struct Traced(Option<Context>);

impl Traced {
    fn start(name: impl Into<Cow<'static, str>>, kind: SpanKind, parent: &Context) -> Self {
        Self(TRACER.get().map(|tracer| {
            let span = tracer.span_builder(name).with_kind(kind).start_with_context(tracer, parent);
            parent.with_span(span)
        }))
    }

    /// Nothing is traced.
    pub(crate) const fn nothing() -> Self {
        Self(None)
    }

    /// Begins a trace.
    pub(crate) fn root(span: &Span) -> Self {
        Self::start(span.name, SpanKind::Internal, &Context::new())
    }

    /// Begins a span within the one that is under way here, if one is.
    pub(crate) fn child(span: &Span) -> Self {
        match Self::current() {
            Self(Some(parent)) => Self::start(span.name, SpanKind::Internal, &parent),
            nothing @ Self(None) => nothing,
        }
    }

    /// Goes on with the trace that a request brings, or begins one. Nothing is computed where nothing is traced.
    pub(crate) fn request(headers: &http::HeaderMap, name: impl FnOnce() -> String) -> Self {
        if TRACER.get().is_none() {
            return Self(None);
        }
        // More than one says nothing, and so does what is no valid one.
        let mut parent = Context::new();
        if headers.get_all("traceparent").iter().count() == 1 {
            parent = TraceContextPropagator::new().extract_with_context(&parent, &HeaderExtractor(headers));
        }
        Self::start(name(), SpanKind::Server, &parent)
    }

    /// The span that is under way here, if its trace is exported.
    pub(crate) fn current() -> Self {
        let sampled = |context: &Context| context.span().span_context().is_sampled();
        Self(TRACER.get().and_then(|_| Some(Context::current()).filter(sampled)))
    }

    /// Sets an attribute.
    pub(crate) fn set(&self, key: &'static str, value: impl Into<Value>) {
        if let Self(Some(context)) = self {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// Sets an attribute to a length or a count.
    pub(crate) fn count(&self, key: &'static str, value: u64) {
        self.set(key, i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// Sets an attribute to what is printed of something.
    pub(crate) fn show(&self, key: &'static str, value: &(impl Display + ?Sized)) {
        if self.0.is_some() {
            self.set(key, value.to_string());
        }
    }

    /// Says that what was traced failed.
    pub(crate) fn fail(&self, code: ErrorCode) {
        self.set(spans::ERROR_TYPE, code.as_str());
        if let Self(Some(context)) = self {
            context.span().set_status(Status::error(code.as_str()));
        }
    }

    /// Does some work within the span.
    pub(crate) fn around<Work: Future>(&self, work: Work) -> impl Future<Output = Work::Output> + use<Work> {
        match &self.0 {
            Some(context) => Either::Left(work.with_context(context.clone())),
            None => Either::Right(work),
        }
    }

    /// Does some work within the span, and says so if it failed.
    pub(crate) fn step<T, E: Coded>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        // Handed from function to function, a future is copied into each that holds it.
        let work = self.around(Box::pin(work));
        async move {
            let outcome = work.await;
            if let Err(error) = &outcome {
                self.fail(error.code());
            }
            outcome
        }
    }
}

/// Does one step of what is traced here in a span of its own.
pub(crate) fn step<T, E: Coded>(
    span: &Span,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    let work = Box::pin(work);
    async move { Traced::child(span).step(work).await }
}

/// A transaction of the store, called after the module that makes it.
pub(crate) fn transaction(caller: &Location<'static>) -> Traced {
    let traced = Traced::child(&spans::STORE_TRANSACTION);
    traced.set(spans::TRANSACTION, module(caller.file()));
    traced.count(spans::LINE, caller.line().into());
    traced
}

/// `jobs/backups` of `walwarden-api/src/jobs/backups.rs`.
fn module(file: &'static str) -> &'static str {
    let file = file.rsplit_once("src/").map_or(file, |(_, file)| file);
    file.strip_suffix(".rs").unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_called_after_its_module_wherever_it_was_built() {
        assert_eq!(module("walwarden-api/src/jobs/backups.rs"), "jobs/backups");
        assert_eq!(module("/home/me/walwarden-api/src/store/audit.rs"), "store/audit");
    }

    #[tokio::test]
    async fn where_nothing_is_traced_there_is_no_span() {
        assert!(Traced::root(&spans::BACKUP).0.is_none() && Traced::child(&spans::DUMP).0.is_none());
        let unneeded = || -> String { panic!("nobody asks for the name") };
        let traced = Traced::request(&http::HeaderMap::new(), unneeded);
        assert!(traced.around(async { Traced::current().0.is_none() }).await);
    }
}
