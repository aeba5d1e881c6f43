//! Spans that a layer of OpenTelemetry's has taken up, whoever has installed it: their contexts in W3C's words, and back.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::TraceContext;

impl TraceContext {
    /// What calls hand on that are made in a span: that itself, if a layer has taken it up.
    pub(super) fn in_span(self, span: &Span) -> Self {
        if span.is_disabled() {
            return self;
        }
        let context = span.context();
        let context = context.span().span_context().clone();
        if !context.is_valid() {
            return self;
        }
        let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags().to_u8());
        let state = context.trace_state().header();
        self.with_parent(
            format!("00-{trace:032x}-{span:016x}-{flags:02x}"),
            Some(state).filter(|state| !state.is_empty()),
        )
    }

    fn remote(&self) -> Option<Context> {
        let (trace, span) = self.ids()?;
        let flags = u8::from_str_radix(self.flags()?, 16).ok()?;
        let state = self.state().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        let context = SpanContext::new(trace, span, TraceFlags::new(flags) & TraceFlags::SAMPLED, true, state);
        Some(Context::new().with_remote_span_context(context))
    }
}

/// Has a span, which has just begun, belong to the trace of a request.
pub(super) fn set_parent(span: &Span, request: &TraceContext) {
    if let Some(parent) = request.remote() {
        // It has not begun for the layer before this.
        let _ = span.set_parent(parent);
    }
}

/// Whether what is made now belongs to a span that a layer has taken up.
pub(super) fn has_current() -> bool {
    Span::current().context().span().span_context().is_valid()
}
