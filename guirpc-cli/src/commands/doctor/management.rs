//! The broker's management API: what it tells of nodes, limits, queues and its clock.
//!
//! Each answer is bounded in time and in size, and a password is shown nowhere.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guirpc::__private_0_1::Exit;
use guirpc::inspect::Inspection;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::StatusCode;

use super::finding::Finding;
use crate::failure::Failure;

pub(super) mod limits;
pub(super) mod nodes;
pub(super) mod queues;

const CHECK: &str = "management.reachable";
const TIMEOUT: Duration = Duration::from_secs(10);
/// The description of a queue has a few kilobytes, that of a node some more.
const MOST_BYTES: u64 = 8 << 20;

/// What is not looked at without it.
pub(super) fn unnamed() -> Finding {
    Finding::skipped(
        CHECK,
        "no management API is named: with `--management http://HOST:15672` nodes, clocks, limits, unacknowledged requests \
         and policies are looked at as well",
    )
}

/// Where it is, and as whom to ask, if not as the user of the broker's URI.
pub(super) struct Url {
    base: String,
    authorization: Option<String>,
}

impl Url {
    /// Reads `http://user:password@host:15672`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let invalid =
            |why: &str| Failure::usage(format!("`--management` cannot be read: {why}; write `http://HOST:15672`"));
        let mut url = url::Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
        match url.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => {
                return Err(invalid("`https` needs the cargo feature `tls`, which this command is built without"));
            }
            _ => return Err(invalid("it begins with `http://` or `https://`")),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has no `?` and no `#`; in a password they are `%3f` and `%23`"));
        }
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let authorization = (!url.username().is_empty()).then(|| {
            let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        });
        // It fails for URLs that have no host only.
        let _ = (url.set_username(""), url.set_password(None));
        Ok(Url { base: url.as_str().trim_end_matches('/').to_owned(), authorization })
    }
}

/// The API, which has answered once.
pub(super) struct Management {
    base: String,
    authorization: String,
    agent: Agent,
    /// How far its clock is ahead of ours, in seconds; it tells whole ones.
    ahead: Option<i64>,
}

/// An answer that is none.
enum Refusal {
    Unreachable(String),
    Denied(StatusCode),
    Missing,
    Unreadable(String),
}

impl Management {
    /// Asks who we are there.
    pub(super) fn open(url: Url, inspection: &Inspection) -> Result<Self, Box<Finding>> {
        let authorization = url.authorization.unwrap_or_else(|| inspection.http_authorization());
        let mut management = Management { base: url.base, authorization, agent: agent(), ahead: None };
        let now = SystemTime::now();
        match management.request("/api/whoami") {
            Ok((_, date)) => {
                management.ahead = date.map(|date| seconds_between(now, date));
                Ok(management)
            }
            Err(refusal) => Err(Box::new(management.refused(CHECK, refusal))),
        }
    }

    /// That it answers.
    pub(super) fn finding(&self) -> Finding {
        Finding::ok(CHECK, format!("{} answers", self.base))
    }

    /// What is there; `None` if there is no such thing.
    fn get<T: DeserializeOwned>(&self, check: &'static str, path: &str) -> Result<Option<T>, Box<Finding>> {
        let read = |(body, _): (Vec<u8>, _)| {
            serde_json::from_slice(&body).map_err(|error| Refusal::Unreadable(error.to_string()))
        };
        match self.request(path).and_then(read) {
            Ok(value) => Ok(Some(value)),
            Err(Refusal::Missing) => Ok(None),
            Err(refusal) => Err(Box::new(self.refused(check, refusal))),
        }
    }

    fn request(&self, path: &str) -> Result<(Vec<u8>, Option<SystemTime>), Refusal> {
        let url = format!("{}{path}", self.base);
        let request =
            self.agent.get(url).header("Authorization", &self.authorization).header("Accept", "application/json");
        let mut response = request.call().map_err(|error| Refusal::Unreachable(error.to_string()))?;
        match response.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => return Err(Refusal::Denied(status)),
            StatusCode::NOT_FOUND => return Err(Refusal::Missing),
            status => return Err(Refusal::Unreadable(format!("status {status}"))),
        }
        let date = response.headers().get("date").and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let body = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec();
        Ok((body.map_err(|error| Refusal::Unreadable(error.to_string()))?, date))
    }

    fn refused(&self, check: &'static str, refusal: Refusal) -> Finding {
        let base = &self.base;
        match refusal {
            Refusal::Unreachable(why) => Finding::error(
                check,
                Exit::Broker,
                format!("{base} cannot be reached: {why}"),
            )
            .means("what only the management API tells was not looked at")
            .advise("`rabbitmq-plugins enable rabbitmq_management` on the broker's machine; its port is 15672 usually"),
            Refusal::Denied(status) => {
                Finding::error(check, Exit::Broker, format!("{base} does not tell this user ({status})"))
                    .means("what only the management API tells was not looked at")
                    .advise("`rabbitmqctl set_user_tags USER monitoring`, or another user in the URL")
            }
            Refusal::Missing => Finding::error(
                check,
                Exit::Broker,
                format!("{base} is no management API of RabbitMQ: it has no `/api/whoami`"),
            )
            .advise("is the port that of the management API? It is 15672 usually"),
            Refusal::Unreadable(why) => Finding::warning(check, format!("{base} gives what cannot be read: {why}"))
                .means("what only the management API tells was not looked at")
                .advise("is it RabbitMQ's management API, in a version from 3.10 on?"),
        }
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        // Credentials go where they were meant for, and nowhere else.
        .max_redirects(0)
        .proxy(None);
    #[cfg(feature = "tls")]
    let config = config.tls_config(tls());
    config.build().into()
}

/// Trusts the authorities of the system, or those in the file that `SSL_CERT_FILE` names.
#[cfg(feature = "tls")]
fn tls() -> ureq::tls::TlsConfig {
    use std::sync::Arc;

    use ureq::tls::{Certificate, RootCerts, TlsConfig};

    let roots = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build()
}

/// A name as a part of a path.
fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

fn seconds_between(earlier: SystemTime, later: SystemTime) -> i64 {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match later.duration_since(earlier) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_the_url() {
        let Ok(url) = Url::parse("http://ada:s%2fcret@h:15672/prefix/") else { panic!("it is a URL") };
        assert_eq!(url.base, "http://h:15672/prefix");
        assert_eq!(url.authorization, Some(format!("Basic {}", STANDARD.encode("ada:s/cret"))));
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_password() {
        for text in ["h:15672", "ftp://a:secret@h", "http://a:secret#@h", "http://a:secret@h:99999", "http://"] {
            let Err(failure) = Url::parse(text) else { panic!("{text} is read") };
            let said = format!("{failure:?}");
            assert!(said.contains("http://HOST:15672") && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn clocks_are_compared_in_both_directions() {
        let (a, b) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        assert_eq!((seconds_between(a, b), seconds_between(b, a)), (5, -5));
    }
}
