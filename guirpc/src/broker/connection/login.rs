//! Who we are to the broker.
//!
//! amiquip logs what it says in the handshake, so it never has the password: it says nothing in its place,
//! and the password is put in on the way to the socket, see [`super::handshake`].

use std::fmt;

use amiquip::Sasl;

use crate::broker::Address;

/// A user and a password; `Debug` shows neither.
#[derive(Clone, Default)]
pub(super) struct Login(String);

impl Login {
    pub(super) fn new(address: &Address) -> Self {
        Login(format!("\0{}\0{}", address.user, address.password))
    }

    /// What the broker is told, by the mechanism PLAIN.
    pub(super) fn response(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// What amiquip knows of a login.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain;

impl Sasl for Plain {
    fn mechanism(&self) -> String {
        "PLAIN".to_owned()
    }

    fn response(&self) -> String {
        String::new()
    }
}
