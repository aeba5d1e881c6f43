//! The function as a model in which nothing is left to check.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Expr, FnArg, GenericParam, Ident, LitStr, Meta, MetaNameValue, Pat, PatType, Path, Result,
    ReturnType, Safety, Signature, Token, Type, Visibility,
};

use crate::attribute::Options;
use crate::diagnostics::Diagnostics;
use crate::item::Item;
use crate::parameters::{Argument, Input, Marker, attributes_of, inputs};
use crate::returns::Returns;
use crate::setting::unroutable;
use crate::text::written;

/// A served function: everything that the expansion writes out.
pub(crate) struct ServedFunction {
    /// The function's own name, by which it is called here.
    pub(crate) ident: Ident,
    pub(crate) stub: Ident,
    pub(crate) visibility: Visibility,
    /// What the stub inherits: `#[deprecated]`, and the docs of a function that lives elsewhere.
    pub(crate) stub_attributes: Vec<Attribute>,
    /// Every `#[cfg]`, for all that is generated.
    pub(crate) cfgs: Vec<Attribute>,
    /// Why it is deprecated, if it is; empty if no reason is given.
    pub(crate) deprecated: Option<String>,
    /// The doc comment, one expression for each line.
    pub(crate) docs: Vec<Expr>,
    /// The name by which it is called elsewhere.
    pub(crate) name: LitStr,
    pub(crate) inputs: Vec<Input>,
    pub(crate) returns: Returns,
    pub(crate) signature: String,
    pub(crate) is_async: bool,
    pub(crate) has_body: bool,
    pub(crate) options: Options,
    /// Where the library is.
    pub(crate) library: Path,
    /// Lint levels, for all that is generated.
    pub(crate) lints: Vec<Attribute>,
}

impl ServedFunction {
    /// Puts options and function together, and reports everything that is wrong with them.
    ///
    /// Without what is wrong with the options there is still a function; without what is wrong with itself there is none.
    pub(crate) fn validate(options: TokenStream, item: Item, all: &mut Diagnostics) -> Option<Self> {
        let mut diagnostics = Diagnostics::default();
        let Item { attributes, visibility, signature, body } = item;
        let mut options = Options::parse(options, &signature.ident, body.is_some(), all);
        refuse_qualifiers(&signature, &mut diagnostics);
        let inputs = inputs(&signature, &mut diagnostics);
        let returns = Returns::validate(&signature.output, options.kind.as_ref(), &mut diagnostics);
        if body.is_none() {
            refuse_without_body(&signature, &attributes, &mut diagnostics);
        }
        if body.is_some() {
            check_async(&signature, &options, &mut diagnostics);
        }
        if let Some(python) = &options.python {
            let arguments = inputs.iter().filter(|input| matches!(input, Input::Argument(_))).count();
            python.refuse_several(arguments, &mut diagnostics);
        }
        let stub = diagnostics.handle(stub(options.stub.take(), &signature.ident));
        let name = diagnostics.handle(name(options.name.take(), &signature.ident));
        let has_body = body.is_some();
        let library = options.library.take().unwrap_or_else(|| syn::parse_quote!(::guirpc));
        let signature_text = signature_text(&signature);
        let lints = attributes.iter().filter_map(lint).collect();
        let finished = diagnostics.finish(stub.zip(name)).map(|(stub, name)| ServedFunction {
            ident: signature.ident,
            stub,
            visibility,
            deprecated: deprecated(&attributes),
            docs: docs(&attributes),
            cfgs: attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect(),
            stub_attributes: attributes.into_iter().filter(|attribute| is_on_stub(attribute, has_body)).collect(),
            name,
            inputs,
            returns,
            signature: signature_text,
            is_async: signature.asyncness.is_some(),
            has_body,
            options,
            library,
            lints,
        });
        all.handle(finished)
    }

    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Argument(argument) => Some(argument),
            Input::State(_) | Input::Context => None,
        })
    }

    pub(crate) fn states(&self) -> impl Iterator<Item = &Type> {
        self.inputs.iter().filter_map(|input| match input {
            Input::State(ty) => Some(ty),
            Input::Argument(_) | Input::Context => None,
        })
    }
}

fn refuse_qualifiers(signature: &Signature, diagnostics: &mut Diagnostics) {
    if let Some(constness) = &signature.constness {
        diagnostics.error(constness, "a served function runs when a message comes, so it cannot be `const`");
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        diagnostics.error(unsafety, "a served function is called by strangers, so it cannot be `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.error(abi, "a served function is called by message, so it has no `extern` calling convention");
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics.error(variadic.dots, "a served function has a fixed number of arguments");
    }
    for parameter in &signature.generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "a served function cannot name lifetimes: `&str` and `&[u8]` arguments need none"
            }
            GenericParam::Type(_) | GenericParam::Const(_) => {
                "a served function cannot be generic: a message has to be decoded into one type"
            }
        };
        diagnostics.error(parameter, message);
    }
    if let Some(clause) = &signature.generics.where_clause {
        diagnostics.error(clause, "a served function cannot be generic, so there is nothing to bound");
    }
}

/// What an `async fn` needs, and what only an `async fn` can have.
fn check_async(signature: &Signature, options: &Options, diagnostics: &mut Diagnostics) {
    match (&signature.asyncness, &options.cancel) {
        (Some(asyncness), _) if !cfg!(feature = "tokio") => {
            let message = "an `async fn` runs on a tokio runtime, for which guirpc needs its cargo feature `tokio`: \
                           `cargo add guirpc --features tokio`";
            diagnostics.error(asyncness, message);
        }
        (None, Some(cancel)) => {
            let message = "only an `async fn` can be cancelled, at one of its awaits; in this function ask \
                           `Context::is_expired` now and then";
            diagnostics.error(cancel, message);
        }
        _ => {}
    }
}

/// What only the implementation can have, and not a function that lives in another program.
fn refuse_without_body(signature: &Signature, attributes: &[Attribute], diagnostics: &mut Diagnostics) {
    for attribute in attributes.iter().filter(|attribute| !is_inherited(attribute)) {
        diagnostics
            .error(attribute, "a function without a body is served elsewhere, so there is nothing for this to act on");
    }
    for attribute in signature.inputs.iter().flat_map(attributes_of) {
        if let Some(Ok(marker)) = Marker::of(attribute) {
            let message = format!(
                "`#[{}]` is given where the function is served; one without a body lists what its callers give",
                marker.name()
            );
            diagnostics.error(attribute, message);
        }
    }
}

/// Whether a function without a body may have an attribute: whatever its stub can take over.
fn is_inherited(attribute: &Attribute) -> bool {
    is_any_of(attribute, &["doc", "cfg", "deprecated", "cfg_attr", "expect"]) || lint(attribute).is_some()
}

/// Whether an attribute is written on the stub; the docs of a function that is here are its own, with their examples.
fn is_on_stub(attribute: &Attribute, has_body: bool) -> bool {
    if has_body {
        is_any_of(attribute, &["cfg", "deprecated"]) || is_hidden(attribute)
    } else {
        is_inherited(attribute) && lint(attribute).is_none()
    }
}

fn is_hidden(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc") && matches!(attribute.meta, Meta::List(_))
}

/// A level of lints, which is meant for all that is generated as well.
///
/// What is expected on the function need not come true on the rest, so it is allowed there.
fn lint(attribute: &Attribute) -> Option<Attribute> {
    if is_any_of(attribute, &["allow", "warn", "deny", "forbid"]) {
        return Some(attribute.clone());
    }
    match &attribute.meta {
        Meta::List(expected) if attribute.path().is_ident("expect") => {
            let lints = &expected.tokens;
            Some(syn::parse_quote!(#[allow(#lints)]))
        }
        _ => None,
    }
}

fn is_any_of(attribute: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attribute.path().is_ident(name))
}

fn stub(chosen: Option<Ident>, function: &Ident) -> Result<Ident> {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
        "f32", "f64",
    ];
    let stub = chosen.unwrap_or_else(|| function.clone());
    if PRIMITIVES.iter().any(|primitive| stub == primitive) {
        let message = format!(
            "the stub is a type of this name and would hide the primitive type `{stub}`: write \
             `#[guirpc::function(stub = {stub}_call)]`"
        );
        return Err(Error::new_spanned(stub, message));
    }
    Ok(stub)
}

fn name(chosen: Option<LitStr>, function: &Ident) -> Result<LitStr> {
    let name = chosen.unwrap_or_else(|| LitStr::new(&function.unraw().to_string(), function.span()));
    match unroutable(&name.value()) {
        Some(reason) => Err(Error::new_spanned(name, format!("the function's name {reason}"))),
        None => Ok(name),
    }
}

fn docs(attributes: &[Attribute]) -> Vec<Expr> {
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    docs.filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(doc) => Some(doc.value.clone()),
        _ => None,
    })
    .collect()
}

fn deprecated(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("deprecated"))?;
    let text = |value: &Expr| match value {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    };
    let reason = match &attribute.meta {
        Meta::Path(_) => None,
        Meta::NameValue(reason) => text(&reason.value),
        Meta::List(list) => list
            .parse_args_with(Punctuated::<MetaNameValue, Token![,]>::parse_terminated)
            .ok()
            .and_then(|pairs| pairs.iter().find(|pair| pair.path.is_ident("note")).and_then(|note| text(&note.value))),
    };
    Some(reason.unwrap_or_default())
}

/// The signature as it would stand in documentation: no marks, no patterns.
fn signature_text(signature: &Signature) -> String {
    let asyncness = if signature.asyncness.is_some() { "async " } else { "" };
    let inputs: Vec<String> = signature
        .inputs
        .iter()
        .map(|input| match input {
            FnArg::Typed(PatType { pat, ty, .. }) => match &**pat {
                Pat::Ident(pattern) => format!("{}: {}", pattern.ident, written(ty)),
                pattern => format!("{}: {}", written(pattern), written(ty)),
            },
            FnArg::Receiver(receiver) => written(receiver),
        })
        .collect();
    let output = match &signature.output {
        ReturnType::Default => String::new(),
        ReturnType::Type(_, ty) => format!(" -> {}", written(ty)),
    };
    format!("{asyncness}fn {}({}){output}", signature.ident, inputs.join(", "))
}
