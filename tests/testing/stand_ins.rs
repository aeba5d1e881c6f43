//! Stand-ins for functions without a body, of every kind of signature.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use guirpc::testing::serve;
use guirpc::{CallError, Fault, Reply};
use serde::{Deserialize, Serialize};

use crate::TestResult;

#[guirpc::function(service = "math")]
pub(crate) fn add(a: i64, b: i64) -> i64;

#[guirpc::function(service = "math")]
pub(crate) fn note(number: i64);

#[guirpc::function(service = "math", name = "mean-value")]
fn mean(values: Vec<f64>, name: &str, salt: &[u8]) -> Result<String, Empty>;

#[guirpc::function(service = "users")]
fn find(name: &str) -> Result<User, Fault>;

#[guirpc::function(service = "users")]
async fn create(user: User) -> Reply<u64>;

#[guirpc::function(service = "users")]
#[allow(clippy::too_many_arguments, reason = "sixteen is the most that there may be")]
fn many(
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
    j: u8,
    k: u8,
    l: u8,
    m: u8,
    n: u8,
    o: &str,
    p: &[u8],
) -> String;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Empty {
    name: String,
}

impl fmt::Display for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there are no {}", self.name)
    }
}

#[test]
fn a_stand_in_is_reached_by_the_stub() -> TestResult {
    let service = serve!().services(["bakery"]).stand_in::<add, _>(|a, b| a + b).start()?;
    assert_eq!(add::call(service.client(), 1, 2)?, 3);
    assert_eq!(add::start(service.client(), 3, 4)?.wait()?, 7);
    Ok(())
}

#[test]
fn arguments_are_borrowed_and_errors_are_typed() -> TestResult {
    let mean_of = |values: Vec<f64>, name: &str, salt: &[u8]| {
        let Some(first) = values.first() else { return Err(Empty { name: name.to_owned() }) };
        Ok(format!("{first} {name} {}", salt.len()))
    };
    let service = serve!().services(["bakery"]).stand_in::<mean, _>(mean_of).start()?;
    assert_eq!(mean::call(service.client(), vec![1.5], "years", b"pepper")?, "1.5 years 6");
    let error = mean::call(service.client(), vec![], "years", b"").unwrap_err();
    assert!(matches!(&error, CallError::Function(empty) if empty.name == "years"), "{error}");
    Ok(())
}

#[test]
fn faults_and_statuses_reach_the_caller() -> TestResult {
    let service = serve!()
        .services(["bakery"])
        .stand_in::<find, _>(|name| match name {
            "ada" => Ok(User { name: name.to_owned() }),
            _ => Err(Fault::new(404, "nobody")),
        })
        .stand_in::<create, _>(|user| Reply::with_status(201, user.name.len() as u64))
        .start()?;
    assert_eq!(find::call(service.client(), "ada")?.name, "ada");
    let error = find::call(service.client(), "bob").unwrap_err();
    assert!(matches!(&error, CallError::Fault(fault) if fault.status() == 404), "{error}");
    let reply = create::start(service.client(), User { name: "eve".to_owned() })?.wait_reply()?;
    assert_eq!((reply.status(), *reply.value()), (201, 3));
    Ok(())
}

#[test]
fn a_stand_in_remembers_what_it_likes() -> TestResult {
    let sum = Arc::new(AtomicU32::new(0));
    let noted = Arc::clone(&sum);
    let note_down = move |number: i64| {
        noted.fetch_add(u32::try_from(number).expect("it is small"), Ordering::SeqCst);
    };
    let service = serve!().services(["bakery"]).stand_in::<note, _>(note_down).start()?;
    for number in 1..=4 {
        note::call(service.client(), number)?;
    }
    assert_eq!(sum.load(Ordering::SeqCst), 10);
    Ok(())
}

#[test]
fn a_panic_in_a_stand_in_is_a_fault() -> TestResult {
    let service = serve!().services(["bakery"]).stand_in::<add, _>(|_, _| panic!("no sums today")).start()?;
    let error = add::call(service.client(), 1, 2).unwrap_err();
    assert!(matches!(&error, CallError::Fault(fault) if fault.message().contains("no sums today")), "{error}");
    Ok(())
}

#[test]
fn sixteen_arguments_are_not_too_many() -> TestResult {
    let join = |a, b, c, d, e, f, g, h, i, j, k, l, m, n, o: &str, p: &[u8]| {
        format!("{:?} {o} {p:?}", [a, b, c, d, e, f, g, h, i, j, k, l, m, n])
    };
    let service = serve!().services(["bakery"]).stand_in::<many, _>(join).start()?;
    let joined = many::call(service.client(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, "o", b"p")?;
    assert_eq!(joined, "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] o [112]");
    Ok(())
}

/// On a broker that tests share as well: what one of them serves, no other sees.
#[test]
fn tests_at_the_same_time_do_not_disturb_each_other() -> TestResult {
    let serve = |factor: i64| serve!().services(["bakery"]).stand_in::<add, _>(move |a, b| factor * (a + b)).start();
    let services = (1..=4).map(serve).collect::<Result<Vec<_>, _>>()?;
    for round in 0..50 {
        for (factor, service) in (1..).zip(&services) {
            assert_eq!(add::call(service.client(), round, 1)?, factor * (round + 1));
        }
    }
    Ok(())
}
