//! The module `codecs`: how values of the types travel.

use super::imports;
use super::model::{Body, Definition, Member};
use super::text::{Expr, string};

/// What there is in `_runtime.codec`.
pub(super) const CODECS: [&str; 17] = [
    "Anything",
    "Boolean",
    "Bytes",
    "Codec",
    "Entries",
    "Integer",
    "IntegerEntries",
    "Items",
    "Lazy",
    "Literals",
    "Nothing",
    "Null",
    "Nullable",
    "Number",
    "Text",
    "Tuple",
    "UINT64_MAX",
];
const OBJECTS: [&str; 6] = ["Field", "Keyed", "Object", "OneOf", "Tagged", "Wrapped"];

/// The module, without its header.
pub(super) fn module(service: &str, definitions: &[Definition]) -> String {
    let lines: Vec<String> = definitions.iter().map(codec).collect();
    let code = lines.concat();
    let imports = imports::modules(&["types"], &code)
        + &imports::of("._runtime.codec", &CODECS, &code)
        + &imports::of("._runtime.objects", &OBJECTS, &code);
    let gap = if code.is_empty() { "" } else { "\n" };
    let imports = if imports.is_empty() { imports } else { format!("\n{imports}") };
    format!(
        "\"\"\"How values of the types of service `{service}` travel.\"\"\"\n\nfrom __future__ import annotations\n\
         {imports}{gap}{code}"
    )
}

fn codec(definition: &Definition) -> String {
    let Definition { name, codec, body, .. } = definition;
    let class = || Expr::atom(format!("_types.{name}"));
    let expression = match body {
        Body::Class { fields, constants, rest, closed } => {
            let mut arguments = vec![class()];
            arguments.extend(fields.iter().map(field));
            if !constants.is_empty() {
                let items =
                    constants.iter().map(|one| Expr::atom(format!("{}: {}", string(&one.wire), string(&one.text))));
                arguments.push(Expr::brackets("constants={", items, "}"));
            }
            if let Some((name, shape)) = rest {
                arguments.push(Expr::tuple("rest=", vec![Expr::atom(string(name)), shape.codec("")]));
            }
            if *closed {
                arguments.push(Expr::atom("closed=True"));
            }
            Expr::call("Object", arguments)
        }
        Body::Wrapper(shape) => Expr::call("Wrapped", [class(), shape.codec("")]),
        Body::Keyed { units, variants } => {
            let units = units.iter().map(|unit| Expr::atom(string(unit))).collect();
            Expr::call("Keyed", [Expr::tuple("", units), by_name(variants)])
        }
        Body::Tagged { tag, variants } => Expr::call("Tagged", [Expr::atom(string(tag)), by_name(variants)]),
        Body::OneOf(shapes) => Expr::call("OneOf", shapes.iter().map(|shape| shape.codec(""))),
        Body::Alias(shape) => shape.codec(""),
    };
    expression.after(&format!("{codec}: Codec[_types.{name}] = ")).line(0)
}

fn by_name(variants: &[(String, super::shape::Shape)]) -> Expr {
    let items = variants.iter().map(|(name, shape)| shape.codec("").after(&format!("{}: ", string(name))));
    Expr::brackets("{", items, "}")
}

fn field(field: &Member) -> Expr {
    let Member { name, wire, shape, required, default, .. } = field;
    let mut arguments = vec![Expr::atom(string(name)), Expr::atom(string(wire)), shape.codec("")];
    if !required {
        arguments.push(Expr::atom("required=False"));
    }
    match default.as_deref() {
        None | Some("None") => {}
        Some("[]") => arguments.push(Expr::atom("default=list")),
        Some("{}") => arguments.push(Expr::atom("default=dict")),
        Some(default) => arguments.push(Expr::atom(format!("default=lambda: {default}"))),
    }
    Expr::call("Field", arguments)
}
