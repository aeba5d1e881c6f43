//! The parameters: which are arguments of the call, and which are given where the function is served.

use syn::{Attribute, FnArg, Ident, Meta, Pat, PatType, Result, Signature, Type};

use crate::diagnostics::Diagnostics;
use crate::types::{Passing, referent};

/// The most arguments that a function can have; the library implements its traits for so many.
const MOST_ARGUMENTS: usize = 16;

/// What a parameter is given.
pub(crate) enum Input {
    Argument(Argument),
    /// `#[state]`, and the type without its `&`.
    State(Type),
    Context,
}

/// A parameter that the caller gives.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) passing: Passing,
}

/// The mark on a parameter that is no argument.
#[derive(Clone, Copy)]
pub(crate) enum Marker {
    State,
    Context,
}

impl Marker {
    /// The marker that an attribute is, or what is wrong with it.
    pub(crate) fn of(attribute: &Attribute) -> Option<Result<Self>> {
        let marker = match attribute.path().get_ident()?.to_string().as_str() {
            "state" => Marker::State,
            "context" => Marker::Context,
            _ => return None,
        };
        Some(match &attribute.meta {
            Meta::Path(_) => Ok(marker),
            _ => Err(syn::Error::new_spanned(attribute, format!("write `#[{}]`, and nothing in it", marker.name()))),
        })
    }

    pub(crate) fn is_one(attribute: &Attribute) -> bool {
        Marker::of(attribute).is_some()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Marker::State => "state",
            Marker::Context => "context",
        }
    }
}

pub(crate) fn inputs(signature: &Signature, diagnostics: &mut Diagnostics) -> Vec<Input> {
    let mut inputs = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => diagnostics.error(
                receiver,
                "a method cannot be served, since no message carries its `self`: take `#[state]` in a free function",
            ),
            FnArg::Typed(parameter) => inputs.extend(self::input(parameter, diagnostics)),
        }
    }
    let mut arguments = signature.inputs.iter().filter(|input| !attributes_of(input).iter().any(Marker::is_one));
    if let Some(surplus) = arguments.nth(MOST_ARGUMENTS) {
        let message = format!("a served function has at most {MOST_ARGUMENTS} arguments: put them into a struct");
        diagnostics.error(surplus, message);
    }
    inputs
}

fn input(parameter: &PatType, diagnostics: &mut Diagnostics) -> Option<Input> {
    let mut marker = None;
    for attribute in &parameter.attrs {
        match (Marker::of(attribute), marker) {
            (None, _) => refuse_cfg(attribute, diagnostics),
            (Some(found), None) => marker = diagnostics.handle(found),
            (Some(_), Some(_)) => {
                diagnostics.error(attribute, "a parameter is either `#[state]` or `#[context]`, once");
            }
        }
    }
    match marker {
        Some(Marker::State) => referent(&parameter.ty, "state", diagnostics).map(Input::State),
        Some(Marker::Context) => referent(&parameter.ty, "context", diagnostics).map(|_| Input::Context),
        None => argument(parameter, diagnostics).map(Input::Argument),
    }
}

fn refuse_cfg(attribute: &Attribute, diagnostics: &mut Diagnostics) {
    if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
        diagnostics.error(attribute, "callers have to know the arguments: put the `cfg` on the whole function");
    }
}

fn argument(parameter: &PatType, diagnostics: &mut Diagnostics) -> Option<Argument> {
    let passing = Passing::of(&parameter.ty, diagnostics);
    match &*parameter.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {
            Some(Argument { ident: pattern.ident.clone(), ty: (*parameter.ty).clone(), passing })
        }
        pattern => {
            diagnostics.error(
                pattern,
                "an argument needs a plain name, which its callers use too: take it apart in the function's body",
            );
            None
        }
    }
}

/// The attributes of a parameter.
pub(crate) fn attributes_of(input: &FnArg) -> &[Attribute] {
    match input {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(parameter) => &parameter.attrs,
    }
}
