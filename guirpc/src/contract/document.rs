//! The document: plain data, sorted, the same bytes for the same service.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the document's format, its member `contract`.
///
/// Members may be added within a version, so whoever reads one ignores those that it does not know.
pub const FORMAT_VERSION: u32 = 1;

/// What a service promises its callers.
///
/// As JSON it is guirpc's own format of contracts, which is specified on the page [`contracts`](crate::contracts).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contract {
    /// [`FORMAT_VERSION`].
    pub contract: u32,
    /// The name of the service.
    pub service: String,
    /// Tells one contract from another: 32 hexadecimal digits, of everything else in the document.
    pub hash: String,
    /// Its functions, by name.
    pub functions: BTreeMap<String, Function>,
    /// The schemas that those of the functions refer to.
    #[serde(default, skip_serializing_if = "Definitions::is_empty")]
    pub definitions: Definitions,
}

/// Schemas by name, to which `$ref`s point: `#/definitions/input/NAME` and `#/definitions/output/NAME`.
///
/// A type that is both taken and returned is in both, since what may be left out on the one way may be there always on
/// the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Definitions {
    /// Of what servers read: the arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub input: BTreeMap<String, Value>,
    /// Of what servers write: outputs and errors.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub output: BTreeMap<String, Value>,
}

impl Definitions {
    fn is_empty(&self) -> bool {
        self.input.is_empty() && self.output.is_empty()
    }
}

/// A function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Function {
    /// Its doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// Why it is deprecated, if it is; empty if no reason is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// The signature, as written in Rust.
    pub signature: String,
    /// Its arguments, in order.
    pub arguments: Vec<Argument>,
    /// What it returns.
    pub output: Output,
    /// The error of its own that it may return, beside faults and refusals, which any function may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// How long its callers wait unless they say otherwise, in milliseconds, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// The lane that serves it: a queue `SERVICE.LANE` beside that of its service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Whether it is safe to run twice for one call.
    pub idempotent: bool,
    /// `after-reply`: it runs at least once; `early`: at most once.
    pub ack: String,
    /// Whether its calls travel together unless a client says otherwise.
    pub coalesce: bool,
    /// How it is called in the dialect of the Python package of the same name, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Python>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Whether it has to be there; if not, one that is left out is `null`.
    pub required: bool,
    /// Its type.
    #[serde(flatten)]
    pub ty: Type,
}

/// What a function returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Output {
    /// Its type.
    #[serde(flatten)]
    pub ty: Type,
}

/// An error of a function's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Error {
    /// The status of a reply that carries it.
    pub status: u16,
    /// Its type.
    #[serde(flatten)]
    pub ty: Type,
}

/// A type: how it travels, in MessagePack and in JSON alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Type {
    /// As written in Rust.
    pub rust: String,
    /// Its JSON Schema (2020-12); `true` if the type does not describe itself, so that it may be anything.
    pub schema: Value,
    /// Whether it is bytes as a whole, which are `bin` in MessagePack, and a list of numbers in JSON.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bytes: bool,
}

impl Type {
    /// Whether its schema says what it is.
    pub fn is_described(&self) -> bool {
        self.schema != Value::Bool(true)
    }
}

/// How a function is called in the dialect of the Python package of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Python {
    /// The serializer of requests: `JsonSerializer`, `TextSerializer` or `BinarySerializer` (a pickle).
    pub request: String,
    /// The serializer of replies.
    pub response: String,
    /// The characters of requests, as Python names them.
    pub request_codec: String,
    /// The characters of replies.
    pub response_codec: String,
}

/// Why something is no contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError(String);

impl std::fmt::Display for DocumentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DocumentError {}

impl Contract {
    /// Reads a document.
    ///
    /// # Errors
    /// It is no contract, or one of a later version; the error says where.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct Version {
            contract: u32,
        }

        let unreadable = |error: &dyn std::fmt::Display| {
            DocumentError(format!("this is no contract, as `my-service contract` writes it: {error}"))
        };
        let Version { contract } = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        if contract != FORMAT_VERSION {
            return Err(DocumentError(format!(
                "this is a contract of version {contract}; this guirpc reads version {FORMAT_VERSION}"
            )));
        }
        let reader = &mut serde_json::Deserializer::from_str(text);
        let contract: Self = serde_path_to_error::deserialize(reader).map_err(|error| unreadable(&error))?;
        contract.missing_definition().map_or(Ok(contract), |why| Err(unreadable(&why)))
    }

    /// The document as it is written down: sorted, indented, with an end of line.
    pub fn to_json(&self) -> String {
        // Its keys are texts, and none of its values refuses to be written.
        serde_json::to_string_pretty(self).map_or_else(|error| format!("{error}\n"), |text| text + "\n")
    }
}
