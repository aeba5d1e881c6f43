//! The attribute macro of [guirpc](https://docs.rs/guirpc); use it through that crate.
//!
//! The function as written is an `item`; its options are read in `attribute` (one option as typed is a `setting`), its parts in `parameters`, `types` and
//! `returns`. What comes of them is the model in `function`, in which nothing is left to check; `expand` writes it out.

mod attribute;
mod diagnostics;
mod expand;
mod function;
#[cfg(test)]
mod golden;
mod item;
mod parameters;
mod python;
mod returns;
mod service;
mod setting;
mod text;
mod types;

use proc_macro2::TokenStream;
use syn::parse::Parser;

use crate::diagnostics::Diagnostics;
use crate::function::ServedFunction;
use crate::item::Item;

/// Serves a function, and makes a typed stub by which it is called; documented in the crate guirpc.
#[proc_macro_attribute]
pub fn function(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    serve(options.into(), &item.into()).into()
}

/// Says once which service the functions in a module belong to; documented in the crate guirpc.
#[proc_macro_attribute]
pub fn service(name: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    service::name_service(name.into(), &item.into()).into()
}

/// The function, beside it everything that serves and calls it, and everything that is wrong with it.
///
/// A mistake in an option leaves the stub, so that nobody who calls the function hears of it as well.
fn serve(options: TokenStream, item: &TokenStream) -> TokenStream {
    let parsed = match Item::parse.parse2(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            // What cannot be parsed is emitted as it is: the compiler may report more about it.
            let error = error.into_compile_error();
            return quote::quote!(#item #error);
        }
    };
    let function = parsed.without_markers();
    let mut diagnostics = Diagnostics::default();
    let rest = ServedFunction::validate(options, parsed, &mut diagnostics).map(|served| expand::expand(&served));
    let errors = diagnostics.into_error().map(syn::Error::into_compile_error);
    quote::quote!(#function #rest #errors)
}
