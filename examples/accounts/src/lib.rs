//! Accounts of money: functions with state, an error of their own, a status, and a look at the call itself.

use guirpc::{Context, Reply};
use serde::{Deserialize, Serialize};

mod bank;

pub use bank::Bank;

/// An account, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub owner: String,
    /// What is in it, in cents.
    pub balance: u64,
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// How much, in cents.
    pub amount: u64,
    /// What for: the header `reference` of the call.
    pub reference: Option<String>,
}

/// Why an account could not be used; it reaches the caller as this very type.
#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum AccountError {
    /// There is none.
    #[error("`{owner}` has no account")]
    Missing {
        /// Who has none.
        owner: String,
    },
    /// There is one already.
    #[error("`{owner}` has an account already")]
    Taken {
        /// Who has one.
        owner: String,
    },
    /// There is too little in it.
    #[error("{lacking} cents are lacking")]
    TooPoor {
        /// How much is lacking, in cents.
        lacking: u64,
    },
}

/// Opens an account: status 201, and where to find it in a header.
#[guirpc::function]
pub fn open(#[state] bank: &Bank, owner: &str, balance: u32) -> Result<Reply<Account>, AccountError> {
    let account = bank.open(owner, balance)?;
    Ok(Reply::with_status(201, account).header("location", format!("/accounts/{owner}")))
}

/// Looks at an account: as often as one likes, so a caller may try again when in doubt.
#[guirpc::function(idempotent, timeout = "2s")]
pub fn find(#[state] bank: &Bank, owner: &str) -> Result<Account, AccountError> {
    bank.find(owner)
}

/// Moves money from one account to another.
#[guirpc::function]
pub fn transfer(
    #[state] bank: &Bank,
    #[context] context: &Context,
    from: &str,
    to: &str,
    amount: u64,
) -> Result<Receipt, AccountError> {
    bank.transfer(from, to, amount)?;
    let reference = context.headers().get("reference").and_then(|reference| reference.as_str());
    Ok(Receipt { amount, reference: reference.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use guirpc::CallError;

    use super::*;

    #[test]
    fn a_status_and_a_typed_error_reach_the_caller() -> Result<(), Box<dyn std::error::Error>> {
        let service = guirpc::testing::serve!().state(Bank::default()).start()?;
        let opened = open::start(service.client(), "ada", 100)?.wait_reply()?;
        assert_eq!((opened.status(), opened.value().balance), (201, 100));
        let error = find::call(service.client(), "bob").unwrap_err();
        assert!(matches!(error, CallError::Function(AccountError::Missing { owner }) if owner == "bob"));
        Ok(())
    }
}
