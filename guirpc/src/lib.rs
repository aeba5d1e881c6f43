#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Expansions name this crate as their users do; its own documentation and tests have some.
extern crate self as guirpc;

#[cfg(feature = "main")]
mod app;
mod arguments;
#[cfg_attr(not(feature = "server"), allow(dead_code, unused_imports, reason = "half of it is a server's"))]
mod broker;
mod client;
#[doc = include_str!("coalescing.md")]
pub mod coalescing {}
#[cfg_attr(not(feature = "server"), allow(dead_code, unused_imports, reason = "half of it is a server's"))]
mod codec;
#[cfg_attr(
    not(feature = "main"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "`main` reads all that there is to set")
)]
mod config;
#[doc = include_str!("configuration.md")]
pub mod configuration {}
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "calls are run by a server"))]
mod context;
#[cfg(feature = "schema")]
pub mod contract;
#[doc = include_str!("contracts.md")]
pub mod contracts {}
pub mod control;
pub mod dead_letters;
#[cfg(feature = "server")]
mod dispatch;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod exit;
#[doc = include_str!("exit_codes.md")]
pub mod exit_codes {}
#[doc = include_str!("faults.md")]
pub mod faults {}
mod function;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod health;
pub mod inspect;
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "it is made by a server"))]
mod invocation;
mod log;
#[cfg_attr(not(feature = "server"), allow(dead_code, unused_imports, reason = "half of it is a server's"))]
mod message;
#[cfg(feature = "metrics")]
pub mod metrics;
#[doc = include_str!("operating.md")]
pub mod operating {}
#[doc = include_str!("python.md")]
pub mod python {}
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "it is read by a server"))]
mod registry;
#[doc = include_str!("reliability.md")]
pub mod reliability {}
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "it is made by a server"))]
mod scope;
#[doc = include_str!("security.md")]
pub mod security {}
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod statistics;

#[cfg(feature = "testing")]
pub mod testing;
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "half of it is a server's"))]
mod trace;
#[doc = include_str!("types.md")]
pub mod types {}
#[doc = include_str!("wire_format.md")]
pub mod wire_format {}

#[cfg(feature = "main")]
pub use app::BoxError;
pub use arguments::{ArgumentsOf, BytesArgument, Signature, TextArgument};
pub use client::{Backlog, CallFuture, CallMany, CallManyStream, Client, Pending, SendResult, StartResult};
pub use codec::{Codec, PythonOptions, PythonSerializer, PythonTextCodec};
#[cfg(feature = "config")]
pub use config::ClientConfig;
pub use config::{Coalescing, DEFAULT_TIMEOUT};
#[cfg(feature = "server")]
pub use config::{ExchangeType, QueueType, UnknownArguments};
pub use context::Context;
pub use dead_letters::{DeadLetter, DeadLetters};
#[cfg(feature = "server")]
pub use dispatch::Dispatcher;
pub use error::{CallError, Error, ErrorKind, Fault, OrFault, Refusal};
pub use function::{CallResult, ErrorOf, Function, OutputOf};
#[doc = include_str!("function.md")]
pub use guirpc_macros::function;
#[doc = include_str!("service.md")]
pub use guirpc_macros::service;
pub use health::ConnectionStatus;
pub use message::{Dialect, EncodedReply, HeaderValue, Headers, Reply, ReplyKind, Request, ServiceInfo, status};
pub use scope::{Scope, Scoped};
#[cfg(feature = "server")]
pub use server::{Server, Setup, ShutdownHandle, ShutdownReport};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private_0_1;

/// Generates the `main` of a service: a command line with `serve` (the default), `dev`, `list`, and every setting.
///
/// It serves the service that is named for the program's own package, or those that are listed.
/// A program whose functions take state gives a function (or a closure) that adds it;
/// it runs when the program serves (`serve`, `dev`), never for `list` or `--help`.
///
/// The closure is called for `serve` and `dev`. It finds a client of the same broker in
/// [`Setup::client`], the program's own settings and arguments in [`Setup::settings`] and [`Setup::arguments`], and adds
/// state, which is dropped before the program ends. A signal ends the program also while the closure runs, as soon as
/// it returns. A global `tracing` subscriber that the closure installs is used instead of the program's own log.
///
/// With the cargo feature `otel` it exports traces by OTLP (http/protobuf) as the variables of OpenTelemetry's say, read as
/// its SDK reads them: `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` turns that on,
/// `OTEL_TRACES_EXPORTER=none` and `OTEL_SDK_DISABLED=true` off; `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
/// `OTEL_TRACES_SAMPLER` and `OTEL_BSP_…` have their usual meaning. What is not sent yet when the program ends is sent
/// within two seconds, or lost. A program with a subscriber of its own brings its layer of `tracing-opentelemetry` itself.
///
/// How the process ends is described with [`exit_codes`].
/// It needs the cargo feature `main`, which is on by default.
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
#[cfg(feature = "main")]
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
