//! The return type where it is written out, underlined as the user's own.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;

use crate::returns::Returns;

/// The return type inside the marker that says how to take it apart.
pub(super) fn returns(returns: &Returns, private: &TokenStream) -> TokenStream {
    let marker = if returns.is_fallible { quote!(#private::Fallible) } else { quote!(#private::Infallible) };
    let inner = underlined(returns, &marker, &returns.ty.to_token_stream());
    if returns.is_replying { underlined(returns, &quote!(#private::Replying), &inner) } else { inner }
}

/// `path<inner>`, which the compiler underlines as the user's return type if there is something wrong with it.
///
/// All complaints about one return type are then the same complaint, and the compiler prints it once.
pub(super) fn underlined(returns: &Returns, path: &TokenStream, inner: &TokenStream) -> TokenStream {
    let (first, last) = ends(returns);
    let path = located(path.clone(), first);
    let (open, close) = (located(quote!(<), first), located(quote!(>), last));
    quote!(#path #open #inner #close)
}

/// The tokens, underlined as the return type if there is something wrong with them.
pub(super) fn at_return_type(returns: &Returns, tokens: TokenStream) -> TokenStream {
    located(tokens, ends(returns).0)
}

/// Checks that a return type which is taken for plain data is no `Result` in disguise.
pub(super) fn no_result(returns: &Returns, private: &TokenStream) -> Option<TokenStream> {
    if returns.is_fallible || !returns.is_written {
        return None;
    }
    let ty = &returns.ty;
    let (first, last) = ends(returns);
    let call = located(quote!(#private::refuse_result), first);
    let is_result = located(quote!((<#private::ReturnType<#ty>>::IS_RESULT)), last);
    Some(quote! {
        use #private::NoResult as _;
        #call #is_result;
    })
}

/// The spans of the first and of the last token: what the compiler underlines as one.
fn ends(returns: &Returns) -> (Span, Span) {
    if !returns.is_written {
        return (Span::call_site(), Span::call_site());
    }
    let tokens = returns.ty.to_token_stream();
    let first = tokens.span();
    (first, tokens.into_iter().last().map_or(first, |token| token.span()))
}

/// Moves tokens that the macro made to a place in the user's code; what their names mean stays as it is.
///
/// Two spans are joined only if they agree in that, so it is done to all of them alike.
pub(super) fn located(tokens: TokenStream, span: Span) -> TokenStream {
    let locate = |mut token: proc_macro2::TokenTree| {
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.into_iter().map(locate).collect()
}
