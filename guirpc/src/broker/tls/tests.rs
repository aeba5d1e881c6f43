//! Handshakes with peers that are to be trusted, and with others.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// An authority of these tests, and the file that its certificate is in.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    roots: RootCertStore,
    file: PathBuf,
}

/// A certificate, with the key to it.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Gone with its owner.
impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("guirpc-authority-{}-{number}.pem", std::process::id()));
        fs::write(&file, certificate.pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        Authority { issuer: Issuer::new(params, key), roots, file }
    }

    pub(super) fn identity(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    /// As a parameter of a URI.
    pub(super) fn parameter(&self) -> String {
        format!("cacertfile={}", self.file.display())
    }
}

pub(super) fn server((chain, key): Identity, clients: Option<&Authority>) -> Arc<ServerConfig> {
    let provider = || Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let roots = Arc::new(authority.roots.clone());
            config.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(roots, provider()).build().unwrap(),
            )
        }
    };
    Arc::new(config.with_single_cert(chain, key).unwrap())
}

/// A peer that takes one connection, and the URI that leads to it but for its parameters.
fn peer(serve: impl FnOnce(TcpStream) -> std::io::Result<()> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.accept().and_then(|(socket, _)| serve(socket)));
    format!("amqps://ada:secret@localhost:{port}?")
}

/// One that says hello with TLS, and then waits for its client to go.
fn peer_with(config: Arc<ServerConfig>) -> String {
    peer(move |socket| {
        let session = ServerConnection::new(config).map_err(std::io::Error::other)?;
        StreamOwned::new(session, socket).read_to_end(&mut Vec::new()).map(drop)
    })
}

/// What becomes of an attempt to connect.
fn connect(uri: &str) -> Result<TlsStream<mio::net::TcpStream>, Error> {
    let address = Address::parse(uri).unwrap();
    address.tls.check(&address.host)?;
    let socket = TcpStream::connect((address.host.as_str(), address.port)).unwrap();
    shake_hands(socket, &address)
}

#[track_caller]
fn check_refused(uri: &str, kind: ErrorKind, why: &str) {
    let error = connect(uri).expect_err("it is refused");
    assert!(error.to_string().contains(why), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(error.kind(), kind);
}

pub(super) fn unchanged(_: &mut CertificateParams) {}

#[test]
fn whom_the_authority_vouches_for_is_trusted() {
    let authority = Authority::new();
    let uri = peer_with(server(authority.identity("localhost", unchanged), None)) + &authority.parameter();
    connect(&uri).unwrap();
}

#[test]
fn another_authority_is_not_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let config = || server(authority.identity("localhost", unchanged), None);
    let unknown = "an authority that is not known here";
    check_refused(&(peer_with(config()) + &other.parameter()), ErrorKind::Unreachable, unknown);
    // The system's own, if it has any, do not know these tests.
    let error = connect(&peer_with(config())).expect_err("it is refused").to_string();
    assert!(error.contains(unknown) || error.contains("this system knows no authorities"), "{error}");
}

#[test]
fn a_certificate_counts_for_its_own_name_only() {
    let authority = Authority::new();
    let config = || server(authority.identity("rabbit.example", unchanged), None);
    let why = "is for rabbit.example, not for `localhost`";
    check_refused(&(peer_with(config()) + &authority.parameter()), ErrorKind::Unreachable, why);
    let named = "&server_name_indication=rabbit.example";
    connect(&(peer_with(config()) + &authority.parameter() + named)).unwrap();
}

#[test]
fn a_certificate_counts_in_its_time_only() {
    let authority = Authority::new();
    let old = authority.identity("localhost", |params| params.not_after = date_time_ymd(2001, 1, 1));
    check_refused(&(peer_with(server(old, None)) + &authority.parameter()), ErrorKind::Unreachable, "has expired");
    let new = authority.identity("localhost", |params| params.not_before = date_time_ymd(2999, 1, 1));
    check_refused(&(peer_with(server(new, None)) + &authority.parameter()), ErrorKind::Unreachable, "not valid yet");
}

#[test]
fn a_port_without_tls_is_told() {
    let authority = Authority::new();
    // As RabbitMQ does with what is not AMQP.
    let greeting = peer(|mut socket| socket.write_all(b"AMQP\0\0\x09\x01"));
    check_refused(&(greeting + &authority.parameter()), ErrorKind::Unreachable, "is this port for `amqp://`");
    let silent = peer(|mut socket| socket.read_exact(&mut [0; 8]));
    check_refused(&(silent + &authority.parameter()), ErrorKind::Unreachable, "is this port for `amqp://`");
}

/// With TLS 1.3 the client thinks by then that all is well, and learns it with the first thing that it reads.
#[test]
fn a_certificate_that_is_missing_is_asked_for() {
    let authority = Authority::new();
    let config = server(authority.identity("localhost", unchanged), Some(&authority));
    let mut stream = connect(&(peer_with(config) + &authority.parameter())).unwrap();
    let error = loop {
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => break error,
            Ok(read) => panic!("read {read}"),
        }
    };
    let address = Address::parse("amqps://h").unwrap();
    let error = explain_io(&error, &address);
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("wants a certificate"), "{error}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let file = authority.file.display();
    let check = |parameters: &str, why| {
        check_refused(&(peer(|_| Ok(())) + parameters), ErrorKind::Configuration, why);
    };
    check("cacertfile=/no/such/file", "`cacertfile`, `/no/such/file`, cannot be read");
    check(&format!("cacertfile={file}&certfile={file}&keyfile={file}"), "it holds no private key");
    check("cacertfile=/dev/null", "it holds no certificate");
    let key = KeyPair::generate().unwrap();
    let keyfile = authority.file.with_extension("key");
    fs::write(&keyfile, key.serialize_pem()).unwrap();
    let mismatch = format!("cacertfile={file}&certfile={file}&keyfile={}", keyfile.display());
    check(&mismatch, "do not make a certificate and its key");
    fs::remove_file(&keyfile).unwrap();
}
