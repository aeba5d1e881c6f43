//! What goes wrong with TLS, in words that say what to do.

use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::broker::Address;
use crate::error::{Error, ErrorKind};

/// What an error means that amiquip met while connecting, if it is one of TLS.
pub(in crate::broker) fn explain(error: &amiquip::Error, address: &Address) -> Option<Error> {
    match error {
        amiquip::Error::IoErrorReadingSocket { source } | amiquip::Error::IoErrorWritingSocket { source } => {
            cause(source).map(|cause| explain_cause(cause, address))
        }
        _ => None,
    }
}

/// What an error means that came during the handshake.
pub(super) fn explain_io(error: &io::Error, address: &Address) -> Error {
    match cause(error) {
        Some(cause) => explain_cause(cause, address),
        None => unreachable(&format!(
            "{address} hangs up during the handshake of TLS ({error}): is this port for `amqp://`, without TLS?"
        )),
    }
}

fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn unreachable(message: &str) -> Error {
    Error::new(ErrorKind::Unreachable, message)
}

fn explain_cause(cause: &rustls::Error, address: &Address) -> Error {
    match cause {
        rustls::Error::InvalidCertificate(why) => {
            unreachable(&format!("{address} is not trusted: {}", distrust(why, address)))
        }
        rustls::Error::AlertReceived(alert) => refusal(*alert, address),
        rustls::Error::InvalidMessage(_) => {
            unreachable(&format!("{address} does not speak TLS: is this port for `amqp://`, without TLS?"))
        }
        cause => unreachable(&format!("TLS with {address} fails: {cause}")),
    }
}

/// Why we do not accept the broker's certificate.
fn distrust(why: &CertificateError, address: &Address) -> String {
    let host = &address.host;
    let another_name = "`server_name_indication` in the URI names what its certificate is for";
    match why {
        // The latter where an authority was made anew under its old name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate comes from an authority that is not known here: \
                                            `cacertfile` in the URI names a file with the right one"
                .to_owned()
        }
        CertificateError::NotValidForName => format!("its certificate is not for `{host}`; {another_name}"),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let names = if names.is_empty() { "no host".to_owned() } else { names.join(", ") };
            format!("its certificate is for {names}, not for `{}`; {another_name}", expected.to_str())
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or the clock here is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or the clock here is wrong".to_owned()
        }
        why => format!("its certificate cannot be verified: {why}"),
    }
}

/// What stands in `DnsName("rabbit.example")`.
fn bare(name: &str) -> &str {
    name.split_once('(').map_or(name, |(_, name)| name.trim_end_matches(')').trim_matches('"'))
}

/// Why the broker does not accept us.
fn refusal(alert: AlertDescription, address: &Address) -> Error {
    match alert {
        AlertDescription::CertificateRequired => Error::new(
            ErrorKind::Denied,
            format!("{address} wants a certificate of its clients: `certfile` and `keyfile` in the URI name ours"),
        ),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            Error::new(ErrorKind::Denied, format!("{address} does not accept our certificate: {alert:?}"))
        }
        // As which TLS 1.2 says that a certificate is missing.
        AlertDescription::HandshakeFailure => Error::new(
            ErrorKind::Denied,
            format!(
                "{address} breaks off the handshake of TLS: it has no cipher in common with us, \
                 or it wants a certificate, which `certfile` and `keyfile` in the URI name"
            ),
        ),
        alert => unreachable(&format!("{address} breaks off TLS: {alert:?}")),
    }
}
