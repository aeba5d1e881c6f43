//! `contract`: what a service promises its callers, as a document.

use super::list::write;
use crate::contract::{Contract, Format};
use crate::error::{Error, ErrorKind};

/// Writes the contract of the one service, or of the one that is named, to the standard output.
pub(super) fn print(services: &[String], named: Option<&str>, format: Format) -> Result<(), Error> {
    let service = match (named, services) {
        (Some(named), _) if services.iter().any(|service| service == named) => named,
        (Some(named), _) => {
            let message = format!("this program does not serve `{named}`; it serves {}", services.join(", "));
            return Err(Error::new(ErrorKind::Setup, message));
        }
        (None, [only]) => only,
        (None, _) => {
            let message = format!("this program serves several services: name one of {}", services.join(", "));
            return Err(Error::new(ErrorKind::Setup, message));
        }
    };
    write(&Contract::of_service(service)?.to_format(format))
}
