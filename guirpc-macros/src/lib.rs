//! The attribute macro of [guirpc](https://docs.rs/guirpc); use it through that crate.

use proc_macro::TokenStream;

#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn function(_options: TokenStream, item: TokenStream) -> TokenStream {
    item
}
