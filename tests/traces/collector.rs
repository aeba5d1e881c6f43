//! A collector of traces: it takes OTLP by HTTP, as every collector does, and reads it by the official definitions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A span that was exported, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) service: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    /// `kind name`, with the word of its kind in small letters.
    pub(crate) title: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) is_error: bool,
}

type Spans = Arc<Mutex<Vec<Seen>>>;

/// It listens until it is dropped.
pub(crate) struct Collector {
    spans: Spans,
    port: u16,
    _runtime: Runtime,
}

impl Collector {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let spans = Spans::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        let router = axum::Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&spans));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { spans, port, _runtime: runtime })
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The spans of a trace, as a tree with two spaces for each level; siblings in the order of their titles.
    pub(crate) fn tree(&self, trace: &str, parent: &str) -> String {
        let spans = self.trace(trace);
        let mut tree = String::new();
        write(&spans, parent, 0, &mut tree);
        tree
    }

    /// The spans of a trace.
    pub(crate) fn trace(&self, trace: &str) -> Vec<Seen> {
        self.spans.lock().expect("nobody panics with it").iter().filter(|span| span.trace == trace).cloned().collect()
    }

    /// The only span of a trace with this title.
    pub(crate) fn only(&self, trace: &str, title: &str) -> anyhow::Result<Seen> {
        let spans: Vec<Seen> = self.trace(trace).into_iter().filter(|span| span.title == title).collect();
        anyhow::ensure!(spans.len() == 1, "{} spans are `{title}`", spans.len());
        spans.into_iter().next().context("there is one")
    }
}

fn write(spans: &[Seen], parent: &str, level: usize, tree: &mut String) {
    let mut children: Vec<&Seen> = spans.iter().filter(|span| span.parent == parent).collect();
    children.sort_by_key(|span| &span.title);
    for child in children {
        tree.extend(["  ".repeat(level).as_str(), &child.title, "\n"]);
        write(spans, &child.id, level + 1, tree);
    }
}

async fn take(State(spans): State<Spans>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut spans = spans.lock().expect("nobody panics with it");
    for resource in request.resource_spans {
        let attributes = attributes(resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        let service = attributes.get("service.name").cloned().unwrap_or_default();
        let all = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(all.map(|span| seen(&service, span)));
    }
    Ok(ExportTraceServiceResponse::default().encode_to_vec())
}

fn seen(service: &str, span: Span) -> Seen {
    let hex = |bytes: &[u8]| bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect();
    let kind = span.kind().as_str_name().trim_start_matches("SPAN_KIND_").to_lowercase();
    Seen {
        service: service.to_owned(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        title: format!("{kind} {}", span.name),
        attributes: attributes(span.attributes),
        is_error: span.status.is_some_and(|status| status.code == 2),
    }
}

fn digit(digit: u8) -> Option<char> {
    char::from_digit(digit.into(), 16)
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Value::StringValue(text) => text,
        Value::BoolValue(value) => value.to_string(),
        Value::IntValue(integer) => integer.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        value => format!("{value:?}"),
    };
    let value = |pair: KeyValue| Some((pair.key, text(pair.value?.value?)));
    pairs.into_iter().filter_map(value).collect()
}
