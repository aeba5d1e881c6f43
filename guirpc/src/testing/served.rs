//! Which services a test serves, and what cannot be served.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind};
use crate::registry::{Registration, linked};

/// The services whose functions are served: those that are named, or that of the package.
///
/// A package that only calls has none of its own; its tests have nothing but stand-ins.
pub(super) fn services(
    package: &str,
    named: Option<Vec<String>>,
    stand_ins: &[&'static Registration],
) -> Result<Vec<String>, Error> {
    let services = match named {
        Some(named) => named,
        None if is_linked(package) || stand_ins.is_empty() => vec![package.to_owned()],
        None => Vec::new(),
    };
    if let Some(service) = services.iter().find(|service| !is_linked(service)) {
        return Err(nothing_linked(service));
    }
    let mut seen = BTreeSet::new();
    for Registration { service, name, .. } in stand_ins {
        if !seen.insert((service, name)) {
            return Err(Error::new(ErrorKind::Setup, format!("`{service}.{name}` has two stand-ins: drop one")));
        }
        let is_served = services.iter().any(|served| served == service);
        let is_it = |function: &&Registration| (function.service, function.name) == (*service, *name);
        if let Some(function) = linked().find(is_it).filter(|_| is_served) {
            return Err(has_a_body(function));
        }
    }
    Ok(services)
}

fn is_linked(service: &str) -> bool {
    linked().any(|function| function.service == service)
}

fn nothing_linked(service: &str) -> Error {
    let message = format!(
        "no function of service `{service}` is linked into this test: mark one with `#[guirpc::function]`; \
         if they live in a library that no path mentions, add `use my_functions as _;`; \
         `.services([…])` serves others, `.stand_in::<function, _>(…)` answers for functions without a body"
    );
    Error::new(ErrorKind::Setup, message)
}

fn has_a_body(function: &Registration) -> Error {
    let message = format!(
        "`{}.{}` is served by this test, so it can have no stand-in: its body is at {}; \
         a stand-in is for a function that another program serves",
        function.service, function.name, function.description.place
    );
    Error::new(ErrorKind::Setup, message)
}
