//! The function as it was written, with a body or without.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::ParseStream;
use syn::{Attribute, FnArg, Result, Signature, Token, Visibility};

use crate::parameters::Marker;

/// A function as it was written, with a body or without.
pub(crate) struct Item {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// Not parsed: what is in it is between the user and the compiler.
    pub(crate) body: Option<Group>,
}

impl Item {
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !starts_function(input) {
            return Err(input.error("only functions can be served: `#[guirpc::function]` belongs on a `fn`"));
        }
        let signature = input.parse()?;
        let body = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            Some(body(input)?)
        };
        Ok(Item { attributes, visibility, signature, body })
    }

    /// The function for the compiler: as written, without the marks on its parameters.
    ///
    /// One without a body lives in another program, so here there is none.
    pub(crate) fn without_markers(&self) -> Option<TokenStream> {
        let Item { attributes, visibility, signature, body } = self;
        let body = body.as_ref()?;
        let mut signature = signature.clone();
        for input in &mut signature.inputs {
            if let FnArg::Typed(parameter) = input {
                parameter.attrs.retain(|attribute| Marker::of(attribute).is_none());
            }
        }
        Some(quote!(#(#attributes)* #visibility #signature #body))
    }
}

/// What stands in braces, or came as the `$body:block` of a macro.
fn body(input: ParseStream<'_>) -> Result<Group> {
    let wanted = input.error("the body of a function stands in braces; one without a body ends with `;`");
    match input.parse()? {
        TokenTree::Group(body) if matches!(body.delimiter(), Delimiter::Brace | Delimiter::None) => Ok(body),
        _ => Err(wanted),
    }
}

fn starts_function(input: ParseStream<'_>) -> bool {
    let is_const_item = input.peek(Token![const])
        && !input.peek2(Token![fn])
        && !input.peek2(Token![async])
        && !input.peek2(Token![unsafe])
        && !input.peek2(Token![extern]);
    let is_keyword = input.peek(Token![fn])
        || input.peek(Token![const])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern]);
    is_keyword && !is_const_item
}
