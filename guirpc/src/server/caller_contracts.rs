//! Callers that were made for another contract than the one that is served: each is logged once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::log::warn;
use crate::message::{CONTRACT, Request};
use crate::registry::Service;

/// Strangers can make up any number of hashes.
const MOST_LOGGED: usize = 256;

/// Which callers of a service were logged.
pub(crate) struct CallerContracts {
    service: String,
    hash: String,
    logged: Mutex<HashSet<(Option<String>, String)>>,
}

impl CallerContracts {
    /// `None` if the service does not describe itself.
    #[cfg_attr(feature = "schema", expect(clippy::unnecessary_wraps, reason = "without that feature there is none"))]
    pub(super) fn of(service: &Service) -> Option<Self> {
        #[cfg(feature = "schema")]
        let hash = crate::contract::Contract::of(service).hash;
        #[cfg(not(feature = "schema"))]
        let hash = None?;
        Some(CallerContracts { service: service.name.clone(), hash, logged: Mutex::default() })
    }

    /// Logs a caller that says a contract, and another one than is served, the first time.
    pub(super) fn look(&self, request: &Request) {
        let Some(theirs) = request.headers.get(CONTRACT).and_then(|hash| hash.as_str()) else { return };
        if theirs == self.hash {
            return;
        }
        let caller = (request.app_id.clone(), theirs.to_owned());
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= MOST_LOGGED || !logged.insert(caller) {
            return;
        }
        drop(logged);
        warn!(
            "{} calls `{}` of service `{}`, and was made for the contract {theirs}, while {} is served: \
             `guirpc contract check` shows what differs",
            request.app_id.as_deref().unwrap_or("a caller without a name"),
            request.function,
            self.service,
            self.hash
        );
    }
}
