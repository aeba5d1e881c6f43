//! How pairs are written.
//!
//! ```text
//! name_of_the_function: ["rule place callers servers"] {
//!     old { [struct Type { field: u8 }] fn(argument: Type) -> [String] { argument.field.to_string() } (Type { field: 1 }) }
//!     new { #(idempotent) fn() -> [u8] { 1 } json [] }
//! }
//! ```
//!
//! Types in brackets get the derives; what is in `#(…)` are options of the function; behind the body are the arguments
//! that it is called with, by the stub or as JSON.

macro_rules! pairs {
    ($($name:ident : [$($expected:literal),* $(,)?] $sides:tt)*) => {
        $(mod $name { crate::corpus::pairs::sides!($name $sides); })*

        pub(super) fn pairs() -> Vec<crate::corpus::Pair> {
            vec![$(crate::corpus::Pair {
                name: stringify!($name),
                expected: &[$($expected),*],
                old: $name::OLD,
                new: $name::NEW,
            }),*]
        }
    };
}

macro_rules! sides {
    ($name:ident { old $old:tt new $new:tt }) => {
        crate::corpus::pairs::side!(old OLD $name "corpus-old" $old);
        crate::corpus::pairs::side!(new NEW $name "corpus-new" $new);
    };
    ($name:ident { old $old:tt }) => {
        crate::corpus::pairs::side!(old OLD $name "corpus-old" $old);
        pub(super) const NEW: Option<crate::corpus::Call> = None;
    };
    ($name:ident { new $new:tt }) => {
        pub(super) const OLD: Option<crate::corpus::Call> = None;
        crate::corpus::pairs::side!(new NEW $name "corpus-new" $new);
    };
}

macro_rules! side {
    (
        $module:ident $call:ident $name:ident $service:tt
        {
            $([$($item:tt)*])*
            $(#($($option:tt)*))?
            fn($($arguments:tt)*) $(-> [$($output:tt)*])? $body:block
            $($values:tt)*
        }
    ) => {
        #[allow(
            dead_code, unused_imports, clippy::needless_pass_by_value, clippy::unnecessary_wraps,
            clippy::enum_variant_names, reason = "they are what people write"
        )]
        mod $module {
            use std::collections::{BTreeMap, BTreeSet};

            use guirpc::Fault;

            use crate::corpus::{Call, Outcome};

            $(
                #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
                $($item)*
            )*

            #[guirpc::function(service = $service $(, $($option)*)?)]
            fn $name($($arguments)*) $(-> $($output)*)? $body

            pub(super) const CALL: Option<Call> = Some(|client| {
                crate::corpus::pairs::call!(client $name $($values)*)
            });
        }

        pub(super) const $call: Option<crate::corpus::Call> = $module::CALL;
    };
}

macro_rules! call {
    ($client:ident $name:ident ($($value:expr),* $(,)?)) => {
        Outcome::of($name::call($client $(, $value)*))
    };
    ($client:ident $name:ident json $values:tt) => {
        Outcome::of($client.call_json("corpus", stringify!($name), serde_json::json!($values)))
    };
}

pub(super) use {call, pairs, side, sides};
