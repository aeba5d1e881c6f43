//! What a function is for those who call it: names, types, text.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::parameter_name;
use super::returns::{returns, underlined};
use crate::function::ServedFunction;
use crate::text::written;
use crate::types::Passing;

/// `impl Described`.
pub(super) fn description(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    let ServedFunction { stub, cfgs, lints, signature, .. } = served;
    let parameters = served.arguments().map(|argument| {
        let name = parameter_name(argument);
        let ty = &argument.ty;
        let travels = match argument.passing {
            Passing::Owned => ty.to_token_stream(),
            Passing::Text => quote!(#private::TextDescription),
            Passing::Bytes => quote!(#private::BytesDescription),
        };
        let described = described(&travels, &written(ty), private);
        quote!(#private::Parameter { name: #name, ty: #described })
    });
    let output = written(&served.returns.ty);
    let (returned, failed) = served.returns.written();
    let part = |alias: TokenStream| underlined(&served.returns, &alias, &returns(&served.returns, private));
    let error = described(&part(quote!(#private::ErrorOfReturn)), &failed, private);
    let returns = described(&part(quote!(#private::OutputOfReturn)), &returned, private);
    let docs = docs(served, private);
    let deprecated = deprecated(served, private);
    quote! {
        #(#cfgs)*
        #[allow(deprecated, unused_imports)]
        #(#lints)*
        impl #private::Described for #stub {
            const DESCRIPTION: #private::Description = {
                use #private::Undescribed as _;
                #private::Description {
                    parameters: &[#(#parameters),*],
                    required: <<Self as #private::Signature>::Arity as #private::Arguments<Self>>::required,
                    output: #output,
                    returns: #returns,
                    error: #error,
                    signature: #signature,
                    docs: #docs,
                    deprecated: #deprecated,
                    place: #private::Place { file: ::core::file!(), line: ::core::line!() },
                }
            };
        }
    }
}

fn described(ty: &TokenStream, name: &str, private: &TokenStream) -> TokenStream {
    quote!(#private::TypeDescription::of::<#ty>(#name, <#private::DescriptionOf<#ty>>::SCHEMA))
}

/// The reason, or that of the function that is implemented.
fn deprecated(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    match (&served.deprecated, &served.options.implements) {
        (Some(reason), _) => quote!(::core::option::Option::Some(#reason)),
        (None, Some(declared)) => quote!(<#declared as #private::Described>::DESCRIPTION.deprecated),
        (None, None) => quote!(::core::option::Option::None),
    }
}

/// The doc comment as one text; a line may be an `include_str!`. Without one, that of the function that is implemented.
fn docs(served: &ServedFunction, private: &TokenStream) -> TokenStream {
    if let (true, Some(declared)) = (served.docs.is_empty(), &served.options.implements) {
        return quote!(<#declared as #private::Described>::DESCRIPTION.docs);
    }
    let lines: Option<Vec<String>> = served
        .docs
        .iter()
        .map(|line| match line {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        })
        .collect();
    let Some(lines) = lines else {
        let lines = &served.docs;
        return quote!(::core::concat!(#(#lines, "\n"),*));
    };
    let lines: Vec<&str> = lines.iter().flat_map(|line| line.split('\n')).map(without_indent).collect();
    lines.join("\n").trim().to_token_stream()
}

/// A doc comment begins with the space after `///`.
fn without_indent(line: &str) -> &str {
    line.strip_prefix(' ').unwrap_or(line).trim_end()
}
