//! The service `accounts` as this client knows it: functions without a body live in another program.

use serde::{Deserialize, Serialize};

#[guirpc::function(service = "accounts")]
pub(crate) fn open(owner: &str, balance: u32) -> Result<Account, AccountError>;

#[guirpc::function(service = "accounts", idempotent)]
pub(crate) fn find(owner: &str) -> Result<Account, AccountError>;

#[guirpc::function(service = "accounts")]
pub(crate) fn transfer(from: &str, to: &str, amount: u64) -> Result<Receipt, AccountError>;

#[derive(Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) owner: String,
    pub(crate) balance: u64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) amount: u64,
    pub(crate) reference: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("{owner} has no account")]
    Missing { owner: String },
    #[error("{owner} has an account already")]
    Taken { owner: String },
    #[error("{lacking} cents are lacking")]
    TooPoor { lacking: u64 },
}
