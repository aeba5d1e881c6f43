//! A client in a package of its own: `cargo run -p accounts-client`, while `cargo run -p accounts` serves.
//!
//! It shares no code with the service, only the declarations in `accounts`.

use std::env;
use std::time::Duration;

use guirpc::{CallError, Client};

mod accounts;

use accounts::{AccountError, find, open, transfer};

fn main() -> anyhow::Result<()> {
    let uri = env::var("AMQP_URI").unwrap_or_else(|_| "amqp://guest:guest@localhost:5672/%2f".to_owned());
    move_money(&Client::connect(&uri)?)
}

fn move_money(client: &Client) -> anyhow::Result<()> {
    open_account(client, "ada", 100)?;
    open_account(client, "bob", 0)?;

    let receipt = transfer::call(&client.with_header("reference", "rent"), "ada", "bob", 30)?;
    println!("moved {} cents for {}", receipt.amount, receipt.reference.as_deref().unwrap_or("nothing"));

    match transfer::call(client, "ada", "bob", 1000) {
        Err(CallError::Function(AccountError::TooPoor { lacking })) => println!("refused: {lacking} cents are lacking"),
        other => println!("moved {} cents, somehow", other?.amount),
    }

    let impatient = client.with_timeout(Duration::from_secs(1));
    for owner in ["ada", "bob"] {
        println!("{owner} has {} cents", find::call(&impatient, owner)?.balance);
    }
    Ok(())
}

fn open_account(client: &Client, owner: &str, balance: u32) -> anyhow::Result<()> {
    // Not `call`, since the status is wanted as well.
    match open::start(client, owner, balance)?.wait_reply() {
        Ok(reply) => println!("opened the account of {}: status {}", reply.value().owner, reply.status()),
        Err(CallError::Function(error @ AccountError::Taken { .. })) => println!("{error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use accounts::{Account, Receipt};

    /// The service is not needed: closures stand in for its functions.
    #[test]
    fn a_transfer_that_is_refused_is_no_failure() -> anyhow::Result<()> {
        let account = |owner: &str, balance| Ok(Account { owner: owner.to_owned(), balance });
        let (amounts, asked) = channel();
        let service = guirpc::testing::serve!()
            .stand_in::<open, _>(move |owner, balance| account(owner, balance.into()))
            .stand_in::<find, _>(move |owner| account(owner, 70))
            .stand_in::<transfer, _>(move |_, _, amount| {
                amounts.send(amount).expect("the test listens");
                if amount > 100 {
                    return Err(AccountError::TooPoor { lacking: amount - 100 });
                }
                Ok(Receipt { amount, reference: None })
            })
            .start()?;
        move_money(service.client())?;
        drop(service);
        assert!(asked.iter().eq([30, 1000]));
        Ok(())
    }
}
