//! Names of a contract as names of Rust: of the right case, no keywords, each once.

use std::collections::BTreeSet;

/// Keywords that can be names as `r#match`.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that cannot.
const PATHS: &[&str] = &["_", "Self", "crate", "self", "super"];

/// What a function of the name would hide, since its stub is a type: what signatures name.
const HIDDEN_BY_FUNCTIONS: &[&str] = &[
    "bool",
    "char",
    "core",
    "f32",
    "f64",
    "guirpc",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "serde",
    "serde_json",
    "std",
    "str",
    "types",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
];

/// What a type of the name would hide, or what it would be taken for.
const HIDDEN_BY_TYPES: &[&str] = &[
    "Box",
    "BTreeMap",
    "Deserialize",
    "Err",
    "Fault",
    "None",
    "Ok",
    "Option",
    "Reply",
    "Result",
    "Self",
    "Serialize",
    "Some",
    "String",
    "Vec",
];

/// Names that are taken, of one kind and in one place.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name, with a number behind it if it is taken.
    fn free(&mut self, name: String) -> String {
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.0.contains(name)).unwrap_or(name);
        self.0.insert(free.clone());
        free
    }

    /// The name of a field.
    pub(super) fn field(&mut self, name: &str) -> String {
        let field = self.free(snake(name));
        match field.as_str() {
            path if PATHS.contains(&path) => self.free(format!("{field}_")),
            keyword if KEYWORDS.contains(&keyword) => format!("r#{field}"),
            _ => field,
        }
    }

    /// The name of a function.
    pub(super) fn function(&mut self, name: &str) -> String {
        let function = snake(name);
        let is_taken = |lists: &[&[&str]]| lists.iter().any(|list| list.contains(&function.as_str()));
        if is_taken(&[KEYWORDS, PATHS, HIDDEN_BY_FUNCTIONS]) {
            return self.free(format!("{function}_"));
        }
        self.free(function)
    }

    /// The name of a type.
    pub(super) fn ty(&mut self, name: &str) -> String {
        let ty = pascal(name);
        let ty = if HIDDEN_BY_TYPES.contains(&ty.as_str()) { format!("{ty}Type") } else { ty };
        self.free(ty)
    }

    /// The name of a variant.
    pub(super) fn variant(&mut self, name: &str) -> String {
        let variant = pascal(name);
        let variant = if variant == "Self" { "SelfVariant".to_owned() } else { variant };
        self.free(variant)
    }
}

/// The name of an argument, which has to be its own: callers send it.
pub(super) fn argument(name: &str) -> Option<String> {
    match name {
        path if PATHS.contains(&path) => None,
        keyword if KEYWORDS.contains(&keyword) => Some(format!("r#{name}")),
        name => is_identifier(name).then(|| name.to_owned()),
    }
}

/// The name of the crate.
pub(super) fn package(service: &str) -> String {
    let legal = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let name: String = service.chars().map(legal).collect();
    let name = name.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_ascii_lowercase();
    match name.chars().next() {
        None => "service-client".to_owned(),
        Some(digit) if digit.is_ascii_digit() => format!("service-{name}-client"),
        Some(_) => format!("{name}-client"),
    }
}

/// The name without the mark of a keyword, as serde has it.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    let starts = |first: char| first == '_' || unicode_ident::is_xid_start(first);
    characters.next().is_some_and(starts) && characters.all(unicode_ident::is_xid_continue)
}

/// The words of a name: at what is in no identifier, at `_`, and before a capital that follows another letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let characters: Vec<char> = name.chars().collect();
    for (at, &character) in characters.iter().enumerate() {
        if character == '_' || !unicode_ident::is_xid_continue(character) {
            words.push(String::new());
            continue;
        }
        let after_lower = at > 0 && (characters[at - 1].is_lowercase() || characters[at - 1].is_numeric());
        let before_lower = characters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let after_upper = at > 0 && characters[at - 1].is_uppercase();
        if character.is_uppercase() && (after_lower || (after_upper && before_lower)) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The name as that of a field or a function; one that can be it stays as it is.
fn snake(name: &str) -> String {
    if is_identifier(name) && name != "_" && !name.chars().any(char::is_uppercase) && !name.contains("__") {
        return name.to_owned();
    }
    let name = words(name).join("_").to_lowercase();
    if is_identifier(&name) { name } else { format!("n{name}") }
}

/// The name as that of a type or a variant; one that can be it stays as it is.
fn pascal(name: &str) -> String {
    let upper_first = name.chars().next().is_some_and(char::is_uppercase);
    let is_acronym = name.chars().count() > 2 && !name.chars().any(char::is_lowercase);
    if is_identifier(name) && upper_first && !name.contains('_') && !is_acronym {
        return name.to_owned();
    }
    let capitalized = words(name).into_iter().map(|word| {
        let mut characters = word.chars();
        let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
        let rest = characters.as_str();
        let is_loud = !rest.chars().any(char::is_lowercase);
        first + &if is_loud { rest.to_lowercase() } else { rest.to_owned() }
    });
    let name: String = capitalized.collect();
    if is_identifier(&name) { name } else { format!("N{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_case_of_their_kind() {
        for (name, field, ty) in [
            ("name", "name", "Name"),
            ("firstName", "first_name", "FirstName"),
            ("first-name", "first_name", "FirstName"),
            ("HTTPServer", "http_server", "HTTPServer"),
            ("SOLD_OUT", "sold_out", "SoldOut"),
            ("Wrapper_for_uint8", "wrapper_for_uint8", "WrapperForUint8"),
            ("2nd", "n2nd", "N2nd"),
            ("größe", "größe", "Größe"),
            ("", "n", "N"),
            ("a.b c", "a_b_c", "ABC"),
        ] {
            assert_eq!((snake(name).as_str(), pascal(name).as_str()), (field, ty), "{name}");
        }
    }

    #[test]
    fn keywords_and_names_that_are_taken_are_avoided() {
        let mut names = Names::default();
        assert_eq!(
            ["type", "self", "a-b", "aB", "_"].map(|name| names.field(name)),
            ["r#type", "self_", "a_b", "a_b2", "n"]
        );
        let mut names = Names::default();
        assert_eq!(
            ["match", "bool", "types", "add"].map(|name| names.function(name)),
            ["match_", "bool_", "types_", "add"]
        );
        let mut names = Names::default();
        assert_eq!(["Option", "Reply", "Order"].map(|name| names.ty(name)), ["OptionType", "ReplyType", "Order"]);
        assert_eq!(names.ty("order"), "Order2");
        assert_eq!(argument("type").as_deref(), Some("r#type"));
        assert_eq!(argument("self"), None);
        assert_eq!(argument("a-b"), None);
    }

    #[test]
    fn the_crate_is_named_for_its_service() {
        for (service, name) in [
            ("shop", "shop-client"),
            ("my_shop.v2", "my-shop-v2-client"),
            ("3d", "service-3d-client"),
            ("ü", "service-client"),
        ] {
            assert_eq!(package(service), name);
        }
    }
}
