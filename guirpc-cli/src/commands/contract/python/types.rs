//! The module `types`: classes and aliases.

use std::fmt::Write;

use super::imports;
use super::model::{Body, Definition, Member};
use super::shape::{Shape, Written};
use super::text::{Expr, docstring, string};
use crate::args::Models;

/// The module, without its header.
pub(super) fn module(service: &str, definitions: &[Definition], models: Models) -> String {
    let mut code = String::new();
    for definition in definitions {
        code += &class(definition, models);
    }
    let aliases: Vec<String> = definitions.iter().filter_map(alias).collect();
    if !aliases.is_empty() {
        let _ = write!(code, "\n\n{}", aliases.join("\n"));
    }
    let mut head = format!("\"\"\"The types of service `{service}`.\"\"\"\n\nfrom __future__ import annotations\n");
    let standard = imports::of("dataclasses", &["dataclass", "field"], &code)
        + &imports::of("typing", &["Annotated", "Any", "ClassVar", "Literal", "TypeAlias", "Union"], &code);
    let others = imports::of("pydantic", &["BaseModel", "ConfigDict", "Field"], &code);
    for block in [standard, others] {
        if !block.is_empty() {
            let _ = write!(head, "\n{block}");
        }
    }
    head + &code
}

fn class(definition: &Definition, models: Models) -> String {
    let Definition { name, docs, body, .. } = definition;
    let mut lines = String::new();
    let written = match models {
        Models::Dataclasses => Written::Annotation(""),
        Models::Pydantic => Written::Model,
    };
    match body {
        Body::Class { fields, constants, rest, .. } => {
            for constant in constants {
                let text = string(&constant.text);
                let _ = writeln!(lines, "    {}: ClassVar[Literal[{text}]] = {text}", constant.name);
            }
            for field in fields {
                lines += &field_lines(field, written, models);
            }
            if let Some((name, shape)) = rest {
                let _ = writeln!(lines, "    {name}: {} = {}", shape.hint(written).flat(), factory("dict", models));
            }
        }
        Body::Wrapper(shape) => {
            let _ = writeln!(lines, "    value: {}", shape.hint(written).flat());
        }
        Body::Keyed { .. } | Body::Tagged { .. } | Body::OneOf(_) | Body::Alias(_) => return String::new(),
    }
    let (decorator, base, config) = match models {
        Models::Dataclasses if matches!(body, Body::Wrapper(_)) => ("@dataclass\n", "", ""),
        Models::Dataclasses => ("@dataclass(kw_only=True)\n", "", ""),
        Models::Pydantic => ("", "(BaseModel)", "    model_config = ConfigDict(extra=\"forbid\", strict=True)\n"),
    };
    let docs = docstring(docs, 1);
    let gap = if docs.is_empty() || (lines.is_empty() && config.is_empty()) { "" } else { "\n" };
    let between = if config.is_empty() || lines.is_empty() { "" } else { "\n" };
    let nothing = if docs.is_empty() && lines.is_empty() && config.is_empty() { "    pass\n" } else { "" };
    format!("\n\n{decorator}class {name}{base}:\n{docs}{gap}{config}{between}{lines}{nothing}")
}

fn factory(of: &str, models: Models) -> String {
    match models {
        Models::Dataclasses => format!("field(default_factory={of})"),
        Models::Pydantic => format!("Field(default_factory={of})"),
    }
}

fn field_lines(field: &Member, written: Written<'_>, models: Models) -> String {
    let Member { name, docs, shape, required, default, .. } = field;
    let (shape, default) = match default.as_deref() {
        _ if *required => (shape.clone(), String::new()),
        Some("[]") => (shape.clone(), format!(" = {}", factory("list", models))),
        Some("{}") => (shape.clone(), format!(" = {}", factory("dict", models))),
        Some(default) => (shape.clone(), format!(" = {default}")),
        None => (shape.clone().nullable(), " = None".to_owned()),
    };
    format!("    {name}: {}{default}\n{}", shape.hint(written).flat(), docstring(docs, 1))
}

fn alias(definition: &Definition) -> Option<String> {
    let Definition { name, docs, body, .. } = definition;
    let union = |shapes: Vec<Expr>| Expr::brackets("Union[", shapes, "]");
    let hint = match body {
        Body::Class { .. } | Body::Wrapper(_) => return None,
        Body::Alias(shape) => shape.hint(Written::Alias),
        Body::OneOf(shapes) => union(shapes.iter().map(|shape| shape.hint(Written::Alias)).collect()),
        Body::Tagged { variants, .. } => union(variants.iter().map(|(_, shape)| shape.hint(Written::Alias)).collect()),
        Body::Keyed { units, variants } => {
            let units: Vec<_> = units.iter().map(|unit| unit.clone().into()).collect();
            let literals = (!units.is_empty()).then(|| Shape::Literals(units).hint(Written::Alias));
            union(literals.into_iter().chain(variants.iter().map(|(_, shape)| shape.hint(Written::Alias))).collect())
        }
    };
    Some(hint.after(&format!("{name}: TypeAlias = ")).line(0) + &docstring(docs, 0))
}
