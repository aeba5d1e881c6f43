//! Writes out a served function: the stub, what is known of it, and its entry in the registry.
//!
//! It takes only what has been validated, so it cannot fail.
//! It names nothing but `::core` and the library's private module, and adds no name beside the stub's.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;

use crate::function::ServedFunction;
use crate::parameters::Argument;
use crate::types::Passing;

mod description;
mod implements;
mod registration;
mod returns;
mod stub;

/// Everything but the function itself.
pub(crate) fn expand(served: &ServedFunction) -> TokenStream {
    let library = &served.library;
    let private = quote!(#library::__private_0_1);
    let stub = stub::stub(served, &private);
    let function = function(served, &private);
    let description = description::description(served, &private);
    let registration = if served.has_body {
        registration::registration(served, &private)
    } else {
        registration::called(served, &private)
    };
    let implements = implements::implements(served, &private);
    quote!(#stub #function #description #registration #implements)
}

/// `impl Signature`, `impl Function`, and one `impl Takes` for each argument, so that each type is complained of by itself.
fn function(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ServedFunction { stub, cfgs, lints, .. } = served;
    let parameters = served.arguments().map(parameter_name);
    let options = served
        .options
        .implements
        .as_ref()
        .map_or_else(|| options(served, private), |declared| implements::options(declared, private));
    let count = served.arguments().count();
    let returns = returns::returns(&served.returns, private);
    let takes = takes(served, private);
    quote! {
        #(#cfgs)*
        #[allow(deprecated)]
        #(#lints)*
        impl #private::Signature for #stub {
            const PARAMETERS: &'static [&'static ::core::primitive::str] = &[#(#parameters),*];
            type Arity = #private::Arity<#count>;
        }

        #(#cfgs)*
        #[allow(deprecated)]
        #(#lints)*
        impl #private::Function for #stub {
            #options
            type Return = #returns;
        }
        #takes
    }
}

/// The name, and what else the attribute says of how the function is called.
fn options(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ServedFunction { name, options, .. } = served;
    let package = quote!(::core::env!("CARGO_PKG_NAME"));
    let service = options.service.as_ref().map_or(package, ToTokens::to_token_stream);
    let timeout = options.timeout.map_or(quote!(::core::option::Option::None), |timeout| {
        let (seconds, nanoseconds) = (timeout.as_secs(), timeout.subsec_nanos());
        quote!(::core::option::Option::Some(::core::time::Duration::new(#seconds, #nanoseconds)))
    });
    let idempotent = options.idempotent;
    let coalesce = options.coalesce.then(|| {
        quote!(
            const COALESCE: ::core::primitive::bool = true;
        )
    });
    let lane = options.lane.as_ref().map(|lane| {
        quote!(const LANE: ::core::option::Option<&'static ::core::primitive::str> = ::core::option::Option::Some(#lane);)
    });
    let dialect = options.is_python.then(|| quote!(const DIALECT: #private::Dialect = #private::Dialect::Python;));
    let python = options.python.as_ref().map(|python| {
        let python = python.expand(private);
        quote!(const PYTHON: #private::PythonOptions = #python;)
    });
    let contract = options.contract.as_ref().map(|contract| {
        quote! {
            const CONTRACT: ::core::option::Option<&'static ::core::primitive::str> =
                ::core::option::Option::Some(#contract);
        }
    });
    quote! {
        const NAME: &'static ::core::primitive::str = #name;
        const SERVICE: &'static ::core::primitive::str = #service;
        const TIMEOUT: ::core::option::Option<::core::time::Duration> = #timeout;
        const IDEMPOTENT: ::core::primitive::bool = #idempotent;
        #coalesce
        #lane
        #dialect
        #python
        #contract
    }
}

fn takes(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ServedFunction { stub, cfgs, lints, .. } = served;
    let each = served.arguments().enumerate().map(|(position, argument)| {
        let owned = &argument.ty;
        let (sent, taken) = match argument.passing {
            Passing::Owned => (quote!(#owned), quote!(#owned)),
            Passing::Text => (quote!(#private::TextArgument<'a>), quote!(&'a ::core::primitive::str)),
            Passing::Bytes => (quote!(#private::BytesArgument<'a>), quote!(&'a [::core::primitive::u8])),
        };
        quote! {
            #(#cfgs)*
            #[allow(deprecated)]
            #(#lints)*
            impl #private::Takes<#position> for #stub {
                type Argument<'a> = #sent;
                type Parameter<'a> = #taken;
            }
        }
    });
    each.collect()
}

fn parameter_name(argument: &Argument) -> String {
    argument.ident.unraw().to_string()
}
