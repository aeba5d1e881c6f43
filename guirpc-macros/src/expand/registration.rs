//! The entry in the registry, and in it the code that runs the function for a request.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;

use super::returns::{at_return_type, no_result};
use crate::function::ServedFunction;
use crate::parameters::{Argument, Input};
use crate::types::Passing;

pub(super) fn registration(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ServedFunction { stub, cfgs, lints, options, .. } = served;
    let ack = if options.early_ack { quote!(Early) } else { quote!(AfterReply) };
    let states = served.states();
    let no_result = no_result(&served.returns, private);
    let invoke = invoke(served, private);
    quote! {
        #(#cfgs)*
        #[allow(deprecated, non_snake_case, clippy::all, clippy::pedantic)]
        #(#lints)*
        impl #private::Registered for #stub {
            const REGISTRATION: #private::Registration = #private::Registration {
                name: <Self as #private::Function>::NAME,
                service: <Self as #private::Function>::SERVICE,
                description: <Self as #private::Described>::DESCRIPTION,
                lane: <Self as #private::Function>::LANE,
                timeout: <Self as #private::Function>::TIMEOUT,
                idempotent: <Self as #private::Function>::IDEMPOTENT,
                coalesce: <Self as #private::Function>::COALESCE,
                ack: #private::Ack::#ack,
                python: <Self as #private::Function>::PYTHON,
                states: &[#(#private::StateType::of::<#states>()),*],
                invoke: #invoke,
            };
        }

        #(#cfgs)*
        #[allow(deprecated)]
        #(#lints)*
        const _: () = {
            #no_result
            #private::inventory::submit! {
                <#stub as #private::Registered>::REGISTRATION
            }
        };
    }
}

/// The entry of a function that is called here and served elsewhere.
pub(super) fn called(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ServedFunction { stub, cfgs, lints, .. } = served;
    quote! {
        #(#cfgs)*
        #[allow(deprecated)]
        #(#lints)*
        const _: () = {
            #private::inventory::submit! {
                #private::Called {
                    name: <#stub as #private::Function>::NAME,
                    service: <#stub as #private::Function>::SERVICE,
                    description: <#stub as #private::Described>::DESCRIPTION,
                    lane: <#stub as #private::Function>::LANE,
                    timeout: <#stub as #private::Function>::TIMEOUT,
                    idempotent: <#stub as #private::Function>::IDEMPOTENT,
                    coalesce: <#stub as #private::Function>::COALESCE,
                    python: <#stub as #private::Function>::PYTHON,
                }
            }
        };
    }
}

/// Decodes, runs, encodes. A closure and not a function, whose name could hide the user's.
fn invoke(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ident = &served.ident;
    let invocation = Ident::new("invocation", Span::mixed_site());
    let patterns = served.arguments().map(local);
    let decode = quote!(#invocation.arguments::<Self>()?);
    let decode = if served.arguments().next().is_some() { quote!(let (#(#patterns,)*) = #decode) } else { decode };
    let inputs = served.inputs.iter().map(|input| match input {
        Input::State(ty) => quote!(#invocation.state::<#ty>()),
        Input::Context => quote!(#invocation.context()),
        Input::Argument(argument) => {
            let local = local(argument);
            match argument.passing {
                Passing::Owned => local.into_token_stream(),
                Passing::Text | Passing::Bytes => quote!(&#local),
            }
        }
    });
    let value = quote!(#ident(#(#inputs),*));
    let answer = at_return_type(&served.returns, quote!(answer));
    if !served.is_async {
        return quote! {
            #private::Invoke::Blocking(|#invocation| {
                #decode;
                #invocation.#answer::<Self>(#value)
            })
        };
    }
    let cancel = served.options.cancel.is_some();
    quote! {
        #private::Invoke::Async {
            run: |#invocation| #private::answer_future(async move {
                #decode;
                #invocation.#answer::<Self>(#value.await)
            }),
            cancel: #cancel,
        }
    }
}

/// An argument as a variable: its name hides neither the function nor the invocation.
fn local(argument: &Argument) -> Ident {
    Ident::new(&format!("argument_{}", argument.ident.unraw()), Span::mixed_site())
}
