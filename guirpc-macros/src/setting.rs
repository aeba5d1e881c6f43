//! One option as it was typed, and what may stand behind its name.

use std::time::Duration;

use proc_macro2::{Group, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitStr, Result, Token, token};

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
        if !input.peek(Token![=]) {
            let message = format!("between an option and its value stands `=`, as in `{key} = …`");
            return Err(input.error(message));
        }
        input.parse::<Token![=]>()?;
        let mut value = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            value.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        Ok(Setting { key, value: Some(value), list: None })
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

    pub(crate) fn flag(&self) -> Result<()> {
        match (&self.value, &self.list) {
            (None, None) => Ok(()),
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

    pub(crate) fn python_dialect(self) -> Result<bool> {
        const FORM: &str = "`dialect = \"python\"`: callers write requests as the Python package guirpc does; \
                            without it, as this library does";
        let text: LitStr = self.value(FORM)?;
        match text.value().as_str() {
            "native" => Ok(false),
            "python" => Ok(true),
            _ => Err(Error::new_spanned(text, format!("`dialect` wants {FORM}"))),
        }
    }

    /// A name that AMQP can carry and that does not belong to the framework or the broker.
    pub(crate) fn routable(self) -> Result<LitStr> {
        let form = format!("a text, as in `{} = \"math\"`", self.key);
        let key = self.key.clone();
        let text: LitStr = self.value(&form)?;
        match unroutable(&text.value()) {
            Some(reason) => Err(Error::new_spanned(text, format!("`{key}` {reason}"))),
            None => Ok(text),
        }
    }

    /// A name that can stand behind the service's in the name of a queue.
    pub(crate) fn lane(self) -> Result<LitStr> {
        let text = self.routable()?;
        if matches!(text.value().as_str(), "dead" | "retry") {
            let message = "`lane` must not be `dead` or `retry`: the queues of those names are guirpc's own";
            return Err(Error::new_spanned(text, message));
        }
        Ok(text)
    }

    pub(crate) fn duration(self) -> Result<Duration> {
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

    pub(crate) fn early(self) -> Result<()> {
        const FORM: &str = "`ack = \"early\"`: acknowledged before the function runs, which then runs at most once; \
                            without it, after the reply";
        let text: LitStr = self.value(FORM)?;
        if text.value() == "early" { Ok(()) } else { Err(Error::new_spanned(text, format!("`ack` wants {FORM}"))) }
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
