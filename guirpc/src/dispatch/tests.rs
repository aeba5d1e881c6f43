//! What dispatch costs.

use std::time::{Duration, SystemTime};

use super::{Dispatcher, Limits};
use crate::codec::Codec;
use crate::context::StateMap;
use crate::message::Request;
use crate::registry::Service;

#[guirpc::function]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[test]
fn dispatching_allocates_nothing_but_the_body_of_the_reply() {
    let service = Service::linked("guirpc").expect("the function is linked");
    let limits =
        Limits { max_body: 100, pickle: false, refuses_unknown_arguments: false, clock_tolerance: Duration::ZERO };
    let dispatcher = Dispatcher::new(service, StateMap::default(), limits).expect("the function can be served");
    for codec in [Codec::MessagePack, Codec::Json] {
        let request = Request {
            function: "add".to_owned(),
            content_type: Some(codec.content_type().to_owned()),
            body: codec.encode_arguments::<add>(&(2, 3)).expect("integers can be written"),
            ..Request::default()
        };
        let allocations = allocation_counter::measure(|| {
            let reply = dispatcher.dispatch(&request, SystemTime::UNIX_EPOCH);
            assert_eq!(codec.decode::<i64>(&reply.body).expect("it is an integer"), 5);
        });
        assert_eq!(allocations.count_total, 1, "{codec:?}");
    }
}
