//! TLS, by rustls: whom we trust, who we are, and the handshake.
//!
//! The broker's certificate is verified in any case: a connection that anybody may answer protects no password.
//! Who we are to the broker is said by user and password all the same.
//! A client's certificate may be asked for beside them, but does not stand for them.

mod explain;
mod stream;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

pub(super) use self::explain::explain;
use self::explain::explain_io;
use self::stream::TlsStream;
use super::Address;
use crate::error::{Error, ErrorKind};

/// What the parameters of an `amqps` URI say, by the names that RabbitMQ's specification of URIs has for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// The authorities that the broker's certificate may come from; without it, those of the system.
    cacertfile: Option<PathBuf>,
    /// Our certificate, and those between it and its authority.
    certfile: Option<PathBuf>,
    keyfile: Option<PathBuf>,
    /// What the broker's certificate has to be for, if not the host of the URI.
    server_name: Option<String>,
}

impl Settings {
    /// Sets a parameter, or says why it cannot.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let file = || match value {
            "" => Err(format!("`{name}` names a file")),
            _ => Ok(Some(PathBuf::from(value))),
        };
        match name {
            "cacertfile" => self.cacertfile = file()?,
            "certfile" => self.certfile = file()?,
            "keyfile" => self.keyfile = file()?,
            "server_name_indication" => {
                server_name(value).map_err(|why| format!("`server_name_indication` is {why}"))?;
                self.server_name = Some(value.to_owned());
            }
            "verify" if value == "verify_peer" => {}
            "verify" if value == "verify_none" => {
                return Err("that the broker's certificate is verified cannot be turned off; `cacertfile` names \
                            an authority of your own, `server_name_indication` the name to expect"
                    .to_owned());
            }
            "verify" => return Err("`verify` is `verify_peer`, also where it is left out".to_owned()),
            _ => {
                return Err(format!(
                    "parameter `{name}` is unknown, for `amqps` there are `heartbeat`, `cacertfile`, `certfile`, \
                     `keyfile`, `server_name_indication` and `verify`"
                ));
            }
        }
        Ok(())
    }

    /// Says what is missing.
    pub(super) fn check_complete(&self) -> Result<(), String> {
        if self.certfile.is_some() == self.keyfile.is_some() {
            return Ok(());
        }
        Err("`certfile` and `keyfile` go together: a certificate, and the key to it; both may be in one file"
            .to_owned())
    }

    /// Says what would keep us from even trying.
    pub(super) fn check(&self, host: &str) -> Result<(), Error> {
        self.config()?;
        self.expected(host).map(drop)
    }

    /// Read anew for each connection, so that a certificate may be replaced while we run.
    fn config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring knows the ciphers of TLS 1.2 and 1.3")
            .with_root_certificates(self.roots()?);
        let (Some(certfile), Some(keyfile)) = (&self.certfile, &self.keyfile) else {
            return Ok(config.with_no_client_auth());
        };
        let key = PrivateKeyDer::from_pem_file(keyfile).map_err(|error| {
            let missing = "it holds no private key that can be read (one that is encrypted cannot)";
            unreadable("keyfile", keyfile, &error, missing)
        })?;
        let chain = certificates("certfile", certfile)?;
        config.with_client_auth_cert(chain, key).map_err(|error| {
            let files = format!("`{}` and `{}`", certfile.display(), keyfile.display());
            Error::new(ErrorKind::Configuration, format!("{files} do not make a certificate and its key: {error}"))
        })
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        match &self.cacertfile {
            Some(file) => {
                for certificate in certificates("cacertfile", file)? {
                    roots.add(certificate).map_err(|error| {
                        let message = format!("`cacertfile`, `{}`, cannot be used: {error}", file.display());
                        Error::new(ErrorKind::Configuration, message)
                    })?;
                }
            }
            // Some systems hold certificates that nobody can read; the others will do.
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        if roots.is_empty() {
            let message = "this system knows no authorities for TLS (on Debian the package `ca-certificates` \
                           brings them): name those of the broker by `cacertfile` in its URI";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(roots)
    }

    /// What the broker's certificate has to be for.
    fn expected(&self, host: &str) -> Result<ServerName<'static>, Error> {
        server_name(self.server_name.as_deref().unwrap_or(host)).map_err(|why| {
            Error::new(ErrorKind::Configuration, format!("no certificate can be for the host `{host}`: it is {why}"))
        })
    }
}

fn server_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_owned()).map_err(|_| format!("no name of a host, nor an IP address: `{name}`"))
}

/// The certificates in a file, of which there is at least one.
fn certificates(parameter: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|all| if all.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(all) })
        .map_err(|error| unreadable(parameter, file, &error, "it holds no certificate"))
}

fn unreadable(parameter: &str, file: &Path, error: &pem::Error, missing: &str) -> Error {
    let why: &dyn std::fmt::Display = match error {
        pem::Error::NoItemsFound => &missing,
        pem::Error::Io(error) => error,
        error => error,
    };
    let message = format!("`{parameter}`, `{}`, cannot be read as PEM: {why}", file.display());
    Error::new(ErrorKind::Configuration, message)
}

/// Greets the broker with TLS, and waits for its answer for as long as the socket lives.
pub(super) fn shake_hands(mut socket: TcpStream, address: &Address) -> Result<TlsStream<mio::net::TcpStream>, Error> {
    let (config, name) = (address.tls.config()?, address.tls.expected(&address.host)?);
    let mut session = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| Error::new(ErrorKind::System, format!("no TLS to {address}: {error}")))?;
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(|error| explain_io(&error, address))?;
    }
    let socket = mio::net::TcpStream::from_stream(socket).map_err(|error| {
        Error::new(ErrorKind::System, format!("the socket to {address} cannot be polled: {error}")).with_source(error)
    })?;
    Ok(TlsStream::new(session, socket))
}

#[cfg(test)]
mod tests;
