//! The attribute macro of [guirpc](https://docs.rs/guirpc); use it through that crate.
//!
//! The function as written is an `item`; its options are read in `attribute`, its parts in `parameters`, `types` and
//! `returns`. What comes of them is the model in `function`, in which nothing is left to check; `expand` writes it out.

mod attribute;
mod expand;
mod function;
#[cfg(test)]
mod golden;
mod item;
mod mistakes;
mod parameters;
mod python;
mod returns;
mod text;
mod types;

use proc_macro2::TokenStream;
use syn::parse::Parser;

use crate::function::Served;
use crate::item::Item;

/// Serves a function, and makes a typed stub by which it is called; documented in the crate guirpc.
#[proc_macro_attribute]
pub fn function(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    serve(options.into(), &item.into()).into()
}

/// The function, and beside it either everything that serves and calls it or everything that is wrong with it.
fn serve(options: TokenStream, item: &TokenStream) -> TokenStream {
    let parsed = match Item::parse.parse2(item.clone()) {
        Ok(parsed) => parsed,
        Err(mistake) => {
            // What cannot be read is handed on as it is: the compiler may have more to say about it.
            let mistake = mistake.into_compile_error();
            return quote::quote!(#item #mistake);
        }
    };
    let function = parsed.without_markers();
    let rest = match Served::validate(options, parsed) {
        Ok(served) => expand::expand(&served),
        Err(mistakes) => mistakes.into_compile_error(),
    };
    quote::quote!(#function #rest)
}
