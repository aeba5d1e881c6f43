//! What is said when a test serves something that cannot be served.

use guirpc::testing::{Setup, serve};
use guirpc::{Client, ErrorKind};

use crate::functions::{Prices, bake, double};
use crate::stand_ins::add;

#[track_caller]
fn check(setup: Setup, said: &[&str]) {
    let error = setup.start().expect_err("something is wrong with it");
    assert_eq!(error.kind(), ErrorKind::Setup, "{error}");
    for said in said {
        assert!(error.to_string().contains(said), "no `{said}` in: {error}");
    }
}

#[test]
fn a_service_without_functions() {
    check(serve!().services(["pub"]), &["no function of service `pub` is linked", "#[guirpc::function]"]);
}

#[test]
fn missing_state() {
    let prices = serve!().state(Prices::default());
    check(prices, &["state is missing", "`total`", "guirpc::client::Client", ".state("]);
}

#[test]
fn a_stand_in_for_what_is_served() {
    let setup = serve!().state(Prices::default()).state_with(Client::clone);
    let setup = setup.stand_in::<double, _>(|number| 3 * number);
    check(setup, &["`guirpc-tests.double` is served by this test", "functions.rs:", "another program serves"]);
}

#[test]
fn two_stand_ins_for_one_function() {
    let setup = serve!().services(["bakery"]).stand_in::<add, _>(|a, b| a + b).stand_in::<add, _>(|a, b| a - b);
    check(setup, &["`math.add` has two stand-ins"]);
}

/// A program that links a library only for its stubs does not serve it, and its tests need not either.
#[test]
fn a_stand_in_for_what_is_linked_and_not_served_is_none() {
    let setup = serve!().state(Prices::default()).state_with(Client::clone);
    let service = setup.stand_in::<bake, _>(|dozens| 13 * dozens).start().expect("nothing is wrong with it");
    assert_eq!(bake::call(service.client(), 2).expect("it is there"), 26);
}
