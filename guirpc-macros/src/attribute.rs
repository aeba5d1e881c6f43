//! The options of the attribute: `name = "…"`, `idempotent` and so on.

use std::time::Duration;

use proc_macro2::{Group, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Path, Result, Token, token};

use crate::mistakes::Mistakes;
use crate::python::Python;

/// The options, checked.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) service: Option<LitStr>,
    pub(crate) lane: Option<LitStr>,
    pub(crate) stub: Option<Ident>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idempotent: bool,
    /// The option itself, for whoever has to refuse it.
    pub(crate) early_ack: Option<Ident>,
    /// The option itself, and whether callers speak Python's dialect.
    pub(crate) dialect: Option<(Ident, bool)>,
    pub(crate) python: Option<Python>,
    pub(crate) kind: Option<Kind>,
    pub(crate) library: Option<Path>,
}

/// What the user says of the return type, where its name says something else.
pub(crate) enum Kind {
    Fallible(Ident),
    Infallible,
}

/// One option as it was typed.
pub(crate) struct Setting {
    pub(crate) key: Ident,
    value: Option<TokenStream>,
    /// What stands in parentheses behind the key.
    list: Option<Group>,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let key = Ident::parse_any(input)?;
        if input.peek(token::Paren) {
            return Ok(Setting { key, value: None, list: Some(input.parse()?) });
        }
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(Setting { key, value: None, list: None });
        }
        input.parse::<Token![=]>()?;
        let mut value = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            value.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        Ok(Setting { key, value: Some(value), list: None })
    }
}

impl Options {
    /// Reads all options, noting what is wrong with each.
    pub(crate) fn parse(options: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut checked = Options::default();
        let settings = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(options);
        let mut seen: Vec<Ident> = Vec::new();
        for setting in mistakes.keep(settings).into_iter().flatten() {
            if seen.contains(&setting.key) {
                mistakes.note(&setting.key, format!("`{}` is there twice", setting.key));
            }
            seen.push(setting.key.clone());
            mistakes.keep(checked.set(setting));
        }
        checked
    }

    fn set(&mut self, setting: Setting) -> Result<()> {
        match setting.key.to_string().as_str() {
            "name" => self.name = Some(setting.routable()?),
            "service" => self.service = Some(setting.routable()?),
            "lane" => self.lane = Some(setting.lane()?),
            "stub" => self.stub = Some(setting.value("a name, as in `stub = add_call`")?),
            "timeout" => self.timeout = Some(setting.duration()?),
            "idempotent" => self.idempotent = setting.flag()?,
            "ack" => self.early_ack = Some(setting.early()?),
            "dialect" => self.dialect = Some(setting.dialect()?),
            "python" => {
                let (python, mistakes) = Python::parse(setting)?;
                self.python = Some(python);
                mistakes.unless_any(Some(()))?;
            }
            "fallible" => self.say(setting, Kind::Fallible)?,
            "infallible" => self.say(setting, |_| Kind::Infallible)?,
            "crate" => self.library = Some(setting.value("a path, as in `crate = my_library::guirpc`")?),
            unknown => {
                let message = format!(
                    "there is no option `{unknown}`; valid are `name`, `service`, `lane`, `stub`, `timeout`, \
                     `idempotent`, `ack`, `dialect`, `python`, `fallible`, `infallible` and `crate`"
                );
                return Err(Error::new_spanned(setting.key, message));
            }
        }
        Ok(())
    }

    fn say(&mut self, setting: Setting, kind: impl FnOnce(Ident) -> Kind) -> Result<()> {
        setting.flag()?;
        if self.kind.is_some() {
            return Err(Error::new_spanned(setting.key, "`fallible` and `infallible` contradict each other"));
        }
        self.kind = Some(kind(setting.key));
        Ok(())
    }
}

impl Setting {
    pub(crate) fn value<T: Parse>(self, form: &str) -> Result<T> {
        let message = format!("`{}` wants {form}", self.key);
        match self.value {
            None if self.list.is_some() => Err(Error::new_spanned(self.list, message)),
            Some(value) if !value.is_empty() => {
                syn::parse2(value.clone()).map_err(|_| Error::new_spanned(value, message))
            }
            _ => Err(Error::new_spanned(self.key, message)),
        }
    }

    fn flag(&self) -> Result<bool> {
        match (&self.value, &self.list) {
            (None, None) => Ok(true),
            (Some(value), _) => Err(surplus(&self.key, value)),
            (None, Some(list)) => Err(surplus(&self.key, list)),
        }
    }

    /// What stands in parentheses, or what should.
    pub(crate) fn list(self, form: &str) -> Result<TokenStream> {
        let message = format!("`{}` wants {form}", self.key);
        match (self.list, self.value) {
            (Some(list), _) => Ok(list.stream()),
            (None, Some(value)) if !value.is_empty() => Err(Error::new_spanned(value, message)),
            (None, _) => Err(Error::new_spanned(self.key, message)),
        }
    }

    fn dialect(self) -> Result<(Ident, bool)> {
        const FORM: &str = "`dialect = \"python\"`: callers write requests as the Python package guirpc does; \
                            without it, as this library does";
        let key = self.key.clone();
        let text: LitStr = self.value(FORM)?;
        match text.value().as_str() {
            "native" => Ok((key, false)),
            "python" => Ok((key, true)),
            _ => Err(Error::new_spanned(text, format!("`dialect` wants {FORM}"))),
        }
    }

    /// A name that AMQP can carry and that does not belong to the framework or the broker.
    fn routable(self) -> Result<LitStr> {
        let form = format!("a text, as in `{} = \"math\"`", self.key);
        let key = self.key.clone();
        let text: LitStr = self.value(&form)?;
        match unroutable(&text.value()) {
            Some(reason) => Err(Error::new_spanned(text, format!("`{key}` {reason}"))),
            None => Ok(text),
        }
    }

    /// A name that can stand behind the service's in the name of a queue.
    fn lane(self) -> Result<LitStr> {
        let text = self.routable()?;
        if matches!(text.value().as_str(), "dead" | "retry") {
            let message = "`lane` must not be `dead` or `retry`: the queues of those names are guirpc's own";
            return Err(Error::new_spanned(text, message));
        }
        Ok(text)
    }

    fn duration(self) -> Result<Duration> {
        const FORM: &str = "a duration, as in `timeout = \"2s\"`, `\"150ms\"` or `\"1m 30s\"`";
        let text: LitStr = self.value(FORM)?;
        match humantime::parse_duration(&text.value()) {
            Ok(duration) if duration.is_zero() => {
                Err(Error::new_spanned(text, "`timeout` must leave some time, as in `timeout = \"2s\"`"))
            }
            Ok(duration) => Ok(duration),
            Err(_) => Err(Error::new_spanned(text, format!("`timeout` wants {FORM}"))),
        }
    }

    fn early(self) -> Result<Ident> {
        const FORM: &str = "`ack = \"early\"`: acknowledged before the function runs, which then runs at most once; \
                            without it, after the reply";
        let key = self.key.clone();
        let text: LitStr = self.value(FORM)?;
        if text.value() == "early" { Ok(key) } else { Err(Error::new_spanned(text, format!("`ack` wants {FORM}"))) }
    }
}

fn surplus(key: &Ident, value: &impl ToTokens) -> Error {
    let message = format!("`{key}` takes no value: write `{key}`, or leave it out");
    Error::new_spanned(value, message)
}

/// Why a name cannot be that of a function or a service.
pub(crate) fn unroutable(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("must not be empty");
    }
    if name.len() > 255 {
        return Some("is longer than 255 bytes, which is the most that AMQP carries");
    }
    if name.starts_with("guirpc.") || name.starts_with("amq.") {
        return Some("must not begin with `guirpc.` or `amq.`: those names belong to the framework and to the broker");
    }
    None
}
