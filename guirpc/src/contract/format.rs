//! A contract in other formats than its own: for the tools of others, and for people.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Contract, Function};

mod asyncapi;
mod components;
mod draft_07;
mod markdown;
mod openapi;
#[cfg(test)]
mod tests;

/// How a contract is written down.
///
/// ```
/// use guirpc::contract::Format;
///
/// assert_eq!("openapi".parse(), Ok(Format::OpenApi));
/// assert_eq!(Format::OpenApi.to_string(), "openapi");
/// let error = "swagger".parse::<Format>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "there is no format `swagger`; valid are `guirpc`, `asyncapi`, `openapi` and `markdown`",
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// guirpc's own, which has everything: [`Contract::to_json`].
    #[default]
    Guirpc,
    /// `AsyncAPI` 3.1: the messages as they are on the broker.
    AsyncApi,
    /// `OpenAPI` 3.1: an HTTP gateway to the service, which takes `POST /SERVICE/FUNCTION`.
    OpenApi,
    /// Markdown, for people.
    Markdown,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] = [Format::Guirpc, Format::AsyncApi, Format::OpenApi, Format::Markdown];

    /// Its name, by which it is also parsed.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Guirpc => "guirpc",
            Format::AsyncApi => "asyncapi",
            Format::OpenApi => "openapi",
            Format::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// There is no [`Format`] of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [others @ .., last] = Format::ALL.map(|format| format!("`{format}`"));
        write!(f, "there is no format `{}`; valid are {} and {last}", self.0, others.join(", "))
    }
}

impl std::error::Error for UnknownFormat {}

impl Contract {
    /// The contract in a format: sorted, the same text for the same contract, with an end of line.
    pub fn to_format(&self, format: Format) -> String {
        match format {
            Format::Guirpc => self.to_json(),
            Format::AsyncApi => asyncapi::written(self),
            Format::OpenApi => openapi::written(self),
            Format::Markdown => markdown::written(self),
        }
    }
}

/// A document as text.
fn pretty(document: &impl Serialize) -> String {
    // Its keys are texts, and none of its values refuses to be written.
    serde_json::to_string_pretty(document).map_or_else(|error| format!("{error}\n"), |text| text + "\n")
}

/// The first paragraph of a text, on one line.
fn first_paragraph(docs: &str) -> String {
    docs.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ")
}

/// What a function says of itself, and why it is deprecated.
fn description(function: &Function) -> String {
    let deprecated = match function.deprecated.as_deref() {
        None => String::new(),
        Some("") => "Deprecated.".to_owned(),
        Some(why) => format!("Deprecated: {why}"),
    };
    let paragraphs = [function.docs.trim_end(), &deprecated];
    paragraphs.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The members `summary` and `description`, of which there is only what says something.
fn insert_docs(function: &Function, into: &mut Map<String, Value>) {
    let (summary, description) = (first_paragraph(&function.docs), description(function));
    if description != summary {
        into.insert("description".to_owned(), description.into());
    }
    if !summary.is_empty() {
        into.insert("summary".to_owned(), summary.into());
    }
}

/// What other formats have no word for, as an extension.
fn extension(function: &Function) -> Value {
    let mut extension = Map::new();
    extension.insert("ack".to_owned(), json!(function.ack));
    extension.insert("coalesce".to_owned(), json!(function.coalesce));
    extension.insert("idempotent".to_owned(), json!(function.idempotent));
    extension.insert("signature".to_owned(), json!(function.signature));
    if let Some(timeout) = function.timeout_ms {
        extension.insert("timeout_ms".to_owned(), json!(timeout));
    }
    if let Some(lane) = &function.lane {
        extension.insert("lane".to_owned(), json!(lane));
    }
    Value::Object(extension)
}

/// The schema of the arguments as an object, of which each schema is as `schema` has it.
fn arguments(function: &Function, schema: impl Fn(&Value) -> Value) -> Value {
    let required: Vec<&str> =
        function.arguments.iter().filter(|argument| argument.required).map(|argument| argument.name.as_str()).collect();
    let properties: Map<String, Value> =
        function.arguments.iter().map(|argument| (argument.name.clone(), schema(&argument.ty.schema))).collect();
    let mut arguments = Map::new();
    arguments.insert("type".to_owned(), json!("object"));
    arguments.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        arguments.insert("required".to_owned(), json!(required));
    }
    Value::Object(arguments)
}

/// The schema of a fault or a refusal, with which any function may answer.
fn problem() -> Value {
    json!({
        "type": "object",
        "properties": {
            "message": { "type": "string", "description": "What went wrong, for people." },
            "details": { "description": "The same for programs, if the function gives any." },
        },
        "required": ["message"],
    })
}
