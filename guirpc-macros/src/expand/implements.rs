//! A function that implements one without a body: what it takes over from it, and what the compiler holds it to.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Lifetime, Path};

use super::parameter_name;
use super::returns::{at_return_type, located};
use super::stub::taken;
use crate::function::ServedFunction;

/// What is said where the function is declared.
pub(super) fn options(declared: &Path, private: &TokenStream) -> TokenStream {
    let same = |name: &str, ty: TokenStream| {
        let name = syn::Ident::new(name, proc_macro2::Span::call_site());
        quote!(const #name: #ty = <#declared as #private::Function>::#name;)
    };
    let text = quote!(&'static ::core::primitive::str);
    let flag = quote!(::core::primitive::bool);
    [
        same("NAME", text.clone()),
        same("SERVICE", text.clone()),
        same("LANE", quote!(::core::option::Option<#text>)),
        same("TIMEOUT", quote!(::core::option::Option<::core::time::Duration>)),
        same("IDEMPOTENT", flag.clone()),
        same("COALESCE", flag),
        same("DIALECT", quote!(#private::Dialect)),
        same("PYTHON", quote!(#private::PythonOptions)),
    ]
    .into_iter()
    .collect()
}

/// Holds the function to the signature of the one that it implements, each complaint on the user's own token.
pub(super) fn implements(served: &ServedFunction, private: &TokenStream) -> Option<TokenStream> {
    let declared = served.options.implements.as_ref()?;
    let ServedFunction { stub, cfgs, lints, ident, .. } = served;
    let names = served.arguments().map(parameter_name);
    let agree = located(
        quote! {
            #private::refuse_other_arguments(
                #private::same_names(<#declared as #private::Signature>::PARAMETERS, &[#(#names),*])
            );
        },
        ident.span(),
    );
    let lifetime = Lifetime::new("'static", proc_macro2::Span::call_site());
    let arguments = served.arguments().enumerate().map(|(position, argument)| {
        let here = taken(argument, &lifetime);
        let check =
            quote!(#private::same_argument::<#here, <#declared as #private::Takes<#position>>::Parameter<'static>>(););
        located(check, argument.ty.span())
    });
    let output = |of: &TokenStream, part: &str| {
        let part = syn::Ident::new(part, proc_macro2::Span::call_site());
        quote!(<<#of as #private::Function>::Return as #private::Return>::#part)
    };
    let (here, there) = (stub.to_token_stream(), declared.to_token_stream());
    let returns = ["Output", "Error"].map(|part| {
        let (here, there) = (output(&here, part), output(&there, part));
        let check = if part == "Output" { quote!(same_output) } else { quote!(same_error) };
        at_return_type(&served.returns, quote!(#private::#check::<#here, #there>();))
    });
    Some(quote! {
        #(#cfgs)*
        #[allow(deprecated)]
        #(#lints)*
        const _: () = {
            #agree
            #(#arguments)*
            #(#returns)*
        };
    })
}
