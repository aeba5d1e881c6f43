//! Loopback ports that no one else takes while they are ours.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;

use anyhow::Context;

/// Below the ephemeral ports of Linux (32768 and up).
///
/// Otherwise, while a node is down, an outgoing connection could be given its port;
/// even the client's own, which would then be connected to itself.
const RANGE: Range<u16> = 21_000..32_000;

/// A TCP port on loopback, claimed for as long as this value lives.
///
/// A port that was only probed could be taken by another run between the probe and its use,
/// or between the end of a node and its restart.
/// So every run first takes the UDP port of the same number, which nobody needs, and keeps it:
/// the system gives it back even after a `kill -9`.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: UdpSocket,
}

impl Port {
    /// Claims one that is free.
    pub fn claim() -> anyhow::Result<Self> {
        // Runs that start at the same time should not all try the same ports in the same order.
        let start = std::process::id() % u32::from(RANGE.end - RANGE.start);
        let start = RANGE.start + u16::try_from(start).context("a remainder below 11,000")?;
        (start..RANGE.end).chain(RANGE.start..start).find_map(Self::try_claim).context("no free port on 127.0.0.1")
    }

    fn try_claim(number: u16) -> Option<Self> {
        let claim = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self { number, _claim: claim })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_port_is_not_given_twice() {
        let first = Port::claim().unwrap();
        let second = Port::claim().unwrap();
        assert_ne!(first.number(), second.number());
    }

    #[test]
    fn a_claimed_port_is_free_for_a_listener() {
        let port = Port::claim().unwrap();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).unwrap();
    }
}
