//! Shapes as types of TypeScript.

use serde_json::Value;

use super::docs::comment;
use super::model::{Definitions, others};
use super::names;
use super::schema::{Field, Shape};

/// Who has a value in their hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// A caller, who gives arguments.
    Given,
    /// A function, which takes them: what may be left out is there.
    Taken,
    /// A caller, who receives an output, or a function, which returns it.
    Received,
}

/// What the type of a definition is called in a form.
type Named<'n> = dyn Fn(&str, Form) -> String + 'n;

/// The type of a value of this shape, on one line.
pub(super) fn type_of(definitions: &Definitions, named: &Named<'_>, shape: &Shape, form: Form) -> String {
    let inner = |shape: &Shape| type_of(definitions, named, shape, form);
    match shape {
        Shape::Any => "unknown".to_owned(),
        Shape::Never => "never".to_owned(),
        Shape::Null => "null".to_owned(),
        Shape::Boolean => "boolean".to_owned(),
        Shape::Integer(range) if range.is_big() && form == Form::Given => "bigint | number".to_owned(),
        Shape::Integer(range) if range.is_big() => "bigint".to_owned(),
        Shape::Integer(_) | Shape::Number { .. } => "number".to_owned(),
        Shape::Text { .. } => "string".to_owned(),
        Shape::Literal(values) => joined(values.iter().map(Value::to_string), " | "),
        Shape::Bytes { .. } => "Uint8Array".to_owned(),
        Shape::List { items, .. } => format!("{}[]", grouped(inner(items))),
        Shape::Tuple(items) => format!("[{}]", joined(items.iter().map(inner), ", ")),
        Shape::Map { has_integer_keys, values } => {
            format!("Record<{}, {}>", if *has_integer_keys { "number" } else { "string" }, inner(values))
        }
        Shape::Union(variants) => {
            let mut types: Vec<String> = Vec::new();
            for variant in variants {
                let variant = inner(&variant.shape);
                if !types.contains(&variant) {
                    types.push(variant);
                }
            }
            // What is anything at all is not narrowed by anything.
            if types.iter().any(|variant| variant == "unknown") { "unknown".to_owned() } else { types.join(" | ") }
        }
        Shape::All(parts) => joined(parts.iter().map(|part| grouped(inner(part))), " & "),
        Shape::Ref(name) => named(name, form),
        Shape::Object { fields, others: rest } => {
            let fields = fields.iter().map(|field| member(definitions, named, field, form));
            let rest = others(rest).map(|_| "[name: string]: unknown".to_owned());
            let members = joined(fields.chain(rest), "; ");
            if members.is_empty() { "Record<string, never>".to_owned() } else { format!("{{ {members} }}") }
        }
    }
}

/// A member of an object: `name: type`.
pub(super) fn member(definitions: &Definitions, named: &Named<'_>, field: &Field, form: Form) -> String {
    let is_optional = !field.is_required
        && match form {
            Form::Given => true,
            Form::Taken | Form::Received => {
                field.preset.is_none() && !definitions.takes_null(&field.shape, form.direction())
            }
        };
    let ty = type_of(definitions, named, &field.shape, form);
    let name = names::member(&field.name);
    match (is_optional, ty.as_str()) {
        (false, ty) => format!("{name}: {ty}"),
        (true, "unknown") => format!("{name}?: unknown"),
        (true, ty) => format!("{name}?: {ty} | undefined"),
    }
}

/// A declaration of a type, with doc comments where they are.
pub(super) fn declaration(
    definitions: &Definitions,
    named: &Named<'_>,
    (name, docs): (&str, &str),
    shape: &Shape,
    form: Form,
) -> String {
    let docs = comment(docs, None, "");
    match shape {
        Shape::Object { fields, others: rest } if !fields.is_empty() => {
            let fields = fields.iter().map(|field| {
                let docs = comment(&field.docs, field.is_deprecated.then_some(""), "  ");
                format!("{docs}  {};\n", member(definitions, named, field, form))
            });
            let rest = others(rest).map(|_| "  [name: string]: unknown;\n".to_owned());
            format!("{docs}export interface {name} {{\n{}}}\n", joined(fields.chain(rest), ""))
        }
        Shape::Union(variants) => {
            let variants = variants.iter().map(|variant| {
                let docs = comment(&variant.docs, None, "  ");
                format!("\n{docs}  | {}", type_of(definitions, named, &variant.shape, form))
            });
            format!("{docs}export type {name} ={};\n", joined(variants, ""))
        }
        shape => format!("{docs}export type {name} = {};\n", type_of(definitions, named, shape, form)),
    }
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

/// A type as a part of another.
fn grouped(ty: String) -> String {
    let is_single =
        !ty.contains(" | ") && !ty.contains(" & ") || ty.starts_with('{') && ty.ends_with('}') && !ty.contains("} ");
    if is_single { ty } else { format!("({ty})") }
}
