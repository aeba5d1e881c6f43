//! A shutdown at a moment that is hard to meet: a worker has taken a request, and has not counted it.

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use guirpc::embedded::Broker;
use guirpc::{Client, Context, Server, Setup};

const SERVICE: &str = "guirpc-shutdown";
const LONG: Duration = Duration::from_secs(30);

/// Where workers stop that have taken a request of this service: they say so, and wait until they may go on.
static HELD: LazyLock<[(Sender<()>, Receiver<()>); 2]> = LazyLock::new(|| [bounded(0), bounded(0)]);

/// A worker has taken a request of this service, and has not counted it.
pub(in crate::server) fn taken(service: &str) {
    let [(tell, _), (_, go_on)] = &*HELD;
    if service == SERVICE && tell.send_timeout((), LONG).is_ok() {
        let _ = go_on.recv_timeout(LONG);
    }
}

#[guirpc::function(service = "guirpc-shutdown")]
fn is_delivered_again(#[context] context: &Context) -> bool {
    context.redelivered()
}

#[test]
fn what_is_taken_at_this_moment_is_given_back_unmarked() {
    let broker = Broker::start().unwrap();
    let setup = || Setup::new([SERVICE]).uri(broker.uri());
    let client = Client::connect(broker.uri()).unwrap().with_timeout(LONG);
    let [(_, taken), (let_go_on, _)] = &*HELD;
    let leaving = Server::start(setup()).unwrap();
    let call = is_delivered_again::start(&client).unwrap();
    taken.recv_timeout(LONG).unwrap();
    leaving.shutdown_handle().shutdown();
    let left = thread::spawn(|| leaving.wait());
    // Longer than the rest of the shutdown takes.
    thread::sleep(Duration::from_secs(1));
    assert!(!left.is_finished(), "it does not wait for what is being taken");
    let_go_on.send_timeout((), LONG).unwrap();
    let report = left.join().unwrap();
    assert_eq!((report.requeued, report.abandoned), (1, 0));
    let _staying = Server::start(setup()).unwrap();
    taken.recv_timeout(LONG).unwrap();
    let_go_on.send_timeout((), LONG).unwrap();
    assert!(!call.wait().unwrap(), "it counts as an attempt");
}
