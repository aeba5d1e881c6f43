//! The project's files, as text and as tokens; in tokens, comments and texts cannot be taken for code.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The folder that the project is checked out in.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the project's folder")
}

/// Everything in the project, but what is generated and what git keeps for itself.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the project's folders can be read") {
            let path = entry.expect("the project's folders can be read").path();
            if path.is_file() {
                files.push(path);
            } else if !path.ends_with("target") && !path.ends_with(".git") {
                folders.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 100, "most of the project is missing");
    files
}

/// A source file: where it lies in the project, and its tokens.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<String>,
}

/// The Rust files below a folder of the project.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let below = root().join(folder);
    let files = files().into_iter().filter(|file| file.starts_with(&below) && file.extension() == Some("rs".as_ref()));
    let sources: Vec<Source> = files.map(|file| Source::read(&file)).collect();
    assert!(!sources.is_empty(), "there is nothing in {folder}");
    sources
}

impl Source {
    fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).expect("a source file is text");
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let path = file.strip_prefix(root()).expect("it lies in the project").display().to_string();
        Source { path, text, tokens }
    }

    /// Whether it lies in the module of this path, or below it: `guirpc/src/codec` is `codec.rs` and `codec/`.
    pub(crate) fn is_in(&self, module: &str) -> bool {
        self.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }

    /// Whether these tokens stand in it, one after the other.
    pub(crate) fn contains(&self, tokens: &str) -> bool {
        let tokens: Vec<&str> = tokens.split(' ').collect();
        self.tokens.windows(tokens.len()).any(|window| window == tokens)
    }

    /// Whether it declares an item that is public without restriction.
    pub(crate) fn has_public_items(&self) -> bool {
        self.tokens.windows(2).any(|pair| pair[0] == "pub" && pair[1] != "(")
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<String>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(open.to_owned());
                flatten(group.stream(), tokens);
                tokens.push(close.to_owned());
            }
            tree => tokens.push(tree.to_string()),
        }
    }
}

#[test]
fn comments_and_texts_are_no_code() {
    let mut tokens = Vec::new();
    let code = "/// amiquip\nfn f() { /* amiquip */ \"amiquip\"; amiquip::f() }";
    flatten(code.parse().expect("it is Rust"), &mut tokens);
    assert_eq!(tokens.iter().filter(|token| *token == "amiquip").count(), 1);
}
