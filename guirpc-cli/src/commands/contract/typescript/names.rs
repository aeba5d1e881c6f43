//! Names of a contract as names of TypeScript.

use std::collections::BTreeSet;

/// What types are written with, so that none of the contract's may be called so.
const TAKEN: [&str; 4] = ["Record", "Uint8Array", "Promise", "Array"];
/// Words that name no type.
const WORDS: [&str; 21] = [
    "any",
    "bigint",
    "boolean",
    "class",
    "default",
    "enum",
    "export",
    "function",
    "import",
    "interface",
    "never",
    "null",
    "number",
    "object",
    "string",
    "symbol",
    "type",
    "undefined",
    "unknown",
    "void",
    "with",
];

/// The methods that a client has beside the functions; one called `then` would make a promise of it.
const METHODS: [&str; 4] = ["close", "constructor", "send", "then"];

/// A name for a type, or a part of one: letters, digits and underscores.
pub(super) fn identifier(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let begins_well = plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let named = if begins_well { plain } else { format!("T{plain}") };
    if TAKEN.contains(&named.as_str()) || WORDS.contains(&named.as_str()) { named + "_" } else { named }
}

/// A name that is not in use yet.
pub(super) fn unique(name: String, taken: &mut BTreeSet<String>) -> String {
    let mut name = name;
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// The name of a member, quoted where it has to be.
pub(super) fn member(name: &str) -> String {
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_plain = begins_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_plain { name.to_owned() } else { super::quoted(name) }
}

/// The method that calls a function.
pub(super) fn method(function: &str) -> String {
    if METHODS.contains(&function) { format!("{function}_") } else { member(function) }
}

/// The name of the service as that of a class.
pub(super) fn class(service: &str) -> String {
    let words = service.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Service{name}") }
}

/// The name of the service as that of a package.
pub(super) fn package(service: &str) -> String {
    let plain = service.to_ascii_lowercase();
    let plain: String = plain.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "service".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_that_typescript_takes() {
        assert_eq!(identifier("Pair<u8, String>"), "Pair_u8__String_");
        assert_eq!(identifier("2d"), "T2d");
        assert_eq!(identifier("Record"), "Record_");
        assert_eq!(member("a-b"), "\"a-b\"");
        assert_eq!(method("close"), "close_");
        assert_eq!(class("math.v2"), "MathV2");
        assert_eq!(class("7"), "Service7");
        assert_eq!(package("Math.V2"), "math-v2");
    }
}
