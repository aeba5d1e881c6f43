//! A peer that does not let us in is given up in time, and named.

use std::net::TcpListener;

use super::*;

/// For one that does not answer, in these tests.
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(5);

/// Takes connections and says nothing.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("amqp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    (listener, uri)
}

/// Where nobody listens.
fn nowhere() -> String {
    silent().1
}

fn addresses(uris: &[&str]) -> Addresses {
    Addresses::parse(&uris.join(",")).unwrap()
}

fn open(bound: Duration, uris: &[&str]) -> Result<Connection, Error> {
    Connection::open_any(bound, &addresses(uris), "guirpc", "a test")
}

/// Each byte has amiquip's own timeout begin anew.
#[test]
fn a_peer_that_drips_is_given_up() {
    let (listener, uri) = silent();
    thread::spawn(move || {
        let (mut peer, _) = listener.accept()?;
        loop {
            peer.write_all(&[1])?;
            thread::sleep(Duration::from_millis(50));
        }
        #[allow(unreachable_code, reason = "names the type of the errors above")]
        io::Result::Ok(())
    });
    let begun = Instant::now();
    let error = open(SHORT, &[&uri]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(begun.elapsed() < LONG, "{error}");
}

#[test]
fn a_silent_peer_is_given_up() {
    let (_listener, uri) = silent();
    let error = open(SHORT, &[&uri]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}

#[test]
fn nobody_there_is_said_with_what_to_do() {
    let error = open(LONG, &[&nowhere()]).unwrap_err();
    assert!(error.to_string().contains("is RabbitMQ running there"), "{error}");
    let source = std::error::Error::source(&error).expect("the operating system refused");
    let source = source.downcast_ref::<io::Error>().expect("it is its own error");
    assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains(&source.to_string()), "{error}");
}

/// As a port does that speaks TLS.
#[test]
fn a_peer_that_hangs_up_may_want_tls() {
    let (listener, uri) = silent();
    let peer = thread::spawn(move || listener.accept().and_then(|(mut peer, _)| peer.read_exact(&mut [0; 8])));
    let error = open(LONG, &[&uri]).unwrap_err();
    assert!(error.to_string().contains("is this port TLS"), "{error}");
    peer.join().unwrap().unwrap();
}

#[test]
fn each_that_cannot_be_used_is_named_with_its_reason() {
    let (_listener, silent) = silent();
    let nowhere = nowhere().replace("//", "//guest:secret@");
    let error = open(2 * SHORT, &[&silent, &nowhere]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let text = error.to_string();
    assert!(text.contains("to greet") && text.contains("cannot connect to"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
