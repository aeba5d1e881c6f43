// Written by `GUIRPC_BLESS=1 cargo test -p guirpc-macros`.

/// Adds two integers.
pub fn add(a: i64, b: i64) -> i64 {
    a + b
}
/// The stub of [`add`](fn@add), by which others call it: `fn add(a: i64, b: i64) -> i64`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub enum add {}
#[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
impl add {
    /// Calls `add` and waits for what it returns: `i64`.
    pub fn call(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::CallResult<Self> {
        client.call::<Self>((a, b))
    }
    /// Calls `add`; a future of what it returns: `i64`.
    pub fn call_async(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::CallFuture<Self> {
        client.call_async::<Self>((a, b))
    }
    /// Calls `add` many times; an iterator of what it returns, `i64`, in the order of the arguments.
    pub fn call_many<__Tuples: ::core::iter::IntoIterator<Item = (i64, i64)>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallMany<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many::<Self, _>(arguments)
    }
    /// Calls `add` many times; a stream of what it returns, `i64`, in the order of the arguments.
    pub fn call_many_async<__Tuples: ::core::iter::IntoIterator<Item = (i64, i64)>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallManyStream<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many_async::<Self, _>(arguments)
    }
    /// Calls `add` without waiting; what it returns, `i64`, is waited for, or awaited, later.
    pub fn start(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::StartResult<Self> {
        client.start::<Self>((a, b))
    }
    /// Has `add` run without a reply (fire-and-forget); waits until the broker has the message.
    pub fn send(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::SendResult {
        client.send::<Self>((a, b))
    }
    /// Has `add` run without a reply; a future that is ready when the broker has the message.
    pub fn send_async(
        client: &::guirpc::__private_0_1::Client,
        a: i64,
        b: i64,
    ) -> ::guirpc::__private_0_1::Pending<()> {
        client.send_async::<Self>((a, b))
    }
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Signature for add {
    const PARAMETERS: &'static [&'static ::core::primitive::str] = &["a", "b"];
    type Arity = ::guirpc::__private_0_1::Arity<2usize>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Function for add {
    const NAME: &'static ::core::primitive::str = "add";
    const SERVICE: &'static ::core::primitive::str = ::core::env!("CARGO_PKG_NAME");
    const TIMEOUT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::None;
    const IDEMPOTENT: ::core::primitive::bool = false;
    type Return = ::guirpc::__private_0_1::Infallible<i64>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<0usize> for add {
    type Argument<'a> = i64;
    type Parameter<'a> = i64;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<1usize> for add {
    type Argument<'a> = i64;
    type Parameter<'a> = i64;
}
#[allow(deprecated, unused_imports)]
impl ::guirpc::__private_0_1::Described for add {
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
            signature: "fn add(a: i64, b: i64) -> i64",
            docs: "Adds two integers.",
            deprecated: ::core::option::Option::None,
            place: ::guirpc::__private_0_1::Place {
                file: ::core::file!(),
                line: ::core::line!(),
            },
        }
    };
}
#[allow(deprecated, non_snake_case, clippy::all, clippy::pedantic)]
impl ::guirpc::__private_0_1::Registered for add {
    const REGISTRATION: ::guirpc::__private_0_1::Registration = ::guirpc::__private_0_1::Registration {
        name: <Self as ::guirpc::__private_0_1::Function>::NAME,
        service: <Self as ::guirpc::__private_0_1::Function>::SERVICE,
        description: <Self as ::guirpc::__private_0_1::Described>::DESCRIPTION,
        lane: <Self as ::guirpc::__private_0_1::Function>::LANE,
        timeout: <Self as ::guirpc::__private_0_1::Function>::TIMEOUT,
        idempotent: <Self as ::guirpc::__private_0_1::Function>::IDEMPOTENT,
        coalesce: <Self as ::guirpc::__private_0_1::Function>::COALESCE,
        ack: ::guirpc::__private_0_1::Ack::AfterReply,
        python: <Self as ::guirpc::__private_0_1::Function>::PYTHON,
        states: &[],
        invoke: ::guirpc::__private_0_1::Invoke::Blocking(|invocation| {
            let (argument_a, argument_b) = invocation.arguments::<Self>()?;
            invocation.answer::<Self>(add(argument_a, argument_b))
        }),
    };
}
#[allow(deprecated)]
const _: () = {
    use ::guirpc::__private_0_1::NoResult as _;
    ::guirpc::__private_0_1::refuse_result(
        <::guirpc::__private_0_1::ReturnType<i64>>::IS_RESULT,
    );
    ::guirpc::__private_0_1::inventory::submit! {
        < add as ::guirpc::__private_0_1::Registered > ::REGISTRATION
    }
};
