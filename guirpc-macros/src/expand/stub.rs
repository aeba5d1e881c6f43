//! The stub: the uninhabited type that callers name, and its ways to call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

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
    let [call_docs, call_async_docs, start_docs, send_docs, send_async_docs] = [
        format!(" Calls `{ident}` and waits for what it returns: `{output}`."),
        format!(" Calls `{ident}`; a future of what it returns: `{output}`."),
        format!(" Calls `{ident}` without waiting; what it returns, `{output}`, is waited for, or awaited, later."),
        format!(" Has `{ident}` run without a reply (fire-and-forget); waits until the broker has the message."),
        format!(" Has `{ident}` run without a reply; a future that is ready when the broker has the message."),
    ];
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
