//! `guirpc::testing`, used as its users do: on a broker of its own for each test.
//!
//! `on_rabbitmq` runs these very tests on RabbitMQ.

mod functions;
mod mistakes;
mod stand_ins;

use std::sync::Mutex;
use std::time::Duration;

use functions::{Prices, double, price, remaining, remaining_inside, service_name, total};
use guirpc::testing::serve;
use guirpc::{CallError, Client};

type TestResult = Result<(), Box<dyn std::error::Error>>;

#[test]
fn functions_and_state_are_served() -> TestResult {
    let service = serve!().state(Prices::default()).state_with(Clone::clone).start()?;
    assert_eq!(double::call(service.client(), 4)?, 8);
    assert_eq!(price::call(service.client(), "tea")?, 3);
    Ok(())
}

#[test]
fn state_can_call_what_the_test_serves() -> TestResult {
    let service = serve!().state(Prices::default()).state_with(Client::clone).start()?;
    assert_eq!(total::call(service.client(), vec!["tea".to_owned(), "rum".to_owned()])?, 6);
    Ok(())
}

#[test]
fn a_call_inside_a_function_ends_by_its_deadline() -> TestResult {
    let service = serve!().state(Prices::default()).state_with(Client::clone).start()?;
    let left = remaining_inside::call(&service.client().with_timeout(Duration::from_secs(6)))?;
    assert!(left.is_some_and(|left| left <= 6000), "{left:?}");
    let left = remaining::call(service.client())?;
    assert!(left.is_some_and(|left| left > 6000), "without it, the usual 10 s hold: {left:?}");
    Ok(())
}

#[test]
fn a_function_does_not_see_where_it_is_tested() -> TestResult {
    let service = serve!().state(Prices::default()).state_with(Client::clone).start()?;
    assert_eq!(service_name::call(service.client())?, "guirpc-tests");
    assert_eq!(service.client().ping("guirpc-tests")?.service, "guirpc-tests");
    Ok(())
}

#[test]
fn other_services_are_served_where_they_are_named() -> TestResult {
    let service = serve!().services(["bakery"]).start()?;
    assert_eq!(functions::bake::call(service.client(), 2)?, 24);
    let error = double::call(service.client(), 4).unwrap_err();
    assert!(matches!(error, CallError::Unroutable { .. }), "{error}");
    Ok(())
}

#[test]
fn one_worker_runs_one_after_the_other() -> TestResult {
    static ORDER: Mutex<Vec<i64>> = Mutex::new(Vec::new());
    let order = |number| ORDER.lock().expect("nothing panics that holds it").push(number);
    let service = serve!().services(["bakery"]).workers(1).stand_in::<stand_ins::note, _>(order).start()?;
    for number in 0..20 {
        stand_ins::note::send(service.client(), number)?;
    }
    stand_ins::note::call(service.client(), 20)?;
    assert!(ORDER.lock()?.iter().copied().eq(0..=20), "{ORDER:?}");
    Ok(())
}

#[test]
fn when_it_is_dropped_nobody_serves() -> TestResult {
    let service = serve!().services(["bakery"]).start()?;
    let client = service.client().clone();
    functions::bake::call(&client, 1)?;
    drop(service);
    let error = functions::bake::call(&client.with_timeout(Duration::from_millis(500)), 1).unwrap_err();
    // On a shared broker, the queue may be there for a moment longer.
    let unanswered =
        matches!(error, CallError::Unroutable { .. } | CallError::Disconnected { .. } | CallError::TimedOut { .. });
    assert!(unanswered, "{error}");
    Ok(())
}
