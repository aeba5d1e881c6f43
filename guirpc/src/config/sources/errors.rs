//! Why settings cannot be used: what the layers' readers have in common.

use std::fmt::Display;

use crate::config::Side;
use crate::error::{Error, ErrorKind, nearest};

/// A setting that cannot be used, or cannot be read.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// Most likely the file is that of the other side.
pub(super) fn no_section(side: Side, file: &dyn Display) -> Error {
    let section = side.section();
    invalid(format!("{file} has no section `[{section}]`, so it sets nothing of a {section}"))
}

/// A name that does not exist, with the nearest that does.
pub(super) fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    place: &str,
) -> Error {
    let hint = match nearest(name, known.clone()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("there are `{}`", known.collect::<Vec<_>>().join("`, `")),
    };
    invalid(format!("there is no {what} `{name}`: {place}; {hint}"))
}
