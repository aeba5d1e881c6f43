//! Functions that are `async`.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use guirpc::{Client, Context, Fault, Scope};
use tokio::time::{Instant, sleep};

use super::{Runs, log};

/// Has nothing to wait for, and borrows its argument.
#[guirpc::function]
pub(crate) async fn later(text: &str) -> String {
    std::future::ready(text.to_uppercase()).await
}

/// Waits so long, and borrows everything across that.
#[guirpc::function]
pub(crate) async fn rest(#[state] runs: &Runs, #[context] context: &Context<'_>, name: &str, milliseconds: u64) -> u32 {
    sleep(Duration::from_millis(milliseconds)).await;
    assert_eq!(context.function(), "rest");
    runs.count(name)
}

/// As [`rest`], and may be run twice for one call.
#[guirpc::function(idempotent)]
pub(crate) async fn rest_again(#[state] runs: &Runs, name: &str, milliseconds: u64) -> u32 {
    let count = runs.count(name);
    sleep(Duration::from_millis(milliseconds)).await;
    count
}

/// As [`rest`], and runs at most once.
#[guirpc::function(ack = "early")]
pub(crate) async fn rest_early(#[state] runs: &Runs, name: &str, milliseconds: u64) -> u32 {
    sleep(Duration::from_millis(milliseconds)).await;
    runs.count(name)
}

/// Waits until so many are under way at once, or for as long as it is patient; gives the most that it has seen, and then
/// stays for a moment to see whether there are more.
#[guirpc::function(timeout = "60s")]
pub(crate) async fn meet(#[state] runs: &Runs, count: u32, patience_ms: u64) -> u32 {
    let until = Instant::now() + Duration::from_millis(patience_ms);
    runs.met.fetch_add(1, Ordering::SeqCst);
    let mut most = 0;
    while most < count && Instant::now() < until {
        most = most.max(runs.met.load(Ordering::SeqCst));
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(20)).await;
    most = most.max(runs.met.load(Ordering::SeqCst));
    runs.met.fetch_sub(1, Ordering::SeqCst);
    most
}

/// Panics after it has waited.
#[guirpc::function]
pub(crate) async fn panic_later(message: String) {
    sleep(Duration::from_millis(1)).await;
    std::panic::panic_any(message);
}

/// Counts that it is dropped.
struct CountsDrop<'a>(&'a Runs, String);

impl Drop for CountsDrop<'_> {
    fn drop(&mut self) {
        self.0.count(&self.1);
    }
}

/// Counts that it is dropped, and under another name that it has come to its end.
#[guirpc::function(cancel)]
pub(crate) async fn cancelled(#[state] runs: &Runs, name: &str, milliseconds: u64) {
    let _dropped = CountsDrop(runs, name.to_owned());
    sleep(Duration::from_millis(milliseconds)).await;
    runs.count(&format!("{name} to its end"));
}

/// Panics while it is dropped at the deadline.
#[guirpc::function(cancel)]
pub(crate) async fn cancelled_badly(milliseconds: u64) {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in the destructor");
        }
    }
    let _panics = Panics;
    sleep(Duration::from_millis(milliseconds)).await;
}

/// How long its caller still waits, in milliseconds.
#[guirpc::function(timeout = "60s")]
pub(crate) fn remaining(#[context] context: &Context<'_>) -> u64 {
    context.remaining().map_or(u64::MAX, |remaining| u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX))
}

/// What [`remaining`] says when it is called from here after an await, from a task in this scope, from a blocking task in
/// this scope, and from a task that is in none.
#[guirpc::function(timeout = "60s")]
pub(crate) async fn remaining_within(uri: &str) -> Result<[u64; 4], Fault> {
    let client = Client::connect_async(uri).await?;
    sleep(Duration::from_millis(1)).await;
    let here = remaining::call_async(&client).await?;
    let call = |client: Client| async move { remaining::call_async(&client).await };
    let scope = Scope::current();
    let task = tokio::spawn(scope.wrap(call(client.clone()))).await??;
    let blocking = client.clone();
    let blocking = tokio::task::spawn_blocking(move || scope.run(|| remaining::call(&blocking))).await??;
    let outside = tokio::spawn(call(client)).await??;
    Ok([here, task, blocking, outside])
}

/// Leaves a line in a file, waits, and ends its process.
#[guirpc::function]
pub(crate) async fn abort_later(path: &str) {
    let _ = log(path, "begun", 0);
    sleep(Duration::from_millis(20)).await;
    std::process::abort();
}

/// Leaves a line in a file when it begins, and another one when it is done.
#[guirpc::function]
pub(crate) async fn rest_and_log(path: &str, name: &str, milliseconds: u64) -> Result<(), Fault> {
    assert!(Path::new(path).is_absolute(), "a path means the same to all");
    log(path, &format!("+ {name}"), 0)?;
    sleep(Duration::from_millis(milliseconds)).await;
    log(path, &format!("- {name}"), 0)
}

/// Which runtime it runs on.
#[guirpc::function]
pub(crate) async fn runtime() -> String {
    sleep(Duration::from_millis(1)).await;
    tokio::runtime::Handle::current().id().to_string()
}
