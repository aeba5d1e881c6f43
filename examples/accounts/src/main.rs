//! A service with state: `cargo run -p accounts`, then from a second terminal `cargo run -p accounts-client`.
//!
//! Where there is no RabbitMQ, `cargo run -p guirpc-cli -- broker` in a third terminal will do.
//! Its functions are in the library beside it, so that they are tested without a broker.

use accounts::Bank;

guirpc::main!(|setup| Ok(setup.state(Bank::default())));
