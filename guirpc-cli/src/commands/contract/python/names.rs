//! Names of a contract as identifiers of Python.

use std::collections::BTreeSet;

/// What no name may be: the keywords, and what the generated code around it means by itself.
const RESERVED: [&str; 73] = [
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "int",
    "str",
    "float",
    "bool",
    "bytes",
    "list",
    "dict",
    "tuple",
    "object",
    "type",
    "field",
    "dataclass",
    "Any",
    "Annotated",
    "ClassVar",
    "Literal",
    "Union",
    "BaseModel",
    "ConfigDict",
    "Field",
    "self",
    "cls",
    "timeout",
    "headers",
    "expires",
    "service",
    "close",
    "warnings",
    "Headers",
    "SERVICE",
    "Callable",
    "Awaitable",
    "Mapping",
    "Protocol",
    "TypedDict",
    "Server",
    "TypeAlias",
    "print",
];
/// What pydantic's models have already.
const OF_PYDANTIC: [&str; 13] = [
    "construct",
    "copy",
    "dict",
    "fields",
    "from_orm",
    "json",
    "parse_file",
    "parse_obj",
    "parse_raw",
    "schema",
    "schema_json",
    "update_forward_refs",
    "validate",
];

/// An identifier that is as near to the name as it can be.
pub(super) fn identifier(name: &str) -> String {
    let mut text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    // What begins with an underscore is private, to pydantic as well.
    text = text.trim_start_matches('_').to_owned();
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, 'x');
    }
    if text.starts_with("model_") || RESERVED.contains(&text.as_str()) || OF_PYDANTIC.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

/// The name of a class: `find_all` is `FindAll`.
pub(super) fn class(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut text = String::new();
    for word in words {
        let mut characters = word.chars();
        text.extend(characters.next().map(|c| c.to_ascii_uppercase()));
        text.push_str(characters.as_str());
    }
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, 'X');
    }
    if RESERVED.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

/// Names of one scope, of which no two are the same.
#[derive(Debug, Default)]
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    pub(super) fn with(taken: impl IntoIterator<Item = String>) -> Self {
        Scope(taken.into_iter().collect())
    }

    /// The name, or if it is taken one like it.
    pub(super) fn take(&mut self, mut name: String) -> String {
        while !self.0.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_an_identifier() {
        for (name, expected) in
            [("a", "a"), ("class", "class_"), ("_id", "id"), ("my-name", "my_name"), ("1", "x1"), ("ü", "x"), ("", "x")]
        {
            assert_eq!(identifier(name), expected, "{name}");
        }
        for (name, expected) in [("find_all", "FindAll"), ("Vec<u8>", "VecU8"), ("any", "Any_"), ("3d", "X3d")] {
            assert_eq!(class(name), expected, "{name}");
        }
    }

    #[test]
    fn no_two_names_are_the_same() {
        let mut scope = Scope::with(["b".to_owned()]);
        assert_eq!(["a", "a", "b", "a_"].map(|name| scope.take(name.to_owned())), ["a", "a_", "b_", "a__"]);
    }
}
