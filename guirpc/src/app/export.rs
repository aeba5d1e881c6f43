//! Exports traces by OTLP, when the variables of OpenTelemetry's say so.
//!
//! Its SDK reads them, but for those that decide whether anything is exported.

use std::env;
use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use ureq::Agent;
use uuid::Uuid;

use super::log::{BoxedLayer, CLIENT_LIBRARY};
use super::{Failure, Program};
use crate::exit::Exit;
use crate::log::{Reminder, warn};

/// For what is not sent yet when the program ends: a collector that does not answer holds it up no longer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// The SDK's default, in milliseconds.
const TIMEOUT: u64 = 10_000;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const COMPRESSIONS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];

/// Sends what is left when it is dropped.
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// The exporter that the environment asks for, if it does.
    pub(super) fn of_the_environment(program: &Program) -> Result<Option<Self>, Failure> {
        if !is_wanted()? {
            return Ok(None);
        }
        let hint = "; grpc, which collectors take at port 4317, is not: name their port 4318";
        check("protocol", &PROTOCOLS, &["http/protobuf"], hint)?;
        check("compression", &COMPRESSIONS, &["gzip", "none"], "")?;
        let endpoint = first_of(&ENDPOINTS).unwrap_or_default();
        if endpoint.starts_with("https:") && cfg!(not(feature = "tls")) {
            let message =
                "OTEL_EXPORTER_OTLP_ENDPOINT begins with `https`, which needs the cargo feature `tls` of guirpc";
            return Err(Failure::new(Exit::Usage, message));
        }
        let exporter = SpanExporter::builder().with_http().with_http_client(Http::new()).build();
        let exporter = exporter
            .map_err(|error| Failure::new(Exit::Usage, format!("traces cannot be exported as OTEL_… says: {error}")))?;
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource(program));
        Ok(Some(Exporter(provider.build())))
    }

    /// What takes up spans: those of calls and runs, and the program's own.
    pub(super) fn layer(&self) -> BoxedLayer {
        let scope = InstrumentationScope::builder("guirpc").with_version(env!("CARGO_PKG_VERSION")).build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer_with_scope(scope))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_level(false)
            .with_target(false);
        // Lines of the log are none of a span's, since anything may be in them.
        let is_taken_up = filter_fn(|metadata| {
            metadata.is_span() && *metadata.level() <= Level::INFO && !metadata.target().starts_with(CLIENT_LIBRARY)
        });
        layer.with_filter(is_taken_up).boxed()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if self.0.shutdown_with_timeout(FLUSH_TIMEOUT).is_err() {
            warn!("the last traces could not be exported");
        }
    }
}

/// The first of these variables that says anything.
fn first_of(variables: &[&str]) -> Option<String> {
    variables.iter().filter_map(|variable| env::var(variable).ok()).find(|value| !value.is_empty())
}

fn is_wanted() -> Result<bool, Failure> {
    if env::var("OTEL_SDK_DISABLED").is_ok_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    let exporter = ["OTEL_TRACES_EXPORTER"];
    check("exporter", &exporter, &["otlp", "none"], "")?;
    Ok(match first_of(&exporter).as_deref() {
        None => first_of(&ENDPOINTS).is_some(),
        Some(exporter) => exporter == "otlp",
    })
}

/// Refuses what none of these variables may say.
fn check(what: &str, variables: &[&str], known: &[&str], hint: &str) -> Result<(), Failure> {
    let Some(given) = first_of(variables).filter(|given| !known.contains(&&**given)) else { return Ok(()) };
    let (variables, known) = (variables.join(" or "), known.join(" and "));
    let message = format!("{variables}: the {what} `{given}` is unknown; known: {known}{hint}");
    Err(Failure::new(Exit::Usage, message))
}

/// Who exports: what the environment says goes before what the program is.
fn resource(program: &Program) -> Resource {
    let own = [
        ("service.name", program.name.to_owned()),
        ("service.version", program.version.to_owned()),
        ("service.instance.id", Uuid::new_v4().to_string()),
    ];
    let builder = Resource::builder_empty()
        .with_attributes(own.map(|(name, value)| KeyValue::new(name, value)))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match first_of(&["OTEL_SERVICE_NAME"]) {
        Some(name) => builder.with_service_name(name).build(),
        None => builder.build(),
    }
}

/// A client that blocks, which the exporter's own thread may.
#[derive(Debug)]
struct Http {
    agent: Agent,
    reminder: Mutex<Reminder>,
}

impl Http {
    fn new() -> Self {
        let timeout = first_of(&TIMEOUTS).and_then(|timeout| timeout.parse().ok()).unwrap_or(TIMEOUT);
        let agent = Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(timeout)))
            .http_status_as_error(false)
            .user_agent(concat!("guirpc/", env!("CARGO_PKG_VERSION")));
        #[cfg(feature = "tls")]
        let agent = agent.tls_config(tls());
        Http { agent: agent.build().into(), reminder: Mutex::default() }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Box<dyn StdError + Send + Sync>> {
        let (parts, body) = self.agent.run(request.map(|body| body.to_vec()))?.into_parts();
        let body = body.into_with_config().limit(1 << 20).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }

    /// Says once a while that it fails.
    fn tell(&self, collector: &str, failure: &str) {
        let mut reminder = self.reminder.lock().unwrap_or_else(PoisonError::into_inner);
        let line = reminder.line(failure, Instant::now());
        drop(reminder);
        if let Some(line) = line {
            warn!("no traces can be exported to {collector}: {line}");
        }
    }
}

#[cfg(feature = "tls")]
fn tls() -> ureq::tls::TlsConfig {
    let trusted = rustls_native_certs::load_native_certs().certs;
    let trusted = trusted.iter().map(|trusted| ureq::tls::Certificate::from_der(trusted).to_owned());
    ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::new_with_certs(&trusted.collect::<Vec<_>>()))
        .build()
}

#[async_trait::async_trait]
impl HttpClient for Http {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // Without a user and a password, which may precede it.
        let collector = request.uri().host().unwrap_or_default().to_owned();
        let sent = self.send(request);
        match &sent {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => self.tell(&collector, &format!("it answers {}", response.status())),
            Err(error) => self.tell(&collector, &error.to_string()),
        }
        sent
    }
}
