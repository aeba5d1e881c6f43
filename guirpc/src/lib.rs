#![doc = include_str!("../README.md")]

// Expansions name this crate as their users do; its own documentation and tests have some.
extern crate self as guirpc;

mod app;
mod broker;
mod client;
mod codec;
mod config;
#[doc = include_str!("configuration.md")]
pub mod configuration {}
mod context;
pub mod dead_letters;
mod dispatch;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
#[doc = include_str!("faults.md")]
pub mod faults {}
mod function;
mod health;
mod message;
#[doc = include_str!("python.md")]
pub mod python {}
mod registry;
#[doc = include_str!("reliability.md")]
pub mod reliability {}
mod server;

#[cfg(feature = "testing")]
pub mod testing;

pub use app::BoxError;
pub use client::{Client, DEFAULT_TIMEOUT, Pending, SendResult, StartResult};
pub use codec::{Codec, PythonOptions, Serializer, TextCodec};
pub use config::{ClientConfig, ExchangeType, QueueType};
pub use context::Context;
pub use dead_letters::{DeadLetter, DeadLetters};
pub use dispatch::Dispatcher;
pub use error::{CallError, Error, ErrorKind, Refusal};
pub use function::{ArgumentsOf, Bytes, CallResult, ErrorOf, Function, OutputOf, Text};
#[doc = include_str!("function.md")]
pub use guirpc_macros::function;
pub use health::Status;
pub use message::{
    Dialect, EncodedReply, Fault, HeaderValue, Headers, OrFault, Pong, Reply, ReplyKind, Request, status,
};
pub use server::{Drained, Server, Setup, Stopper};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private_0_1;

/// Generates the `main` of a service: a command line with `serve` (the default), `dev`, `list`, and every setting.
///
/// It serves the service that is named for the program's own package, or those that are listed.
/// A program whose functions take state gives a function (or a closure) that adds it;
/// it runs when the program serves (`serve`, `dev`), never for `list` or `--help`.
///
/// ```no_run
/// # mod plain {
/// guirpc::main!();
/// # }
/// # mod listed {
/// guirpc::main!(services = ["math", "users"]);
/// # }
/// # mod with_state {
/// # struct Db;
/// # impl Db { fn open() -> Result<Db, std::io::Error> { Ok(Db) } }
/// guirpc::main!(|setup| Ok(setup.state(Db::open()?)));
/// # }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! main {
    () => {
        $crate::main!(|setup| $crate::__private_0_1::Ok(setup));
    };
    (services = [$($service:expr),+ $(,)?]) => {
        $crate::main!(services = [$($service),+], |setup| $crate::__private_0_1::Ok(setup));
    };
    (services = [$($service:expr),+ $(,)?], $setup:expr) => {
        fn main() -> ::std::process::ExitCode {
            let program = $crate::__private_0_1::Program {
                name: ::core::env!("CARGO_PKG_NAME"),
                version: ::core::env!("CARGO_PKG_VERSION"),
                services: &[$($service),+],
            };
            $crate::__private_0_1::main(&program, $setup)
        }
    };
    ($setup:expr) => {
        $crate::main!(services = [::core::env!("CARGO_PKG_NAME")], $setup);
    };
}
