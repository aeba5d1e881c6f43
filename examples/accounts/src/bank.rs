//! The state: who has how much, in memory. It knows nothing of calls.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Account, AccountError};

/// Every account there is; functions share it, so it locks itself.
#[derive(Debug, Default)]
pub struct Bank(Mutex<HashMap<String, u64>>);

impl Bank {
    /// Half as wide as what is kept, so that no sum of accounts overflows.
    pub(crate) fn open(&self, owner: &str, balance: u32) -> Result<Account, AccountError> {
        let balance = u64::from(balance);
        let mut balances = self.balances();
        if balances.contains_key(owner) {
            return Err(AccountError::Taken { owner: owner.to_owned() });
        }
        balances.insert(owner.to_owned(), balance);
        Ok(Account { owner: owner.to_owned(), balance })
    }

    pub(crate) fn find(&self, owner: &str) -> Result<Account, AccountError> {
        let balance = balance(&self.balances(), owner)?;
        Ok(Account { owner: owner.to_owned(), balance })
    }

    pub(crate) fn transfer(&self, from: &str, to: &str, amount: u64) -> Result<(), AccountError> {
        let mut balances = self.balances();
        let (source, _) = (balance(&balances, from)?, balance(&balances, to)?);
        let rest = source.checked_sub(amount).ok_or_else(|| AccountError::TooPoor { lacking: amount - source })?;
        balances.insert(from.to_owned(), rest);
        *balances.entry(to.to_owned()).or_default() += amount;
        Ok(())
    }

    fn balances(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        // A function that panics is answered with a fault; the others go on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn balance(balances: &HashMap<String, u64>, owner: &str) -> Result<u64, AccountError> {
    balances.get(owner).copied().ok_or_else(|| AccountError::Missing { owner: owner.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_moved_leaves_one_account_and_arrives_in_the_other() {
        let bank = Bank::default();
        bank.open("ada", 100).unwrap();
        bank.open("bob", 0).unwrap();
        bank.transfer("ada", "bob", 30).unwrap();
        assert_eq!(bank.find("ada").unwrap().balance, 70);
        assert_eq!(bank.find("bob").unwrap().balance, 30);
        bank.transfer("ada", "ada", 70).unwrap();
        assert_eq!(bank.find("ada").unwrap().balance, 70);
    }

    #[test]
    fn nothing_moves_that_is_not_there() {
        let bank = Bank::default();
        bank.open("ada", 100).unwrap();
        assert_eq!(bank.open("ada", 1), Err(AccountError::Taken { owner: "ada".to_owned() }));
        assert_eq!(bank.transfer("ada", "bob", 1), Err(AccountError::Missing { owner: "bob".to_owned() }));
        assert_eq!(bank.transfer("ada", "ada", 101), Err(AccountError::TooPoor { lacking: 1 }));
        assert_eq!(bank.find("ada").unwrap().balance, 100);
    }
}
