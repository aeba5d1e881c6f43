// Written by `GUIRPC_BLESS=1 cargo test -p guirpc-macros`.

/// Counts; called by the Python package of the same name too.
pub fn count(sentence: &str) -> usize {
    sentence.len()
}
/// The stub of [`count`](fn@count), by which others call it: `fn count(sentence: &str) -> usize`.
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub enum count {}
#[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
impl count {
    /// Calls `count` and waits for what it returns: `usize`.
    pub fn call(
        client: &::guirpc::__private_0_1::Client,
        sentence: &str,
    ) -> ::guirpc::__private_0_1::CallResult<Self> {
        client.call::<Self>((::guirpc::__private_0_1::TextArgument::new(sentence),))
    }
    /// Calls `count`; a future of what it returns: `usize`.
    pub fn call_async(
        client: &::guirpc::__private_0_1::Client,
        sentence: &str,
    ) -> ::guirpc::__private_0_1::CallFuture<Self> {
        client
            .call_async::<Self>((::guirpc::__private_0_1::TextArgument::new(sentence),))
    }
    /// Calls `count` many times; an iterator of what it returns, `usize`, in the order of the arguments.
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
                    (|(sentence,): (&'a ::core::primitive::str,)| (
                        ::guirpc::__private_0_1::TextArgument::new(sentence),
                    ))
                        as fn(
                            (&'a ::core::primitive::str,),
                        ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
                ),
            )
    }
    /// Calls `count` many times; a stream of what it returns, `usize`, in the order of the arguments.
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
                    (|(sentence,): (&'a ::core::primitive::str,)| (
                        ::guirpc::__private_0_1::TextArgument::new(sentence),
                    ))
                        as fn(
                            (&'a ::core::primitive::str,),
                        ) -> ::guirpc::__private_0_1::ArgumentsOf<'a, Self>,
                ),
            )
    }
    /// Calls `count` without waiting; what it returns, `usize`, is waited for, or awaited, later.
    pub fn start(
        client: &::guirpc::__private_0_1::Client,
        sentence: &str,
    ) -> ::guirpc::__private_0_1::StartResult<Self> {
        client.start::<Self>((::guirpc::__private_0_1::TextArgument::new(sentence),))
    }
    /// Has `count` run without a reply (fire-and-forget); waits until the broker has the message.
    pub fn send(
        client: &::guirpc::__private_0_1::Client,
        sentence: &str,
    ) -> ::guirpc::__private_0_1::SendResult {
        client.send::<Self>((::guirpc::__private_0_1::TextArgument::new(sentence),))
    }
    /// Has `count` run without a reply; a future that is ready when the broker has the message.
    pub fn send_async(
        client: &::guirpc::__private_0_1::Client,
        sentence: &str,
    ) -> ::guirpc::__private_0_1::Pending<()> {
        client
            .send_async::<Self>((::guirpc::__private_0_1::TextArgument::new(sentence),))
    }
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Signature for count {
    const PARAMETERS: &'static [&'static ::core::primitive::str] = &["sentence"];
    type Arity = ::guirpc::__private_0_1::Arity<1usize>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Function for count {
    const NAME: &'static ::core::primitive::str = "count";
    const SERVICE: &'static ::core::primitive::str = "text";
    const TIMEOUT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::None;
    const IDEMPOTENT: ::core::primitive::bool = false;
    const PYTHON: ::guirpc::__private_0_1::PythonOptions = ::guirpc::__private_0_1::PythonOptions {
        request: ::guirpc::__private_0_1::PythonSerializer::Text,
        response: ::guirpc::__private_0_1::PythonSerializer::Text,
        request_codec: ::guirpc::__private_0_1::PythonTextCodec::Ascii,
        response_codec: ::guirpc::__private_0_1::PythonTextCodec::Utf8,
    };
    type Return = ::guirpc::__private_0_1::Infallible<usize>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<0usize> for count {
    type Argument<'a> = ::guirpc::__private_0_1::TextArgument<'a>;
    type Parameter<'a> = &'a ::core::primitive::str;
}
#[allow(deprecated, unused_imports)]
impl ::guirpc::__private_0_1::Described for count {
    const DESCRIPTION: ::guirpc::__private_0_1::Description = {
        use ::guirpc::__private_0_1::Undescribed as _;
        ::guirpc::__private_0_1::Description {
            parameters: &[
                ::guirpc::__private_0_1::Parameter {
                    name: "sentence",
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
            output: "usize",
            returns: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::OutputOfReturn<
                    ::guirpc::__private_0_1::Infallible<usize>,
                >,
            >(
                "usize",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::OutputOfReturn<
                        ::guirpc::__private_0_1::Infallible<usize>,
                    >,
                >>::SCHEMA,
            ),
            error: ::guirpc::__private_0_1::TypeDescription::of::<
                ::guirpc::__private_0_1::ErrorOfReturn<
                    ::guirpc::__private_0_1::Infallible<usize>,
                >,
            >(
                "",
                <::guirpc::__private_0_1::DescriptionOf<
                    ::guirpc::__private_0_1::ErrorOfReturn<
                        ::guirpc::__private_0_1::Infallible<usize>,
                    >,
                >>::SCHEMA,
            ),
            signature: "fn count(sentence: &str) -> usize",
            docs: "Counts; called by the Python package of the same name too.",
            deprecated: ::core::option::Option::None,
            place: ::guirpc::__private_0_1::Place {
                file: ::core::file!(),
                line: ::core::line!(),
            },
        }
    };
}
#[allow(deprecated, non_snake_case, clippy::all, clippy::pedantic)]
impl ::guirpc::__private_0_1::Registered for count {
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
            let (argument_sentence,) = invocation.arguments::<Self>()?;
            invocation.answer::<Self>(count(&argument_sentence))
        }),
    };
}
#[allow(deprecated)]
const _: () = {
    use ::guirpc::__private_0_1::NoResult as _;
    ::guirpc::__private_0_1::refuse_result(
        <::guirpc::__private_0_1::ReturnType<usize>>::IS_RESULT,
    );
    ::guirpc::__private_0_1::inventory::submit! {
        < count as ::guirpc::__private_0_1::Registered > ::REGISTRATION
    }
};
/// Adds; served by a Python program.
/**
 As its callers see it: `fn foobar_sum(foo: i64, bar: i64) -> i64`.*/
#[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
pub enum foobar_sum {}
#[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
impl foobar_sum {
    /// Calls `foobar_sum` and waits for what it returns: `i64`.
    pub fn call(
        client: &::guirpc::__private_0_1::Client,
        foo: i64,
        bar: i64,
    ) -> ::guirpc::__private_0_1::CallResult<Self> {
        client.call::<Self>((foo, bar))
    }
    /// Calls `foobar_sum`; a future of what it returns: `i64`.
    pub fn call_async(
        client: &::guirpc::__private_0_1::Client,
        foo: i64,
        bar: i64,
    ) -> ::guirpc::__private_0_1::CallFuture<Self> {
        client.call_async::<Self>((foo, bar))
    }
    /// Calls `foobar_sum` many times; an iterator of what it returns, `i64`, in the order of the arguments.
    pub fn call_many<__Tuples: ::core::iter::IntoIterator<Item = (i64, i64)>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallMany<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many::<Self, _>(arguments)
    }
    /// Calls `foobar_sum` many times; a stream of what it returns, `i64`, in the order of the arguments.
    pub fn call_many_async<__Tuples: ::core::iter::IntoIterator<Item = (i64, i64)>>(
        client: &::guirpc::__private_0_1::Client,
        arguments: __Tuples,
    ) -> ::guirpc::__private_0_1::CallManyStream<
        Self,
        <__Tuples as ::core::iter::IntoIterator>::IntoIter,
    > {
        client.call_many_async::<Self, _>(arguments)
    }
    /// Calls `foobar_sum` without waiting; what it returns, `i64`, is waited for, or awaited, later.
    pub fn start(
        client: &::guirpc::__private_0_1::Client,
        foo: i64,
        bar: i64,
    ) -> ::guirpc::__private_0_1::StartResult<Self> {
        client.start::<Self>((foo, bar))
    }
    /// Has `foobar_sum` run without a reply (fire-and-forget); waits until the broker has the message.
    pub fn send(
        client: &::guirpc::__private_0_1::Client,
        foo: i64,
        bar: i64,
    ) -> ::guirpc::__private_0_1::SendResult {
        client.send::<Self>((foo, bar))
    }
    /// Has `foobar_sum` run without a reply; a future that is ready when the broker has the message.
    pub fn send_async(
        client: &::guirpc::__private_0_1::Client,
        foo: i64,
        bar: i64,
    ) -> ::guirpc::__private_0_1::Pending<()> {
        client.send_async::<Self>((foo, bar))
    }
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Signature for foobar_sum {
    const PARAMETERS: &'static [&'static ::core::primitive::str] = &["foo", "bar"];
    type Arity = ::guirpc::__private_0_1::Arity<2usize>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Function for foobar_sum {
    const NAME: &'static ::core::primitive::str = "foobar_sum";
    const SERVICE: &'static ::core::primitive::str = "my_queue";
    const TIMEOUT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::None;
    const IDEMPOTENT: ::core::primitive::bool = false;
    const DIALECT: ::guirpc::__private_0_1::Dialect = ::guirpc::__private_0_1::Dialect::Python;
    const PYTHON: ::guirpc::__private_0_1::PythonOptions = ::guirpc::__private_0_1::PythonOptions {
        request: ::guirpc::__private_0_1::PythonSerializer::Json,
        response: ::guirpc::__private_0_1::PythonSerializer::Binary,
        request_codec: ::guirpc::__private_0_1::PythonTextCodec::Ascii,
        response_codec: ::guirpc::__private_0_1::PythonTextCodec::Ascii,
    };
    type Return = ::guirpc::__private_0_1::Infallible<i64>;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<0usize> for foobar_sum {
    type Argument<'a> = i64;
    type Parameter<'a> = i64;
}
#[allow(deprecated)]
impl ::guirpc::__private_0_1::Takes<1usize> for foobar_sum {
    type Argument<'a> = i64;
    type Parameter<'a> = i64;
}
#[allow(deprecated, unused_imports)]
impl ::guirpc::__private_0_1::Described for foobar_sum {
    const DESCRIPTION: ::guirpc::__private_0_1::Description = {
        use ::guirpc::__private_0_1::Undescribed as _;
        ::guirpc::__private_0_1::Description {
            parameters: &[
                ::guirpc::__private_0_1::Parameter {
                    name: "foo",
                    ty: ::guirpc::__private_0_1::TypeDescription::of::<
                        i64,
                    >("i64", <::guirpc::__private_0_1::DescriptionOf<i64>>::SCHEMA),
                },
                ::guirpc::__private_0_1::Parameter {
                    name: "bar",
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
            signature: "fn foobar_sum(foo: i64, bar: i64) -> i64",
            docs: "Adds; served by a Python program.",
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
        ::guirpc::__private_0_1::Called { name : < foobar_sum as
        ::guirpc::__private_0_1::Function > ::NAME, service : < foobar_sum as
        ::guirpc::__private_0_1::Function > ::SERVICE, description : < foobar_sum as
        ::guirpc::__private_0_1::Described > ::DESCRIPTION, lane : < foobar_sum as
        ::guirpc::__private_0_1::Function > ::LANE, timeout : < foobar_sum as
        ::guirpc::__private_0_1::Function > ::TIMEOUT, idempotent : < foobar_sum as
        ::guirpc::__private_0_1::Function > ::IDEMPOTENT, coalesce : < foobar_sum as
        ::guirpc::__private_0_1::Function > ::COALESCE, python : < foobar_sum as
        ::guirpc::__private_0_1::Function > ::PYTHON, }
    }
};
