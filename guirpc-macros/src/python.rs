//! The option `python(…)`: how requests and replies are written where the other end is Python.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Result, Token};

use crate::diagnostics::Diagnostics;
use crate::setting::Setting;

const FORM: &str = "what is not JSON in ASCII, as in `python(request = \"text\", response = \"text\")`";
/// What can be chosen, and the library's word for it.
const SERIALIZERS: &[(&str, &str)] = &[("json", "Json"), ("text", "Text"), ("binary", "Binary")];
const CODECS: &[(&str, &str)] = &[("ascii", "Ascii"), ("utf-8", "Utf8"), ("latin-1", "Latin1")];

/// What was chosen, each with the text that says so.
#[derive(Default)]
pub(crate) struct Python {
    request: Option<Choice>,
    response: Option<Choice>,
    request_codec: Option<Choice>,
    response_codec: Option<Choice>,
}

struct Choice {
    text: LitStr,
    /// The library's word for it.
    variant: &'static str,
}

impl Python {
    /// What was chosen so far as it makes sense, and what does not.
    pub(crate) fn parse(setting: Setting) -> Result<(Self, Diagnostics)> {
        let settings = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(setting.list(FORM)?)?;
        let mut python = Python::default();
        let mut diagnostics = Diagnostics::default();
        for setting in settings {
            diagnostics.handle(python.set(setting));
        }
        python.refuse_useless(&mut diagnostics);
        Ok((python, diagnostics))
    }

    fn set(&mut self, setting: Setting) -> Result<()> {
        let key = setting.key.clone();
        let (slot, choices) = match key.to_string().as_str() {
            "request" => (&mut self.request, SERIALIZERS),
            "response" => (&mut self.response, SERIALIZERS),
            "request_codec" => (&mut self.request_codec, CODECS),
            "response_codec" => (&mut self.response_codec, CODECS),
            unknown => {
                let message = format!(
                    "`python` has no option `{unknown}`; valid are `request`, `response`, `request_codec` and \
                     `response_codec`"
                );
                return Err(Error::new_spanned(key, message));
            }
        };
        if slot.is_some() {
            return Err(Error::new_spanned(&key, format!("`{key}` is there twice")));
        }
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let form = format!("one of {}", names.join(", "));
        let text: LitStr = setting.value(&form)?;
        let chosen = choices.iter().find(|(name, _)| *name == text.value());
        let (_, variant) = chosen.ok_or_else(|| Error::new_spanned(&text, format!("`{key}` wants {form}")))?;
        *slot = Some(Choice { text, variant });
        Ok(())
    }

    fn refuse_useless(&self, diagnostics: &mut Diagnostics) {
        for (serializer, codec) in [(&self.request, &self.request_codec), (&self.response, &self.response_codec)] {
            if let (Some(Choice { variant: "Binary", .. }), Some(codec)) = (serializer, codec) {
                diagnostics.error(&codec.text, "a pickle is no text, so there are no characters to choose");
            }
        }
    }

    /// A text is one argument.
    pub(crate) fn refuse_several(&self, arguments: usize, diagnostics: &mut Diagnostics) {
        if let Some(Choice { text, variant: "Text" }) = &self.request
            && arguments > 1
        {
            let message = format!("a text is a single argument, and this function takes {arguments}: take `\"json\"`");
            diagnostics.error(text, message);
        }
    }

    /// The value that says so to the library.
    pub(crate) fn expand(&self, private: &TokenStream) -> TokenStream {
        let variant = |choice: &Option<Choice>, default| {
            Ident::new(choice.as_ref().map_or(default, |choice| choice.variant), Span::call_site())
        };
        let (request, response) = (variant(&self.request, "Json"), variant(&self.response, "Json"));
        let (request_codec, response_codec) =
            (variant(&self.request_codec, "Ascii"), variant(&self.response_codec, "Ascii"));
        quote! {
            #private::PythonOptions {
                request: #private::PythonSerializer::#request,
                response: #private::PythonSerializer::#response,
                request_codec: #private::PythonTextCodec::#request_codec,
                response_codec: #private::PythonTextCodec::#response_codec,
            }
        }
    }
}
