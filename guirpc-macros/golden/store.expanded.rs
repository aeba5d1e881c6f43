// Written by `GUIRPC_BLESS=1 cargo test -p guirpc-macros`.

use guirpc::{Fault, Reply};
type StoreResult<T> = Result<T, Fault>;
/// Stores bytes, and says with a status of its own that it did.
#[deprecated = "use a database"]
#[cfg(not(windows))]
pub async fn store(
    r#type: Option<String>,
    bytes: &[u8],
    mut copies: u8,
) -> StoreResult<Reply<usize>> {
    copies += 1;
    let length = bytes.len() * usize::from(copies) + r#type.map_or(0, |name| name.len());
    Ok(Reply::with_status(201, std::future::ready(length).await))
}
#[deprecated = "use a database"]
#[cfg(not(windows))]
/// The stub of [`store`](fn@store), by which others call it: `async fn store(r#type: Option<String>, bytes: &[u8], copies: u8) -> StoreResult<Reply<usize>>`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub enum store_call {}
#[cfg(not(windows))]
#[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
impl store_call {
    /// Calls `store` and waits for what it returns: `StoreResult<Reply<usize>>`.
    pub fn call(
        client: &::guirpc::__private_0_1::Client,
        r#type: Option<String>,
        bytes: &[u8],
        copies: u8,
    ) -> ::guirpc::__private_0_1::CallResult<Self> {
        client
            .call::<
                Self,
            >((r#type, ::guirpc::__private_0_1::BytesArgument::new(bytes), copies))
    }
    /// Calls `store`; a future of what it returns: `StoreResult<Reply<usize>>`.
    pub fn call_async(
        client: &::guirpc::__private_0_1::Client,
        r#type: Option<String>,
        bytes: &[u8],
        copies: u8,
    ) -> ::guirpc::__private_0_1::CallFuture<Self> {
        client
            .call_async::<
                Self,
            >((r#type, ::guirpc::__private_0_1::BytesArgument::new(bytes), copies))
    }
    /// Calls `store` many times; an iterator of what it returns, `StoreResult<Reply<usize>>`, in the order of the arguments.
    pub fn call_many<
        'a,
        __Tuples: ::core::iter::IntoIterator<
                Item = (Option<String>, &'a [::core::primitive::u8], u8),
            >,
    >(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallMany<
        Self,
        ::core::iter::Map<
            <__Tuples as ::core::iter::IntoIterator>::IntoIter,
            fn(
                (Option<String>, &'a [::core::primitive::u8], u8),
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
                    (|
                        (
                            r#type,
                            bytes,
                            copies,
                        ): (Option<String>, &'a [::core::primitive::u8], u8)|
                    (r#type, ::guirpc::__private_0_1::BytesArgument::new(bytes), copies))
                        as fn(
                            (Option<String>, &'a [::core::primitive::u8], u8),
                        ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
                ),
            )
    }
    /// Calls `store` many times; a stream of what it returns, `StoreResult<Reply<usize>>`, in the order of the arguments.
    pub fn call_many_async<
        'a,
        __Tuples: ::core::iter::IntoIterator<
                Item = (Option<String>, &'a [::core::primitive::u8], u8),
            >,
    >(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallManyStream<
        Self,
        ::core::iter::Map<
            <__Tuples as ::core::iter::IntoIterator>::IntoIter,
            fn(
                (Option<String>, &'a [::core::primitive::u8], u8),
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
                    (|
                        (
                            r#type,
                            bytes,
                            copies,
                        ): (Option<String>, &'a [::core::primitive::u8], u8)|
                    (r#type, ::guirpc::__private_0_1::BytesArgument::new(bytes), copies))
                        as fn(
                            (Option<String>, &'a [::core::primitive::u8], u8),
                        ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
                ),
            )
    }
    /// Calls `store` without waiting; what it returns, `StoreResult<Reply<usize>>`, is waited for, or awaited, later.
    pub fn start(
        client: &::guirpc::__private_0_1::Client,
        r#type: Option<String>,
        bytes: &[u8],
        copies: u8,
    ) -> ::guirpc::__private_0_1::StartResult<Self> {
        client
            .start::<
                Self,
            >((r#type, ::guirpc::__private_0_1::BytesArgument::new(bytes), copies))
    }
    /// Has `store` run without a reply (fire-and-forget); waits until the broker has the message.
    pub fn send(
        client: &::guirpc::__private_0_1::Client,
        r#type: Option<String>,
        bytes: &[u8],
        copies: u8,
    ) -> ::guirpc::__private_0_1::SendResult {
        client
            .send::<
                Self,
            >((r#type, ::guirpc::__private_0_1::BytesArgument::new(bytes), copies))
    }
    /// Has `store` run without a reply; a future that is ready when the broker has the message.
    pub fn send_async(
        client: &::guirpc::__private_0_1::Client,
        r#type: Option<String>,
        bytes: &[u8],
        copies: u8,
    ) -> ::guirpc::__private_0_1::Pending<()> {
        client
            .send_async::<
                Self,
            >((r#type, ::guirpc::__private_0_1::BytesArgument::new(bytes), copies))
    }
}
#[cfg(not(windows))]
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Signature for store_call {
    const PARAMETERS: &'static [&'static ::core::primitive::str] = &[
        "type",
        "bytes",
        "copies",
    ];
    type Arity = ::guirpc::__private_0_1::Arity<3usize>;
}
#[cfg(not(windows))]
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Function for store_call {
    const NAME: &'static ::core::primitive::str = "store";
    const SERVICE: &'static ::core::primitive::str = ::core::env!("CARGO_PKG_NAME");
    const TIMEOUT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::None;
    const IDEMPOTENT: ::core::primitive::bool = false;
    type Return = ::guirpc::__private_0_1::Replying<
        ::guirpc::__private_0_1::Fallible<StoreResult<Reply<usize>>>,
    >;
}
#[cfg(not(windows))]
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<0usize> for store_call {
    type Argument<'a> = Option<String>;
    type Parameter<'a> = Option<String>;
}
#[cfg(not(windows))]
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<1usize> for store_call {
    type Argument<'a> = ::guirpc::__private_0_1::BytesArgument<'a>;
    type Parameter<'a> = &'a [::core::primitive::u8];
}
#[cfg(not(windows))]
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<2usize> for store_call {
    type Argument<'a> = u8;
    type Parameter<'a> = u8;
}
#[cfg(not(windows))]
#[allow(deprecated, unused_imports)]
impl ::guirpc::__private_0_1::Described for store_call {
    const DESCRIPTION: ::guirpc::__private_0_1::Description = {
        use ::guirpc::__private_0_1::Undescribed as _;
        ::guirpc::__private_0_1::Description {
            parameters: &[
                ::guirpc::__private_0_1::Parameter {
                    name: "type",
                    ty: ::guirpc::__private_0_1::TypeDescription::of::<
                        Option<String>,
                    >(
                        "Option<String>",
                        <::guirpc::__private_0_1::DescriptionOf<Option<String>>>::SCHEMA,
                    ),
                },
                ::guirpc::__private_0_1::Parameter {
                    name: "bytes",
                    ty: ::guirpc::__private_0_1::TypeDescription::of::<
                        ::guirpc::__private_0_1::BytesDescription,
                    >(
                        "&[u8]",
                        <::guirpc::__private_0_1::DescriptionOf<
                            ::guirpc::__private_0_1::BytesDescription,
                        >>::SCHEMA,
                    ),
                },
                ::guirpc::__private_0_1::Parameter {
                    name: "copies",
                    ty: ::guirpc::__private_0_1::TypeDescription::of::<
                        u8,
                    >("u8", <::guirpc::__private_0_1::DescriptionOf<u8>>::SCHEMA),
                },
            ],
            required: <<Self as ::guirpc::__private_0_1::Signature>::Arity as ::guirpc::__private_0_1::Arguments<
                Self,
            >>::required,
            output: "StoreResult<Reply<usize>>",
            returns: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::OutputOfReturn<
                    ::guirpc::__private_0_1::Replying<
                        ::guirpc::__private_0_1::Fallible<StoreResult<Reply<usize>>>,
                    >,
                >,
            >(
                "usize",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::OutputOfReturn<
                        ::guirpc::__private_0_1::Replying<
                            ::guirpc::__private_0_1::Fallible<StoreResult<Reply<usize>>>,
                        >,
                    >,
                >>::SCHEMA,
            ),
            error: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::ErrorOfReturn<
                    ::guirpc::__private_0_1::Replying<
                        ::guirpc::__private_0_1::Fallible<StoreResult<Reply<usize>>>,
                    >,
                >,
            >(
                "",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::ErrorOfReturn<
                        ::guirpc::__private_0_1::Replying<
                            ::guirpc::__private_0_1::Fallible<StoreResult<Reply<usize>>>,
                        >,
                    >,
                >>::SCHEMA,
            ),
            signature: "async fn store(r#type: Option<String>, bytes: &[u8], copies: u8) -> StoreResult<Reply<usize>>",
            docs: "Stores bytes, and says with a status of its own that it did.",
            deprecated: ::core::option::Option::Some("use a database"),
            place: ::guirpc::__private_0_1::Place {
                file: ::core::file!(),
                line: ::core::line!(),
            },
        }
    };
}
#[cfg(not(windows))]
#[allow(deprecated, non_snake_case, clippy::all, clippy::pedantic)]
impl ::guirpc::__private_0_1::Registered for store_call {
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
        invoke: ::guirpc::__private_0_1::Invoke::Async {
            run: |invocation| ::guirpc::__private_0_1::answer_future(async move {
                let (argument_type, argument_bytes, argument_copies) = invocation
                    .arguments::<Self>()?;
                invocation
                    .answer::<
                        Self,
                    >(store(argument_type, &argument_bytes, argument_copies).await)
            }),
            cancel: false,
        },
    };
}
#[cfg(not(windows))]
#[allow(deprecated)]
const _: () = {
    ::guirpc::__private_0_1::inventory::submit! {
        < store_call as ::guirpc::__private_0_1::Registered > ::REGISTRATION
    }
};
