//! `#[guirpc::service("…")]`: the option `service` for every function in a module.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Ident, LitStr, Meta, Result, Token, Visibility};

use crate::setting::unroutable;

/// The module, with the option on each of its functions that does not say otherwise; the module as it is beside errors.
pub(crate) fn name_service(name: TokenStream, item: &TokenStream) -> TokenStream {
    let named = service_name(name).and_then(|name| Module::parse.parse2(item.clone()).map(|module| (name, module)));
    match named {
        Ok((name, Module { attributes, visibility, ident, content })) => {
            let content = within(content.stream(), &name);
            quote!(#(#attributes)* #visibility mod #ident { #content })
        }
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#item #error)
        }
    }
}

fn service_name(tokens: TokenStream) -> Result<LitStr> {
    const FORM: &str = "`service` wants the name of a service, as in `#[guirpc::service(\"orders\")]`";
    if tokens.is_empty() {
        return Err(Error::new(proc_macro2::Span::call_site(), FORM));
    }
    let name: LitStr = syn::parse2(tokens.clone()).map_err(|_| Error::new_spanned(tokens, FORM))?;
    match unroutable(&name.value()) {
        Some(reason) => Err(Error::new_spanned(name, format!("`service` {reason}"))),
        None => Ok(name),
    }
}

struct Module {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    ident: Ident,
    /// Not parsed: functions without a body are no Rust.
    content: Group,
}

impl Parse for Module {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !input.peek(Token![mod]) {
            let message = "`#[guirpc::service(…)]` belongs on a module with functions in it, as in `mod orders { … }`; \
                           for one function there is the option `service`";
            return Err(input.error(message));
        }
        input.parse::<Token![mod]>()?;
        let ident = input.parse()?;
        if input.peek(Token![;]) {
            let message = "a module in a file of its own cannot be seen from here: put its functions in braces, as in \
                           `mod orders { … }`";
            return Err(input.error(message));
        }
        Ok(Module { attributes, visibility, ident, content: input.parse()? })
    }
}

/// The items of a module, those of modules inside it too.
fn within(items: TokenStream, name: &LitStr) -> TokenStream {
    let mut rewritten = TokenStream::new();
    let mut before: [Option<TokenTree>; 2] = [None, None];
    for token in items {
        let token = match token {
            TokenTree::Group(group) => TokenTree::Group(match (group.delimiter(), &before) {
                (Delimiter::Bracket, [_, Some(TokenTree::Punct(hash))]) if hash.as_char() == '#' => {
                    attribute(group, name)
                }
                (Delimiter::Brace, [Some(TokenTree::Ident(keyword)), Some(TokenTree::Ident(_))])
                    if keyword == "mod" =>
                {
                    regrouped(&group, within(group.stream(), name))
                }
                _ => group,
            }),
            token => token,
        };
        let [_, last] = before;
        before = [last, Some(token.clone())];
        rewritten.extend([token]);
    }
    rewritten
}

/// An attribute: with the option, if it is `function` by whatever path, and names no service.
fn attribute(group: Group, name: &LitStr) -> Group {
    let Ok(meta) = syn::parse2::<Meta>(group.stream()) else { return group };
    if meta.path().segments.last().is_none_or(|last| last.ident != "function") {
        return group;
    }
    match meta {
        Meta::Path(path) => regrouped(&group, quote!(#path(service = #name))),
        Meta::List(list) if !says_service(&list.tokens) => {
            let (path, options) = (&list.path, &list.tokens);
            let separator = (!options.is_empty()).then(|| quote!(,));
            regrouped(&group, quote!(#path(service = #name #separator #options)))
        }
        _ => group,
    }
}

/// Whether the options name the service, or another function that does.
fn says_service(options: &TokenStream) -> bool {
    let mut is_first = true;
    options.clone().into_iter().any(|token| {
        let is_key = is_first && matches!(&token, TokenTree::Ident(key) if key == "service" || key == "implements");
        is_first = matches!(&token, TokenTree::Punct(comma) if comma.as_char() == ',');
        is_key
    })
}

fn regrouped(group: &Group, content: TokenStream) -> Group {
    let mut new = Group::new(group.delimiter(), content);
    new.set_span(group.span());
    new
}
