//! The endpoints over HTTP: a thread of their own, a bounded number of connections, each bounded in time.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::{Check, Metrics};
use crate::config::listening_address;
use crate::error::{Error, ErrorKind};
use crate::log::{Field, info, warn};

/// Others wait until one of these is over.
const MOST_CONNECTIONS: usize = 64;
/// For the head of a request to arrive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// For one request and its answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Before it is tried again to accept, when the system cannot.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Serves metrics and health over HTTP until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    /// Dropped with this, which ends the thread.
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    pub(super) fn start(metrics: Metrics, address: &str) -> Result<Self, Error> {
        let failed = |error: io::Error| {
            let message = format!("cannot serve metrics at `{address}`: {error}");
            Error::new(ErrorKind::Configuration, message).with_source(error)
        };
        let Some(full) = listening_address(address) else {
            let message = format!("`{address}` is no address for metrics: it is `HOST:PORT`, or a port alone");
            return Err(Error::new(ErrorKind::Configuration, message));
        };
        let listener = TcpListener::bind(full).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::async_channel();
        let thread = thread::Builder::new()
            .name("guirpc-metrics".to_owned())
            .spawn(move || run(&runtime, listener, metrics, stopped))
            .map_err(|error| Error::no_thread("to serve metrics", error))?;
        info!("metrics at http://{address}/metrics, health at /livez and /readyz");
        Ok(MetricsServer { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

fn run(runtime: &Runtime, listener: TcpListener, metrics: Metrics, stopped: oneshot::AsyncReceiver<Infallible>) {
    runtime.block_on(async {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => drop(tokio::spawn(accept(listener, metrics))),
            Err(error) => warn!("metrics cannot be served: {error}"),
        }
        // It is never sent anything, only dropped.
        let _ = stopped.await;
    });
}

async fn accept(listener: tokio::net::TcpListener, metrics: Metrics) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = timeout(CONNECTION_TIMEOUT, serve(stream, metrics.clone()));
                tokio::spawn(async move {
                    let _ = connection.await;
                    drop(place);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, metrics: Metrics) {
    let answer = |request: Request<Incoming>| {
        let response = answer(&metrics, request.method(), request.uri().path(), request.uri().query());
        async move { Ok::<_, Infallible>(response) }
    };
    // What goes wrong concerns this connection only.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
}

fn answer(metrics: &Metrics, method: &Method, path: &str, query: Option<&str>) -> Response<Full<Bytes>> {
    let is_verbose = query.is_some_and(|query| query.split('&').any(|part| matches!(part, "verbose" | "verbose=true")));
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".to_owned());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/metrics" => respond(StatusCode::OK, OPEN_METRICS, metrics.encode()),
        "/livez" => {
            let lines = if is_verbose { "[+] process: running\nlive\n" } else { "live\n" };
            respond(StatusCode::OK, TEXT, lines.to_owned())
        }
        "/readyz" => ready(&metrics.readiness(), is_verbose),
        _ => respond(StatusCode::NOT_FOUND, TEXT, "there is /metrics, /livez and /readyz\n".to_owned()),
    }
}

fn ready(checks: &[Check], is_verbose: bool) -> Response<Full<Bytes>> {
    let is_ready = checks.iter().all(|(_, check)| check.is_ok());
    let shown = checks.iter().filter(|(_, check)| is_verbose || check.is_err());
    let mut lines: String = shown
        .map(|(name, check)| match check {
            Ok(()) => format!("[+] {name}: ready\n"),
            // On one line, whatever the broker says.
            Err(why) => format!("[-] {name}: {}\n", why.logged()),
        })
        .collect();
    lines.push_str(if is_ready { "ready\n" } else { "not ready\n" });
    respond(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, TEXT, lines)
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::Instant;

    use super::*;

    fn ask(address: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(2 * CONNECTION_TIMEOUT)).unwrap();
        stream.write_all(format!("{head} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[track_caller]
    fn check(address: SocketAddr, head: &str, status: &str, has: &str) {
        let answer = ask(address, head);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(has), "{head}: {answer}");
    }

    #[test]
    fn each_path_has_its_answer() {
        let server = Metrics::new().serve("0").unwrap();
        let address = server.address();
        assert!(address.ip().is_loopback());
        check(address, "GET /metrics", "200", "# EOF");
        check(address, "GET /metrics", "200", OPEN_METRICS);
        check(address, "HEAD /livez", "200", "content-length: 5");
        check(address, "GET /livez?verbose", "200", "[+] process: running");
        check(address, "GET /readyz", "503", "[-] client: there is none at the moment\nnot ready");
        check(address, "GET /", "404", "/readyz");
        check(address, "POST /metrics", "405", "allow: GET, HEAD");
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn strangers_who_are_slow_or_many_hold_nobody_up_for_long() {
        let server = Metrics::new().serve("0").unwrap();
        let slow = |_| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(b"GET /livez HTTP/1.1\r\n").unwrap();
            stream
        };
        let _slow: Vec<TcpStream> = (0..2 * MOST_CONNECTIONS).map(slow).collect();
        let begun = Instant::now();
        assert!(ask(server.address(), "GET /livez").ends_with("live\n"));
        assert!(begun.elapsed() < 2 * CONNECTION_TIMEOUT + HEADER_TIMEOUT, "{:?}", begun.elapsed());
    }

    #[test]
    fn an_address_that_is_none_is_told_so() {
        for address in ["", "localhost", ":9100", "70000", "a:b"] {
            let error = Metrics::new().serve(address).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains("`HOST:PORT`"), "{error}");
        }
        let taken = Metrics::new().serve("0").unwrap();
        let error = Metrics::new().serve(taken.address().to_string()).unwrap_err();
        assert!(error.to_string().starts_with("cannot serve metrics at `127.0.0.1:"), "{error}");
    }
}
