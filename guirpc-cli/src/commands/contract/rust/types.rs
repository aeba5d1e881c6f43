//! `types.rs`: what the functions take and return.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::MARK;
use super::layout::{attribute, docs, literal};
use super::model::{Data, Definition, Field, Model, Presence, Shape, Tagging, Type, Variant};
use super::names::bare;

/// How wide the fields of a variant may be if they are to stand on one line.
const VARIANT: usize = 35;

/// The source of the types.
pub(super) fn source(model: &Model) -> String {
    let mut source = format!("{MARK}\n//! write it anew rather than change it.\n//!\n//! Types that travel.\n");
    if !model.definitions.is_empty() {
        source.push_str("\nuse serde::{Deserialize, Serialize};\n");
    }
    let told_by_fields = told_by_fields(model);
    for (name, definition) in &model.definitions {
        source.push('\n');
        source.push_str(&self::definition(name, definition, told_by_fields.contains(name.as_str())));
        if model.errors.contains(name) {
            source.push_str(&error(name));
        }
    }
    source
}

/// The types that are told from others by what fields they have.
fn told_by_fields(model: &Model) -> BTreeSet<&str> {
    let variants = model.definitions.values().filter_map(|definition| match &definition.shape {
        Shape::Enum(Tagging::Untagged, variants) => Some(variants),
        _ => None,
    });
    let named = variants.flatten().filter_map(|variant| match &variant.data {
        Data::Tuple(types) => match types.as_slice() {
            [Type::Named(name) | Type::Boxed(name)] => Some(name.as_str()),
            _ => None,
        },
        _ => None,
    });
    named.collect()
}

fn definition(name: &str, definition: &Definition, told_by_fields: bool) -> String {
    let mut text = docs(&definition.docs, "");
    text.push_str("#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]\n");
    let mut options = match &definition.shape {
        Shape::Enum(Tagging::Internal { tag }, _) => vec![format!("tag = {}", literal(tag))],
        Shape::Enum(Tagging::Adjacent { tag, content }, _) => {
            vec![format!("tag = {}", literal(tag)), format!("content = {}", literal(content))]
        }
        Shape::Enum(Tagging::Untagged, _) => vec!["untagged".to_owned()],
        _ => Vec::new(),
    };
    let is_told = match &definition.shape {
        Shape::Struct(fields) => told_by_fields && fields.iter().all(|field| field.presence != Presence::Flattened),
        Shape::Enum(tagging, _) => *tagging == Tagging::Untagged,
        Shape::Newtype(_) => false,
    };
    if definition.deny_unknown && is_told {
        options.push("deny_unknown_fields".to_owned());
    }
    if !options.is_empty() {
        text.push_str(&attribute("serde", &options, ""));
    }
    match &definition.shape {
        Shape::Struct(fields) if fields.is_empty() => {
            let _ = writeln!(text, "pub struct {name} {{}}");
        }
        Shape::Struct(fields) => {
            let _ = writeln!(text, "pub struct {name} {{\n{}}}", block(fields, "    ", "pub "));
        }
        Shape::Newtype(ty) => {
            let _ = writeln!(text, "pub struct {name}(pub {});", ty.written(""));
        }
        Shape::Enum(tagging, variants) => {
            let _ = writeln!(text, "pub enum {name} {{\n{}}}", self::variants(tagging, variants));
        }
    }
    text
}

/// Fields, a line for each.
fn block(fields: &[Field], indent: &str, visibility: &str) -> String {
    let mut block = String::new();
    for field in fields {
        block.push_str(&docs(&field.docs, indent));
        for option in serde(field) {
            let _ = writeln!(block, "{indent}#[serde({option})]");
        }
        let _ = writeln!(block, "{indent}{visibility}{}: {},", field.ident, field.ty.written(""));
    }
    block
}

/// What serde has to know of a field.
fn serde(field: &Field) -> Vec<String> {
    let mut options = Vec::new();
    if field.presence != Presence::Flattened && bare(&field.ident) != field.name {
        options.push(format!("rename = {}", literal(&field.name)));
    }
    options.extend(match field.presence {
        Presence::Always => None,
        Presence::Default => Some("default".to_owned()),
        Presence::Optional => Some("default, skip_serializing_if = \"Option::is_none\"".to_owned()),
        Presence::Flattened => Some("flatten".to_owned()),
    });
    options
}

fn variants(tagging: &Tagging, variants: &[Variant]) -> String {
    let heads: Vec<String> = variants.iter().map(|variant| head(tagging, variant)).collect();
    let is_short = |variant: &Variant| match &variant.data {
        Data::Struct(fields) => one_line(fields).is_some(),
        Data::Unit | Data::Tuple(_) => true,
    };
    // As rustfmt does: if some variants take several lines, no fields stand on one.
    let is_one_line = |at: usize| heads[at].is_empty() && is_short(&variants[at]);
    let some_are = (0..variants.len()).any(is_one_line);
    let all_are = (0..variants.len()).all(is_one_line);
    let mut text = String::new();
    for (variant, head) in variants.iter().zip(&heads) {
        text.push_str(head);
        let ident = &variant.ident;
        let _ = match &variant.data {
            Data::Unit => writeln!(text, "    {ident},"),
            Data::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|ty| ty.written("")).collect();
                writeln!(text, "    {ident}({}),", types.join(", "))
            }
            Data::Struct(fields) if fields.is_empty() => writeln!(text, "    {ident} {{}},"),
            Data::Struct(fields) => match one_line(fields).filter(|_| all_are || !some_are) {
                Some(line) => writeln!(text, "    {ident} {{ {line} }},"),
                None => writeln!(text, "    {ident} {{\n{}    }},", block(fields, "        ", "")),
            },
        };
    }
    text
}

/// What stands before a variant.
fn head(tagging: &Tagging, variant: &Variant) -> String {
    let mut head = docs(&variant.docs, "    ");
    if let Some(name) = variant.name.as_ref().filter(|name| **name != variant.ident)
        && *tagging != Tagging::Untagged
    {
        let _ = writeln!(head, "    #[serde(rename = {})]", literal(name));
    }
    head
}

/// The fields on one line, if they can stand there.
fn one_line(fields: &[Field]) -> Option<String> {
    let is_plain = |field: &Field| field.docs.is_empty() && serde(field).is_empty();
    let line: Vec<String> = fields.iter().map(|field| format!("{}: {}", field.ident, field.ty.written(""))).collect();
    let line = line.join(", ");
    (fields.iter().all(is_plain) && line.chars().count() <= VARIANT).then_some(line)
}

/// An error shows what it is made of, as the command line does: its words stay with the service.
fn error(name: &str) -> String {
    format!(
        "\nimpl std::fmt::Display for {name} {{\n    \
             fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n        \
                 let text = serde_json::to_string(self).map_err(|_| std::fmt::Error)?;\n        \
                 f.write_str(&text)\n    \
             }}\n\
         }}\n\n\
         impl std::error::Error for {name} {{}}\n"
    )
}
