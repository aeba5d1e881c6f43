//! Golden expansions: what the attribute makes of the functions in `golden/NAME.rs` stands in `NAME.expanded.rs`.
//!
//! `GUIRPC_BLESS=1 cargo test -p guirpc-macros` rewrites them; the workspace's tests compile them as well.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, File, Item, Meta};

/// The file with the attribute on each function replaced by what it expands to.
fn expanded(source: &str) -> String {
    let file = syn::parse_file(source).expect("a golden source is Rust");
    let items: TokenStream = file.items.into_iter().map(expanded_item).collect();
    let file: File = syn::parse2(items).expect("an expansion is Rust");
    format!("// Written by `GUIRPC_BLESS=1 cargo test -p guirpc-macros`.\n\n{}", prettyplease::unparse(&file))
}

fn expanded_item(item: Item) -> TokenStream {
    match item {
        Item::Fn(mut function) => match take_attribute(&mut function.attrs) {
            Some(options) => crate::serve(options, &function.into_token_stream()),
            None => function.into_token_stream(),
        },
        // What syn has no name for: a function without a body.
        Item::Verbatim(tokens) => {
            let mut item = syn::parse::Parser::parse2(crate::item::Item::parse, tokens).expect("a function");
            let options = take_attribute(&mut item.attributes).expect("a function without a body has the attribute");
            let crate::item::Item { attributes, visibility, signature, .. } = &item;
            crate::serve(options, &quote!(#(#attributes)* #visibility #signature;))
        }
        item => item.into_token_stream(),
    }
}

/// The options in `#[guirpc::function(…)]`, which is removed.
fn take_attribute(attributes: &mut Vec<Attribute>) -> Option<TokenStream> {
    let is_ours = |attribute: &Attribute| {
        attribute.path().segments.iter().map(|s| s.ident.to_string()).eq(["guirpc", "function"])
    };
    let position = attributes.iter().position(is_ours)?;
    Some(match attributes.remove(position).meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    })
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// The first two names of every path in an expansion that begins with `::`.
fn absolute_paths(expanded: &str) -> Vec<String> {
    let begins = |(at, _): &(usize, &str)| {
        let before = expanded[..*at].trim_end();
        let continues = |last: char| last.is_alphanumeric() || "_>".contains(last);
        before.ends_with("->") || !before.ends_with(continues)
    };
    let paths = expanded.match_indices("::").filter(begins);
    paths.map(|(at, _)| expanded[at + 2..].split("::").take(2).collect::<Vec<_>>().join("::")).collect()
}

#[track_caller]
fn check(name: &str) {
    let source = fs::read_to_string(golden(&format!("{name}.rs"))).expect("the golden source is readable");
    let expanded = expanded(&source);
    let path = golden(&format!("{name}.expanded.rs"));
    if std::env::var_os("GUIRPC_BLESS").is_some() {
        fs::write(&path, &expanded).expect("the golden expansion is writable");
    }
    let paths = absolute_paths(&expanded);
    assert!(!paths.is_empty(), "every expansion names something");
    for path in paths {
        assert!(path.starts_with("core::") || path == "guirpc::__private_0_1", "an expansion names `::{path}`");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expanded == committed,
        "{} has changed; if it should, run `GUIRPC_BLESS=1 cargo test -p guirpc-macros` and look at the difference. \
         It is now:\n{expanded}",
        path.display(),
    );
}

#[test]
fn a_plain_function() {
    check("add");
}

#[test]
fn state_context_and_options() {
    check("find");
}

#[test]
fn an_async_function_with_a_reply_in_an_alias_of_result() {
    check("store");
}

#[test]
fn functions_without_a_body() {
    check("elsewhere");
}

#[test]
fn functions_that_python_calls_or_serves() {
    check("python");
}
