//! A client with a subscriber of its own, as a program that is no service has it.

use std::future::Future;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

/// What the client's own exporter was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exported(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Exported {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        self.0.lock().expect("nobody panics with it").extend(batch);
        std::future::ready(Ok(()))
    }
}

impl Exported {
    /// Does something with an exporter; gives what came of it.
    pub(crate) fn by<T>(calls: impl FnOnce() -> T) -> (Self, T) {
        let exported = Self::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exported.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("client"));
        let dispatch: Dispatch = tracing_subscriber::registry().with(layer).into();
        let outcome = tracing::dispatcher::with_default(&dispatch, calls);
        (exported, outcome)
    }

    /// The trace and the id of the only span, which is that of a call or a send.
    pub(crate) fn only(&self, name: &str, kind: &SpanKind) -> anyhow::Result<(String, String)> {
        let spans = self.0.lock().expect("nobody panics with it");
        let span = spans.first().context("nothing was exported")?;
        anyhow::ensure!(spans.len() == 1 && span.name == name && span.span_kind == *kind, "{spans:?}");
        Ok((span.span_context.trace_id().to_string(), span.span_context.span_id().to_string()))
    }
}
