//! What dispatch costs beside the codecs: decode `add`, call it, encode the sum.
//!
//! `by_hand` is the ceiling: the codec's own crate, a struct for the arguments and nothing else.
//! It finds no function, checks no size, depth or deadline, and survives no panic.
//!
//!     cargo bench -p guirpc-benches --bench dispatch

use std::time::SystemTime;

use divan::{AllocProfiler, Bencher, black_box};
use guirpc::{Codec, Request, Setup};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[guirpc::function]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[derive(Serialize, Deserialize)]
struct Arguments {
    a: i64,
    b: i64,
}

const ARGUMENTS: Arguments = Arguments { a: 20_000, b: 22_000 };

/// The request as it comes off a queue, with all that a call's has.
fn request(codec: Codec, body: Vec<u8>) -> Request {
    let mut request = Request {
        function: "add".to_owned(),
        content_type: Some(codec.content_type().to_owned()),
        body,
        correlation_id: Some("1".to_owned()),
        reply_to: Some("amq.rabbitmq.reply-to.x".to_owned()),
        ..Request::default()
    };
    request.headers.set("guirpc-deadline", i64::MAX);
    request.headers.set("guirpc-timeout", 10_000);
    request
}

#[divan::bench_group]
mod message_pack {
    use super::{ARGUMENTS, Arguments, Bencher, Codec, black_box, dispatched, request};

    fn body() -> Vec<u8> {
        rmp_serde::to_vec_named(&ARGUMENTS).expect("two integers have a form in MessagePack")
    }

    #[divan::bench]
    fn by_guirpc(bencher: Bencher<'_, '_>) {
        dispatched(bencher, &request(Codec::MessagePack, body()));
    }

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        let body = body();
        bencher.bench_local(|| {
            let Arguments { a, b } = rmp_serde::from_slice(black_box(&body)).expect("it was written so");
            rmp_serde::to_vec(&(a + b)).expect("an integer has a form in MessagePack")
        });
    }
}

#[divan::bench_group]
mod json {
    use super::{ARGUMENTS, Arguments, Bencher, Codec, black_box, dispatched, request};

    fn body() -> Vec<u8> {
        serde_json::to_vec(&ARGUMENTS).expect("two integers have a form in JSON")
    }

    #[divan::bench]
    fn by_guirpc(bencher: Bencher<'_, '_>) {
        dispatched(bencher, &request(Codec::Json, body()));
    }

    #[divan::bench]
    fn by_hand(bencher: Bencher<'_, '_>) {
        let body = body();
        bencher.bench_local(|| {
            let Arguments { a, b } = serde_json::from_slice(black_box(&body)).expect("it was written so");
            serde_json::to_vec(&(a + b)).expect("an integer has a form in JSON")
        });
    }
}

fn dispatched(bencher: Bencher<'_, '_>, request: &Request) {
    let dispatcher = Setup::new([env!("CARGO_PKG_NAME")]).dispatcher().expect("the function can be served");
    let now = SystemTime::now();
    assert_eq!(dispatcher.dispatch(request, now).status, guirpc::status::OK);
    bencher.bench_local(|| dispatcher.dispatch(black_box(request), now));
}
