//! A server that does not start leaves no thread behind. Alone in its process, whose threads are counted.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use amiquip::{Connection, QueueDeclareOptions};
use guirpc::embedded::Broker;
use guirpc::{ErrorKind, Server, Setup, ShutdownHandle};
use harness::eventually;

const SERVICE: &str = env!("CARGO_PKG_NAME");
const LONG: Duration = Duration::from_mins(1);

/// Served off the service's own queue.
#[guirpc::function]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Served off a queue of its own, by workers of its own.
#[guirpc::function(lane = "slow")]
fn sub(a: i64, b: i64) -> i64 {
    a - b
}

/// Runs on a runtime.
#[guirpc::function]
async fn mul(a: i64, b: i64) -> i64 {
    std::future::ready(a * b).await
}

/// The names of all threads, as the system has them.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("there is a /proc").flatten();
    let mut names: Vec<String> = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect();
    names.sort();
    names
}

/// Runs what must fail, and waits until there are no more threads than before.
#[track_caller]
fn check(what: &str, fail: impl FnOnce()) {
    let before = threads();
    fail();
    let outcome = eventually(LONG, || Ok(threads().len() <= before.len()));
    assert!(outcome.is_ok(), "{what}: there were {before:?}, there are {:?}", threads());
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
fn a_failed_start_leaves_no_thread() {
    let broker = Broker::start().expect("there is a port");
    let setup = || Setup::new([SERVICE]).uri(broker.uri()).workers(4);
    // The first start of all may start threads that stay, once for the process.
    drop(Server::start(setup()).expect("it starts"));
    check("a server that was shut down", || drop(Server::start(setup()).expect("it starts")));
    let declare = |queue: &str| {
        let options = QueueDeclareOptions { auto_delete: true, ..QueueDeclareOptions::default() };
        let mut connection = Connection::insecure_open(&broker.uri()).expect("there is a broker");
        connection
            .open_channel(None)
            .and_then(|channel| channel.queue_declare(queue, options).map(drop))
            .expect("it declares");
        connection.close().expect("it closes");
    };
    // One lane is up, with its workers, when the other fails.
    let lane = format!("{SERVICE}.slow");
    broker.delete_queue(&lane);
    declare(&lane);
    check("a queue declared differently", || {
        assert_eq!(Server::start(setup()).unwrap_err().kind(), ErrorKind::Topology);
    });
    check("a port where nobody listens", || {
        assert_eq!(Server::start(setup().uri("amqp://127.0.0.1:9")).unwrap_err().kind(), ErrorKind::Unreachable);
    });
    check("a shutdown while connecting", || {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let uri = format!("amqp://{}", silent.local_addr().expect("it is bound"));
        let shutdown = ShutdownHandle::new();
        let (other, connecting) = (shutdown.clone(), setup().uri(&uri));
        let starting = thread::spawn(move || Server::start_with(connecting, &other).map(drop));
        let accepted = silent.accept().expect("it connects");
        shutdown.shutdown();
        let error = starting.join().expect("it does not panic").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stopped);
        drop(accepted);
    });
}
