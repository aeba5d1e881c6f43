// Written by `GUIRPC_BLESS=1 cargo test -p guirpc-macros`.

use std::collections::BTreeMap;
use guirpc::{Context, Fault};
pub struct Db(pub BTreeMap<String, u64>);
/// Finds the number of a name.
///
/// Takes what a function can take beside its arguments.
pub fn find(db: &Db, context: &Context, name: &str) -> Result<u64, Fault> {
    let missing = || Fault::new(
        404,
        format!("{} does not know {name}", context.service()),
    );
    db.0.get(name).copied().ok_or_else(missing)
}
/// The stub of [`find`](fn@find), by which others call it: `fn find(db: &Db, context: &Context, name: &str) -> Result<u64, Fault>`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub enum find {}
#[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
impl find {
    /// Calls `find` and waits for what it returns: `Result<u64, Fault>`.
    pub fn call(
        client: &::guirpc::__private_0_1::Client,
        name: &str,
    ) -> ::guirpc::__private_0_1::CallResult<Self> {
        client.call::<Self>((::guirpc::__private_0_1::TextArgument::new(name),))
    }
    /// Calls `find`; a future of what it returns: `Result<u64, Fault>`.
    pub fn call_async(
        client: &::guirpc::__private_0_1::Client,
        name: &str,
    ) -> ::guirpc::__private_0_1::CallFuture<Self> {
        client.call_async::<Self>((::guirpc::__private_0_1::TextArgument::new(name),))
    }
    /// Calls `find` many times; an iterator of what it returns, `Result<u64, Fault>`, in the order of the arguments.
    pub fn call_many<
        'a,
        __Tuples: ::core::iter::IntoIterator<Item = (&'a ::core::primitive::str,)>,
    >(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallMany<
        Self,
        ::core::iter::Map<
            <__Tuples as ::core::iter::IntoIterator>::IntoIter,
            fn(
                (&'a ::core::primitive::str,),
            ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
        >,
    > {
        client
            .call_many::<
                Self,
                _,
            >(
                ::core::iter::Iterator::map(
                    ::core::iter::IntoIterator::into_iter(arguments),
                    (|(name,): (&'a ::core::primitive::str,)| (
                        ::guirpc::__private_0_1::TextArgument::new(name),
                    ))
                        as fn(
                            (&'a ::core::primitive::str,),
                        ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
                ),
            )
    }
    /// Calls `find` many times; a stream of what it returns, `Result<u64, Fault>`, in the order of the arguments.
    pub fn call_many_async<
        'a,
        __Tuples: ::core::iter::IntoIterator<Item = (&'a ::core::primitive::str,)>,
    >(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallManyStream<
        Self,
        ::core::iter::Map<
            <__Tuples as ::core::iter::IntoIterator>::IntoIter,
            fn(
                (&'a ::core::primitive::str,),
            ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
        >,
    > {
        client
            .call_many_async::<
                Self,
                _,
            >(
                ::core::iter::Iterator::map(
                    ::core::iter::IntoIterator::into_iter(arguments),
                    (|(name,): (&'a ::core::primitive::str,)| (
                        ::guirpc::__private_0_1::TextArgument::new(name),
                    ))
                        as fn(
                            (&'a ::core::primitive::str,),
                        ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
                ),
            )
    }
    /// Calls `find` without waiting; what it returns, `Result<u64, Fault>`, is waited for, or awaited, later.
    pub fn start(
        client: &::guirpc::__private_0_1::Client,
        name: &str,
    ) -> ::guirpc::__private_0_1::StartResult<Self> {
        client.start::<Self>((::guirpc::__private_0_1::TextArgument::new(name),))
    }
    /// Has `find` run without a reply (fire-and-forget); waits until the broker has the message.
    pub fn send(
        client: &::guirpc::__private_0_1::Client,
        name: &str,
    ) -> ::guirpc::__private_0_1::SendResult {
        client.send::<Self>((::guirpc::__private_0_1::TextArgument::new(name),))
    }
    /// Has `find` run without a reply; a future that is ready when the broker has the message.
    pub fn send_async(
        client: &::guirpc::__private_0_1::Client,
        name: &str,
    ) -> ::guirpc::__private_0_1::Pending<()> {
        client.send_async::<Self>((::guirpc::__private_0_1::TextArgument::new(name),))
    }
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Signature for find {
    const PARAMETERS: &'static [&'static ::core::primitive::str] = &["name"];
    type Arity = ::guirpc::__private_0_1::Arity<1usize>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Function for find {
    const NAME: &'static ::core::primitive::str = "find-number";
    const SERVICE: &'static ::core::primitive::str = "directory";
    const TIMEOUT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(
        ::core::time::Duration::new(1u64, 500000000u32),
    );
    const IDEMPOTENT: ::core::primitive::bool = true;
    const COALESCE: ::core::primitive::bool = true;
    const LANE: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(
        "lookups",
    );
    type Return = ::guirpc::__private_0_1::Fallible<Result<u64, Fault>>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<0usize> for find {
    type Argument<'a> = ::guirpc::__private_0_1::TextArgument<'a>;
    type Parameter<'a> = &'a ::core::primitive::str;
}
#[allow(deprecated, unused_imports)]
impl ::guirpc::__private_0_1::Described for find {
    const DESCRIPTION: ::guirpc::__private_0_1::Description = {
        use ::guirpc::__private_0_1::Undescribed as _;
        ::guirpc::__private_0_1::Description {
            parameters: &[
                ::guirpc::__private_0_1::Parameter {
                    name: "name",
                    ty: ::guirpc::__private_0_1::TypeDescription::of::<
                        ::guirpc::__private_0_1::TextDescription,
                    >(
                        "&str",
                        <::guirpc::__private_0_1::DescriptionOf<
                            ::guirpc::__private_0_1::TextDescription,
                        >>::SCHEMA,
                    ),
                },
            ],
            required: <<Self as ::guirpc::__private_0_1::Signature>::Arity as ::guirpc::__private_0_1::Arguments<
                Self,
            >>::required,
            output: "Result<u64, Fault>",
            returns: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::OutputOfReturn<
                    ::guirpc::__private_0_1::Fallible<Result<u64, Fault>>,
                >,
            >(
                "u64",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::OutputOfReturn<
                        ::guirpc::__private_0_1::Fallible<Result<u64, Fault>>,
                    >,
                >>::SCHEMA,
            ),
            error: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::ErrorOfReturn<
                    ::guirpc::__private_0_1::Fallible<Result<u64, Fault>>,
                >,
            >(
                "Fault",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::ErrorOfReturn<
                        ::guirpc::__private_0_1::Fallible<Result<u64, Fault>>,
                    >,
                >>::SCHEMA,
            ),
            signature: "fn find(db: &Db, context: &Context, name: &str) -> Result<u64, Fault>",
            docs: "Finds the number of a name.\n\nTakes what a function can take beside its arguments.",
            deprecated: ::core::option::Option::None,
            place: ::guirpc::__private_0_1::Place {
                file: ::core::file!(),
                line: ::core::line!(),
            },
        }
    };
}
#[allow(deprecated, non_snake_case, clippy::all, clippy::pedantic)]
impl ::guirpc::__private_0_1::Registered for find {
    const REGISTRATION: ::guirpc::__private_0_1::Registration = ::guirpc::__private_0_1::Registration {
        name: <Self as ::guirpc::__private_0_1::Function>::NAME,
        service: <Self as ::guirpc::__private_0_1::Function>::SERVICE,
        description: <Self as ::guirpc::__private_0_1::Described>::DESCRIPTION,
        lane: <Self as ::guirpc::__private_0_1::Function>::LANE,
        timeout: <Self as ::guirpc::__private_0_1::Function>::TIMEOUT,
        idempotent: <Self as ::guirpc::__private_0_1::Function>::IDEMPOTENT,
        coalesce: <Self as ::guirpc::__private_0_1::Function>::COALESCE,
        ack: ::guirpc::__private_0_1::Ack::Early,
        python: <Self as ::guirpc::__private_0_1::Function>::PYTHON,
        states: &[::guirpc::__private_0_1::StateType::of::<Db>()],
        invoke: ::guirpc::__private_0_1::Invoke::Blocking(|invocation| {
            let (argument_name,) = invocation.arguments::<Self>()?;
            invocation
                .answer::<
                    Self,
                >(find(invocation.state::<Db>(), invocation.context(), &argument_name))
        }),
    };
}
#[allow(deprecated)]
const _: () = {
    ::guirpc::__private_0_1::inventory::submit! {
        < find as ::guirpc::__private_0_1::Registered > ::REGISTRATION
    }
};
