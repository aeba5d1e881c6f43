// Written by `GUIRPC_BLESS=1 cargo test -p guirpc-macros`.

/// Subtracts; served by another program.
/**
 As its callers see it: `fn subtract(a: i64, b: i64) -> i64`.*/
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub enum subtract {}
#[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
impl subtract {
    /// Calls `subtract` and waits for what it returns: `i64`.
    pub fn call(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::CallResult<Self> {
        client.call::<Self>((a, b))
    }
    /// Calls `subtract`; a future of what it returns: `i64`.
    pub fn call_async(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::CallFuture<Self> {
        client.call_async::<Self>((a, b))
    }
    /// Calls `subtract` many times; an iterator of what it returns, `i64`, in the order of the arguments.
    pub fn call_many<__Tuples: ::core::iter::IntoIterator<Item = (i64, i64)>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallMany<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many::<Self, _>(arguments)
    }
    /// Calls `subtract` many times; a stream of what it returns, `i64`, in the order of the arguments.
    pub fn call_many_async<__Tuples: ::core::iter::IntoIterator<Item = (i64, i64)>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallManyStream<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many_async::<Self, _>(arguments)
    }
    /// Calls `subtract` without waiting; what it returns, `i64`, is waited for, or awaited, later.
    pub fn start(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::StartResult<Self> {
        client.start::<Self>((a, b))
    }
    /// Has `subtract` run without a reply (fire-and-forget); waits until the broker has the message.
    pub fn send(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::SendResult {
        client.send::<Self>((a, b))
    }
    /// Has `subtract` run without a reply; a future that is ready when the broker has the message.
    pub fn send_async(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::Pending<()> {
        client.send_async::<Self>((a, b))
    }
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Signature for subtract {
    const PARAMETERS: &'static [&'static ::core::primitive::str] = &["a", "b"];
    type Arity = ::guirpc::__private_0_1::Arity<2usize>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Function for subtract {
    const NAME: &'static ::core::primitive::str = "subtract";
    const SERVICE: &'static ::core::primitive::str = "math";
    const TIMEOUT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::None;
    const IDEMPOTENT: ::core::primitive::bool = false;
    type Return = ::guirpc::__private_0_1::Infallible<i64>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<0usize> for subtract {
    type Argument<'a> = i64;
    type Parameter<'a> = i64;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<1usize> for subtract {
    type Argument<'a> = i64;
    type Parameter<'a> = i64;
}
#[allow(deprecated, unused_imports)]
impl ::guirpc::__private_0_1::Described for subtract {
    const DESCRIPTION: ::guirpc::__private_0_1::Description = {
        use ::guirpc::__private_0_1::Undescribed as _;
        ::guirpc::__private_0_1::Description {
            parameters: &[
                ::guirpc::__private_0_1::Parameter {
                    name: "a",
                    ty: ::guirpc::__private_0_1::TypeDescription::of::<
                        i64,
                    >("i64", <::guirpc::__private_0_1::DescriptionOf<i64>>::SCHEMA),
                },
                ::guirpc::__private_0_1::Parameter {
                    name: "b",
                    ty: ::guirpc::__private_0_1::TypeDescription::of::<
                        i64,
                    >("i64", <::guirpc::__private_0_1::DescriptionOf<i64>>::SCHEMA),
                },
            ],
            required: <<Self as ::guirpc::__private_0_1::Signature>::Arity as ::guirpc::__private_0_1::Arguments<
                Self,
            >>::required,
            output: "i64",
            returns: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::OutputOfReturn<
                    ::guirpc::__private_0_1::Infallible<i64>,
                >,
            >(
                "i64",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::OutputOfReturn<
                        ::guirpc::__private_0_1::Infallible<i64>,
                    >,
                >>::SCHEMA,
            ),
            error: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::ErrorOfReturn<
                    ::guirpc::__private_0_1::Infallible<i64>,
                >,
            >(
                "",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::ErrorOfReturn<
                        ::guirpc::__private_0_1::Infallible<i64>,
                    >,
                >>::SCHEMA,
            ),
            signature: "fn subtract(a: i64, b: i64) -> i64",
            docs: "Subtracts; served by another program.",
            deprecated: ::core::option::Option::None,
            place: ::guirpc::__private_0_1::Place {
                file: ::core::file!(),
                line: ::core::line!(),
            },
        }
    };
}
#[allow(deprecated)]
const _: () = {
    ::guirpc::__private_0_1::inventory::submit! {
        ::guirpc::__private_0_1::Called { name : < subtract as
        ::guirpc::__private_0_1::Function > ::NAME, service : < subtract as
        ::guirpc::__private_0_1::Function > ::SERVICE, description : < subtract as
        ::guirpc::__private_0_1::Described > ::DESCRIPTION, lane : < subtract as
        ::guirpc::__private_0_1::Function > ::LANE, timeout : < subtract as
        ::guirpc::__private_0_1::Function > ::TIMEOUT, idempotent : < subtract as
        ::guirpc::__private_0_1::Function > ::IDEMPOTENT, coalesce : < subtract as
        ::guirpc::__private_0_1::Function > ::COALESCE, python : < subtract as
        ::guirpc::__private_0_1::Function > ::PYTHON, }
    }
};
/// The function `reset`, as its callers see it: `fn reset()`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub enum reset {}
#[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
impl reset {
    /// Calls `reset` and waits for what it returns: `()`.
    pub fn call(
        client: &::guirpc::__private_0_1::Client,
    ) -> ::guirpc::__private_0_1::CallResult<Self> {
        client.call::<Self>(())
    }
    /// Calls `reset`; a future of what it returns: `()`.
    pub fn call_async(
        client: &::guirpc::__private_0_1::Client,
    ) -> ::guirpc::__private_0_1::CallFuture<Self> {
        client.call_async::<Self>(())
    }
    /// Calls `reset` many times; an iterator of what it returns, `()`, in the order of the arguments.
    pub fn call_many<__Tuples: ::core::iter::IntoIterator<Item = ()>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallMany<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many::<Self, _>(arguments)
    }
    /// Calls `reset` many times; a stream of what it returns, `()`, in the order of the arguments.
    pub fn call_many_async<__Tuples: ::core::iter::IntoIterator<Item = ()>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallManyStream<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many_async::<Self, _>(arguments)
    }
    /// Calls `reset` without waiting; what it returns, `()`, is waited for, or awaited, later.
    pub fn start(
        client: &::guirpc::__private_0_1::Client,
    ) -> ::guirpc::__private_0_1::StartResult<Self> {
        client.start::<Self>(())
    }
    /// Has `reset` run without a reply (fire-and-forget); waits until the broker has the message.
    pub fn send(
        client: &::guirpc::__private_0_1::Client,
    ) -> ::guirpc::__private_0_1::SendResult {
        client.send::<Self>(())
    }
    /// Has `reset` run without a reply; a future that is ready when the broker has the message.
    pub fn send_async(
        client: &::guirpc::__private_0_1::Client,
    ) -> ::guirpc::__private_0_1::Pending<()> {
        client.send_async::<Self>(())
    }
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Signature for reset {
    const PARAMETERS: &'static [&'static ::core::primitive::str] = &[];
    type Arity = ::guirpc::__private_0_1::Arity<0usize>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Function for reset {
    const NAME: &'static ::core::primitive::str = "reset";
    const SERVICE: &'static ::core::primitive::str = "math";
    const TIMEOUT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::None;
    const IDEMPOTENT: ::core::primitive::bool = false;
    const LANE: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(
        "slow",
    );
    type Return = ::guirpc::__private_0_1::Infallible<()>;
}
#[allow(deprecated, unused_imports)]
impl ::guirpc::__private_0_1::Described for reset {
    const DESCRIPTION: ::guirpc::__private_0_1::Description = {
        use ::guirpc::__private_0_1::Undescribed as _;
        ::guirpc::__private_0_1::Description {
            parameters: &[],
            required: <<Self as ::guirpc::__private_0_1::Signature>::Arity as ::guirpc::__private_0_1::Arguments<
                Self,
            >>::required,
            output: "()",
            returns: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::OutputOfReturn<
                    ::guirpc::__private_0_1::Infallible<()>,
                >,
            >(
                "()",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::OutputOfReturn<
                        ::guirpc::__private_0_1::Infallible<()>,
                    >,
                >>::SCHEMA,
            ),
            error: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::ErrorOfReturn<
                    ::guirpc::__private_0_1::Infallible<()>,
                >,
            >(
                "",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::ErrorOfReturn<
                        ::guirpc::__private_0_1::Infallible<()>,
                    >,
                >>::SCHEMA,
            ),
            signature: "fn reset()",
            docs: "",
            deprecated: ::core::option::Option::None,
            place: ::guirpc::__private_0_1::Place {
                file: ::core::file!(),
                line: ::core::line!(),
            },
        }
    };
}
#[allow(deprecated)]
const _: () = {
    ::guirpc::__private_0_1::inventory::submit! {
        ::guirpc::__private_0_1::Called { name : < reset as
        ::guirpc::__private_0_1::Function > ::NAME, service : < reset as
        ::guirpc::__private_0_1::Function > ::SERVICE, description : < reset as
        ::guirpc::__private_0_1::Described > ::DESCRIPTION, lane : < reset as
        ::guirpc::__private_0_1::Function > ::LANE, timeout : < reset as
        ::guirpc::__private_0_1::Function > ::TIMEOUT, idempotent : < reset as
        ::guirpc::__private_0_1::Function > ::IDEMPOTENT, coalesce : < reset as
        ::guirpc::__private_0_1::Function > ::COALESCE, python : < reset as
        ::guirpc::__private_0_1::Function > ::PYTHON, }
    }
};
