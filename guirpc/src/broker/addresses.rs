//! Several brokers of which any will do, and which of them is in use.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind};

mod address;

pub(super) use address::Address;
use address::invalid;

/// One broker or several, usually the nodes of one cluster, in the order in which they are tried.
///
/// An attempt to connect begins with the one after that which opened last, and tries each once.
/// So whoever has lost a connection does not wait for the broker that has just failed, which may be frozen,
/// or greet and then not answer; and a broker that is closed for good sends its clients to the others.
///
/// Copies share what is known. Neither `Display` nor `Debug` shows a password.
#[derive(Clone)]
pub(crate) struct Addresses(Arc<List>);

struct List {
    all: Vec<Address>,
    /// The place of the one that opened last, counted from 1; nothing opened yet is 0.
    opened: AtomicUsize,
}

impl Addresses {
    /// Reads a URI, or several with commas between them.
    ///
    /// # Errors
    /// Says what is wrong with which, without repeating a password.
    pub(crate) fn parse(uris: &str) -> Result<Self, Error> {
        let uris: Vec<&str> = uris.split(',').map(str::trim).collect();
        // Before any is read: the rest of a password that is cut at its comma must not be repeated.
        if uris[1..].iter().any(|uri| !uri.starts_with("amqp://") && !uri.starts_with("amqps://")) {
            return Err(invalid(
                "after a comma comes the URI of another broker, which begins with `amqp://` too; \
                 a comma inside a user, a password or any other part is written `%2c`",
            ));
        }
        let read = |(place, uri): (usize, &&str)| {
            checked(uri).map_err(|error| match uris.len() {
                1 => error,
                count => {
                    let message = format!("broker {} of {count}: {error}", place + 1);
                    error.with_message(message)
                }
            })
        };
        let all = uris.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Addresses(Arc::new(List { all, opened: AtomicUsize::new(0) })))
    }

    /// All of them, each with its place, in the order in which to try them now.
    pub(super) fn in_turn(&self) -> impl ExactSizeIterator<Item = (usize, &Address)> {
        let (all, first) = (&self.0.all, self.0.opened.load(Ordering::Relaxed));
        (0..all.len()).map(move |step| (first + step) % all.len()).map(|place| (place, &all[place]))
    }

    /// Notes that the one at this place is in use.
    pub(super) fn set_opened(&self, place: usize) {
        self.0.opened.store(place + 1, Ordering::Relaxed);
    }

    /// The host and the port of the one that is in use, or was last.
    pub(crate) fn server(&self) -> (&str, u16) {
        let Address { host, port, .. } = self.in_use();
        (host, *port)
    }

    fn in_use(&self) -> &Address {
        &self.0.all[self.0.opened.load(Ordering::Relaxed).saturating_sub(1)]
    }
}

/// Reads a URI, and the files that it names, so that a mistake in them is told at once.
fn checked(uri: &str) -> Result<Address, Error> {
    let address = Address::parse(uri)?;
    #[cfg(feature = "tls")]
    if address.is_tls {
        address.tls.check(&address.host)?;
    }
    Ok(address)
}

/// What it is that none of several could be used; with only one, why it could not.
pub(super) fn none_opens(mut errors: Vec<Error>) -> Error {
    if errors.len() == 1 {
        return errors.remove(0);
    }
    let kinds = || errors.iter().map(Error::kind);
    // Where all but one refuse for good, that one may be back soon.
    let kind = kinds().find(|kind| *kind == ErrorKind::Unreachable).or_else(|| kinds().next());
    let reasons: Vec<String> =
        errors.iter().enumerate().map(|(number, error)| format!("({}) {error}", number + 1)).collect();
    let message = format!("none of {} brokers can be used: {}", errors.len(), reasons.join("; "));
    Error::new(kind.unwrap_or(ErrorKind::Unreachable), message)
}

/// The one that is in use, or was last; before that, the one to try first.
impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.in_use(), f)
    }
}

/// All of them.
impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.all.iter().enumerate().try_for_each(|(place, address)| {
            f.write_str(if place == 0 { "" } else { "," })?;
            fmt::Display::fmt(address, f)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_turn(addresses: &Addresses) -> Vec<&str> {
        addresses.in_turn().map(|(_, address)| address.host.as_str()).collect()
    }

    #[test]
    fn what_was_lost_is_tried_last() {
        let addresses = Addresses::parse("amqp://a, amqp://b,amqp://c").unwrap();
        assert_eq!(in_turn(&addresses), ["a", "b", "c"]);
        assert_eq!(addresses.to_string(), "amqp://guest@a:5672/%2f");
        addresses.clone().set_opened(1);
        assert_eq!(in_turn(&addresses), ["c", "a", "b"]);
        assert_eq!(addresses.to_string(), "amqp://guest@b:5672/%2f");
        addresses.set_opened(2);
        assert_eq!(in_turn(&addresses), ["a", "b", "c"]);
        let all = "amqp://guest@a:5672/%2f,amqp://guest@b:5672/%2f,amqp://guest@c:5672/%2f";
        assert_eq!(format!("{addresses:?}"), all);
    }

    #[track_caller]
    fn check_invalid(uris: &str, why: &str) {
        let error = Addresses::parse(uris).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn mistakes_are_named_without_the_password() {
        check_invalid("amqp://a:secret,secret@h", "`%2c`");
        check_invalid("amqp://a:secret,secret:secret@h,amqp://h", "`%2c`");
        check_invalid("amqp://a:secret@h,", "`%2c`");
        check_invalid("amqp://a:secret@h,amqp://a:secret@h:99999", "broker 2 of 2: ");
        check_invalid("http://a:secret@h,amqp://h", "broker 1 of 2: ");
        check_invalid("", "looks like `amqp://");
    }

    #[test]
    fn a_comma_in_a_password_is_encoded() {
        let addresses = Addresses::parse("amqp://a:x%2cy@h").unwrap();
        let passwords: Vec<&str> = addresses.in_turn().map(|(_, address)| address.password.as_str()).collect();
        assert_eq!(passwords, ["x,y"]);
    }

    #[test]
    fn what_may_be_back_soon_decides_what_it_is() {
        let error = |kind| Error::new(kind, format!("{kind:?}"));
        let of = |kinds: &[ErrorKind]| none_opens(kinds.iter().map(|kind| error(*kind)).collect());
        assert_eq!(of(&[ErrorKind::Denied]).to_string(), "Denied");
        assert_eq!(of(&[ErrorKind::Denied, ErrorKind::Denied]).kind(), ErrorKind::Denied);
        let both = of(&[ErrorKind::Denied, ErrorKind::Unreachable]);
        assert_eq!(both.kind(), ErrorKind::Unreachable);
        assert_eq!(both.to_string(), "none of 2 brokers can be used: (1) Denied; (2) Unreachable");
    }
}
