//! The stub: the uninhabited type that callers name, and its ways to call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Lifetime;

use super::returns::underlined;
use crate::function::ServedFunction;
use crate::parameters::Argument;
use crate::text::written;
use crate::types::Passing;

pub(super) fn stub(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ServedFunction { stub, visibility, stub_attributes, cfgs, lints, ident, .. } = served;
    // An argument may be called `client` as well: this one is visible to the generated code alone.
    let client = Ident::new("client", Span::mixed_site());
    let parameters: Vec<TokenStream> =
        served.arguments().map(|Argument { ident, ty, .. }| quote!(#ident: #ty)).collect();
    let arguments: Vec<TokenStream> = served.arguments().map(|argument| given(argument, private)).collect();
    let docs = docs(served);
    let output = written(&served.returns.ty);
    let [call_docs, call_async_docs, call_many_docs, call_many_async_docs, start_docs, send_docs, send_async_docs] = [
        format!(" Calls `{ident}` and waits for what it returns: `{output}`."),
        format!(" Calls `{ident}`; a future of what it returns: `{output}`."),
        format!(
            " Calls `{ident}` many times; an iterator of what it returns, `{output}`, in the order of the arguments."
        ),
        format!(" Calls `{ident}` many times; a stream of what it returns, `{output}`, in the order of the arguments."),
        format!(" Calls `{ident}` without waiting; what it returns, `{output}`, is waited for, or awaited, later."),
        format!(" Has `{ident}` run without a reply (fire-and-forget); waits until the broker has the message."),
        format!(" Has `{ident}` run without a reply; a future that is ready when the broker has the message."),
    ];
    let Many { generics, all, iterator, given } = many(served, private);
    let many = underlined(&served.returns, &quote!(#private::CallMany), &quote!(Self, #iterator));
    let many_async = underlined(&served.returns, &quote!(#private::CallManyStream), &quote!(Self, #iterator));
    let result = underlined(&served.returns, &quote!(#private::CallResult), &quote!(Self));
    let future = underlined(&served.returns, &quote!(#private::CallFuture), &quote!(Self));
    let pending = underlined(&served.returns, &quote!(#private::StartResult), &quote!(Self));
    quote! {
        #(#stub_attributes)*
        #docs
        #[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations)]
        #(#lints)*
        #visibility enum #stub {}

        #(#cfgs)*
        #[allow(deprecated, dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
        #(#lints)*
        impl #stub {
            #[doc = #call_docs]
            #visibility fn call(#client: &#private::Client, #(#parameters),*) -> #result {
                #client.call::<Self>((#(#arguments,)*))
            }

            #[doc = #call_async_docs]
            #visibility fn call_async(
                #client: &#private::Client,
                #(#parameters),*
            ) -> #future {
                #client.call_async::<Self>((#(#arguments,)*))
            }

            #[doc = #call_many_docs]
            #visibility fn call_many<#generics>(#client: &#private::Client, #all) -> #many {
                #client.call_many::<Self, _>(#given)
            }

            #[doc = #call_many_async_docs]
            #visibility fn call_many_async<#generics>(#client: &#private::Client, #all) -> #many_async {
                #client.call_many_async::<Self, _>(#given)
            }

            #[doc = #start_docs]
            #visibility fn start(#client: &#private::Client, #(#parameters),*) -> #pending {
                #client.start::<Self>((#(#arguments,)*))
            }

            #[doc = #send_docs]
            #visibility fn send(#client: &#private::Client, #(#parameters),*) -> #private::SendResult {
                #client.send::<Self>((#(#arguments,)*))
            }

            #[doc = #send_async_docs]
            #visibility fn send_async(
                #client: &#private::Client,
                #(#parameters),*
            ) -> #private::Pending<()> {
                #client.send_async::<Self>((#(#arguments,)*))
            }
        }
    }
}

/// How the arguments of many calls are given: an iterator of tuples.
struct Many {
    generics: TokenStream,
    /// The parameter.
    all: TokenStream,
    /// Of arguments as the client takes them.
    iterator: TokenStream,
    /// What makes that of the parameter.
    given: TokenStream,
}

fn many(served: &ServedFunction, private: &TokenStream) -> Many {
    // Only the name of a variable is hidden from the user's tokens.
    let [all, tuples] = ["arguments", "__Tuples"].map(|name| Ident::new(name, Span::mixed_site()));
    let lifetime = Lifetime::new("'a", Span::mixed_site());
    let types: Vec<TokenStream> = served.arguments().map(|argument| taken(argument, &lifetime)).collect();
    let tuple = quote!((#(#types,)*));
    let parameter = quote!(#all: #tuples);
    let tuples_of = quote!(#tuples: ::core::iter::IntoIterator<Item = #tuple>);
    let iterator = quote!(<#tuples as ::core::iter::IntoIterator>::IntoIter);
    if served.arguments().all(|argument| matches!(argument.passing, Passing::Owned)) {
        return Many { generics: tuples_of, all: parameter, iterator, given: all.to_token_stream() };
    }
    let names: Vec<&Ident> = served.arguments().map(|argument| &argument.ident).collect();
    let arguments = served.arguments().map(|argument| given(argument, private));
    let function = quote!(fn(#tuple) -> #private::ArgumentsOf<#lifetime, Self>);
    Many {
        generics: quote!(#lifetime, #tuples_of),
        all: parameter,
        iterator: quote!(::core::iter::Map<#iterator, #function>),
        given: quote! {
            ::core::iter::Iterator::map(
                ::core::iter::IntoIterator::into_iter(#all),
                (|(#(#names,)*): #tuple| (#(#arguments,)*)) as #function,
            )
        },
    }
}

/// The type of an argument as the function takes it.
pub(super) fn taken(argument: &Argument, lifetime: &Lifetime) -> TokenStream {
    let ty = &argument.ty;
    match argument.passing {
        Passing::Owned => ty.to_token_stream(),
        Passing::Text => quote!(&#lifetime ::core::primitive::str),
        Passing::Bytes => quote!(&#lifetime [::core::primitive::u8]),
    }
}

/// The docs of the stub, beside those of a function that lives elsewhere, which are its own.
///
/// Those of a function that is here stay with it: its examples are run once, and a link to it means one thing.
fn docs(served: &ServedFunction) -> TokenStream {
    let ServedFunction { ident, signature, has_body, .. } = served;
    let text = match (has_body, served.docs.is_empty()) {
        (true, _) => format!(" The stub of [`{ident}`](fn@{ident}), by which others call it: `{signature}`."),
        (false, true) => format!(" The function `{ident}`, as its callers see it: `{signature}`."),
        (false, false) => format!("\n As its callers see it: `{signature}`."),
    };
    quote!(#[doc = #text])
}

/// An argument as the caller hands it to the client.
fn given(argument: &Argument, private: &TokenStream) -> TokenStream {
    let ident = &argument.ident;
    match argument.passing {
        Passing::Owned => ident.to_token_stream(),
        Passing::Text => quote!(#private::TextArgument::new(#ident)),
        Passing::Bytes => quote!(#private::BytesArgument::new(#ident)),
    }
}
