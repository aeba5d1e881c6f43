//! Whether a service that does not answer is down or busy.

use std::fmt;

use super::Client;
use crate::broker::ask_backlog;
use crate::error::Error;

/// What waits for a service, by the broker's account: whether one that does not answer is down or busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backlog {
    /// How many requests are in its queue that no server has fetched.
    pub waiting: u32,
    /// How many servers take requests off it.
    pub servers: u32,
}

/// As a sentence has it: `2 servers take its requests, and 14 requests wait`.
impl fmt::Display for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Backlog { waiting, servers } = self;
        match servers {
            0 => f.write_str("no server takes its requests at the moment"),
            1 => f.write_str("1 server takes its requests"),
            _ => write!(f, "{servers} servers take its requests"),
        }?;
        match waiting {
            0 => f.write_str(", and none waits"),
            1 => f.write_str(", and 1 request waits"),
            _ => write!(f, ", and {waiting} requests wait"),
        }
    }
}

impl Client {
    /// Asks the broker what waits for a service, in the lane of [`with_lane`](Client::with_lane) if there is one; `None`
    /// if there is no queue of this name.
    ///
    /// It opens a connection for that: ask when something does not answer, not all the time.
    ///
    /// ```no_run
    /// # let client = guirpc::Client::connect("amqp://localhost")?;
    /// if let Some(backlog) = client.backlog("math")? {
    ///     println!("math: {backlog}");
    /// }
    /// # Ok::<(), guirpc::Error>(())
    /// ```
    ///
    /// # Errors
    /// The broker cannot be reached, or does not tell this user.
    pub fn backlog(&self, service: &str) -> Result<Option<Backlog>, Error> {
        let queue = match &self.settings.lane {
            Some(lane) => format!("{service}.{lane}"),
            None => service.to_owned(),
        };
        let counts = ask_backlog(&self.connected.addresses, queue)?;
        Ok(counts.map(|(waiting, servers)| Backlog { waiting, servers }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_a_sentence() {
        let show = |servers, waiting| Backlog { waiting, servers }.to_string();
        assert_eq!(show(0, 1), "no server takes its requests at the moment, and 1 request waits");
        assert_eq!(show(1, 0), "1 server takes its requests, and none waits");
        assert_eq!(show(2, 14), "2 servers take its requests, and 14 requests wait");
    }
}
