//! A stand-in as a function of the registry: its entry is made from the stub's types, its code is in the state.

use std::marker::PhantomData;

use super::signature::Signature;
use crate::function::{Description, Function, Place};
use crate::invocation::{Answer, Invocation};
use crate::registry::{Ack, Invoke, Registration, StateType};

/// What answers for `F`: a piece of state, of which each function has a type of its own.
pub(super) struct StandIn<F> {
    answer: Box<dyn Fn(&Invocation<'_>) -> Answer + Send + Sync>,
    function: PhantomData<fn() -> F>,
}

impl<F: Function + 'static> StandIn<F> {
    /// The entry, like one that the attribute makes; what only `list` shows is left out.
    pub(super) const REGISTRATION: Registration = Registration {
        name: F::NAME,
        service: F::SERVICE,
        description: Description::empty(Place { file: file!(), line: line!() }),
        lane: F::LANE,
        timeout: F::TIMEOUT,
        idempotent: F::IDEMPOTENT,
        coalesce: F::COALESCE,
        ack: Ack::AfterReply,
        python: F::PYTHON,
        states: &[StateType::of::<Self>()],
        invoke: Invoke::Blocking(|invocation| (invocation.state::<Self>().answer)(invocation)),
    };

    pub(super) fn new<S>(stand_in: S) -> Self
    where
        F::Arity: Signature<F, S>,
        S: Send + Sync + 'static,
    {
        let answer = move |invocation: &Invocation<'_>| {
            let arguments = invocation.arguments::<F>()?;
            invocation.answer::<F>(F::Arity::call(&stand_in, arguments))
        };
        StandIn { answer: Box::new(answer), function: PhantomData }
    }
}
