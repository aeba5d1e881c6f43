//! The options of the attribute: `name = "…"`, `idempotent` and so on.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token};

use crate::diagnostics::Diagnostics;
use crate::python::Python;
use crate::setting::Setting;

/// The options, checked.
#[allow(clippy::struct_excessive_bools, reason = "each is a word that the user writes or leaves out")]
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) service: Option<LitStr>,
    pub(crate) lane: Option<LitStr>,
    pub(crate) stub: Option<Ident>,
    /// The function without a body that this one is the implementation of.
    pub(crate) implements: Option<Path>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idempotent: bool,
    pub(crate) coalesce: bool,
    pub(crate) early_ack: bool,
    /// Where it is said that a function is dropped at the deadline of its caller.
    pub(crate) cancel: Option<Ident>,
    /// Whether callers write requests in Python's dialect.
    pub(crate) is_python: bool,
    pub(crate) python: Option<Python>,
    /// The hash of the contract that a caller was made from.
    pub(crate) contract: Option<Expr>,
    pub(crate) kind: Option<Kind>,
    pub(crate) library: Option<Path>,
}

/// The user's correction where the name of the return type misleads.
pub(crate) enum Kind {
    Fallible(Ident),
    Infallible,
}

/// Everything about one option but its field of [`Options`] and what the expansion makes of that.
struct Declaration {
    key: &'static str,
    place: Place,
    read: fn(&mut Options, Setting) -> Result<()>,
}

/// Which functions take an option; with the reason why the others do not.
enum Place {
    Anywhere,
    WithBody(&'static str),
    WithoutBody(&'static str),
}

/// An option that any function takes.
const fn anywhere(key: &'static str, read: fn(&mut Options, Setting) -> Result<()>) -> Declaration {
    Declaration { key, place: Place::Anywhere, read }
}

/// All options, in the order in which the diagnostic of an unknown one lists them.
const OPTIONS: [Declaration; 16] = [
    anywhere("name", |options, it| it.routable().map(|name| options.name = Some(name))),
    anywhere("service", |options, it| it.routable().map(|service| options.service = Some(service))),
    anywhere("lane", |options, it| it.lane().map(|lane| options.lane = Some(lane))),
    anywhere("stub", |options, it| it.value("a name, as in `stub = add_call`").map(|stub| options.stub = Some(stub))),
    Declaration {
        key: "implements",
        place: Place::WithBody("a function without a body is what others implement"),
        read: |options, it| {
            it.value("the path of a function without a body, as in `implements = orders_api::place`")
                .map(|path| options.implements = Some(path))
        },
    },
    anywhere("timeout", |options, it| it.duration().map(|timeout| options.timeout = Some(timeout))),
    anywhere("idempotent", |options, it| it.flag().map(|()| options.idempotent = true)),
    anywhere("coalesce", |options, it| it.flag().map(|()| options.coalesce = true)),
    Declaration {
        key: "ack",
        place: Place::WithBody("a function without a body is served elsewhere, and `ack` is said there"),
        read: |options, it| it.early().map(|()| options.early_ack = true),
    },
    Declaration {
        key: "cancel",
        place: Place::WithBody("a function without a body is served elsewhere, and `cancel` is said there"),
        read: |options, it| {
            let key = it.key.clone();
            it.flag().map(|()| options.cancel = Some(key))
        },
    },
    Declaration {
        key: "dialect",
        place: Place::WithoutBody(
            "a function with a body answers in the dialect in which it is called; `dialect` is for one without, \
             and `python(…)` says how Python calls it",
        ),
        read: |options, it| it.python_dialect().map(|is_python| options.is_python = is_python),
    },
    anywhere("python", |options, it| {
        let (python, diagnostics) = Python::parse(it)?;
        options.python = Some(python);
        diagnostics.finish(Some(()))
    }),
    Declaration {
        key: "contract",
        place: Place::WithoutBody(
            "a function with a body is described by its own contract; `contract` is for one without",
        ),
        read: |options, it| {
            it.value("the hash of a contract, as in `contract = \"…\"`")
                .map(|contract| options.contract = Some(contract))
        },
    },
    anywhere("fallible", |options, it| options.decide(it, Kind::Fallible)),
    anywhere("infallible", |options, it| options.decide(it, |_| Kind::Infallible)),
    anywhere("crate", |options, it| {
        it.value("a path, as in `crate = my_library::guirpc`").map(|library| options.library = Some(library))
    }),
];

/// What is said of the function that runs, and not of the one that is called.
const OWN_OF_AN_IMPLEMENTATION: [&str; 7] = ["implements", "stub", "ack", "cancel", "fallible", "infallible", "crate"];

impl Options {
    /// Reads all options, recording what is wrong with each.
    pub(crate) fn parse(options: TokenStream, function: &Ident, has_body: bool, diagnostics: &mut Diagnostics) -> Self {
        let mut checked = Options::default();
        let settings = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(options);
        let Some(settings) = diagnostics.handle(settings) else { return checked };
        let mut seen: Vec<Ident> = Vec::new();
        for setting in settings {
            if seen.contains(&setting.key) {
                diagnostics.error(&setting.key, format!("`{}` is there twice", setting.key));
            }
            seen.push(setting.key.clone());
            let Some(declaration) = OPTIONS.iter().find(|declaration| setting.key == declaration.key) else {
                diagnostics.error(&setting.key, unknown(&setting.key));
                continue;
            };
            match (&declaration.place, has_body) {
                (Place::WithBody(reason), false) | (Place::WithoutBody(reason), true) => {
                    diagnostics.error(&setting.key, reason);
                }
                _ => {}
            }
            diagnostics.handle((declaration.read)(&mut checked, setting));
        }
        if checked.implements.is_some() {
            for key in seen.iter().filter(|key| !OWN_OF_AN_IMPLEMENTATION.iter().any(|own| *key == own)) {
                let message = format!(
                    "`{key}` is said where the function is declared that this one implements, so leave it out here"
                );
                diagnostics.error(key, message);
            }
        }
        if !has_body && !seen.iter().any(|key| key == "service" || key == "implements") {
            let message = "a function without a body is served by another program: say by which service, as in \
                           `#[guirpc::function(service = \"math\")]`";
            diagnostics.error(function, message);
        }
        checked
    }

    /// Settles whether the return type is a `Result`.
    fn decide(&mut self, setting: Setting, kind: impl FnOnce(Ident) -> Kind) -> Result<()> {
        setting.flag()?;
        // Then the name of the return type decides.
        if self.kind.take().is_some() {
            return Err(Error::new_spanned(setting.key, "`fallible` and `infallible` contradict each other"));
        }
        self.kind = Some(kind(setting.key));
        Ok(())
    }
}

fn unknown(key: &Ident) -> String {
    let [others @ .., last] = OPTIONS.map(|declaration| format!("`{}`", declaration.key));
    format!("there is no option `{key}`; valid are {} and {last}", others.join(", "))
}
