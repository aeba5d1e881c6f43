//! `schemas.ts`: the shapes, as data for the runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use super::model::{Direction, Model, ModelFunction};
use super::names;
use super::quoted;
use super::schema::{Field, Others, Shape};
use crate::template::fill;

/// What the shapes of the definitions are called, by direction and name.
struct Constants(BTreeMap<(bool, String), String>);

impl Constants {
    fn new(model: &Model<'_>) -> Self {
        let mut taken = BTreeSet::from(["functions", "service", "s"].map(str::to_owned));
        let mut constants = BTreeMap::new();
        for (direction, prefix) in [(Direction::Input, "input"), (Direction::Output, "output")] {
            for name in model.definitions.of(direction).keys() {
                let constant = names::unique(format!("{prefix}_{}", names::identifier(name)), &mut taken);
                constants.insert((direction == Direction::Input, name.clone()), constant);
            }
        }
        Constants(constants)
    }

    fn name(&self, direction: Direction, name: &str) -> &str {
        self.0.get(&(direction == Direction::Input, name.to_owned())).map_or("s.any", String::as_str)
    }
}

pub(super) fn schemas(model: &Model<'_>) -> String {
    let constants = Constants::new(model);
    let mut shapes = String::new();
    for direction in [Direction::Input, Direction::Output] {
        for (name, definition) in model.definitions.of(direction) {
            let code = shape(&constants, direction, &definition.shape);
            // Writing to a text cannot fail.
            let _ = writeln!(shapes, "const {}: s.Shape = {code};", constants.name(direction, name));
        }
    }
    let functions: String = model.functions.iter().map(|function| described(&constants, function)).collect();
    let contract = model.contract;
    fill(
        include_str!("../../../../templates/typescript/schemas.ts"),
        &[
            ("shapes", &shapes),
            ("functions", &functions),
            ("name", &quoted(&contract.service)),
            ("hash", &quoted(&contract.hash)),
            ("version", &quoted(env!("CARGO_PKG_VERSION"))),
        ],
    )
}

fn described(constants: &Constants, function: &ModelFunction<'_>) -> String {
    let ModelFunction { name, function: of, .. } = function;
    let arguments: Vec<String> = function
        .arguments
        .iter()
        .map(|argument| {
            let shape = shape(constants, Direction::Input, &argument.shape);
            let (name, ty, required) = (quoted(argument.name), quoted(argument.rust), argument.is_required);
            format!("\n      {{ name: {name}, type: {ty}, required: {required}, shape: {shape} }},")
        })
        .collect();
    let arguments = if arguments.is_empty() { String::new() } else { arguments.concat() + "\n    " };
    let output = shape(constants, Direction::Output, &function.output);
    let mut text = format!(
        "  {{\n    name: {},\n    docs: {},\n    signature: {},\n    arguments: [{arguments}],\n    outputType: {},\n    \
         output: {output},\n",
        quoted(name),
        quoted(&of.docs),
        quoted(&of.signature),
        quoted(&of.output.ty.rust),
    );
    let mut member = |name: &str, value: String| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "    {name}: {value},");
    };
    if let Some(error) = &function.error {
        member("error", shape(constants, Direction::Output, error));
    }
    member("errorStatus", of.error.as_ref().map_or(422, |error| error.status).to_string());
    if let Some(timeout) = of.timeout_ms {
        member("timeoutMs", timeout.to_string());
    }
    if let Some(lane) = &of.lane {
        member("lane", quoted(lane));
    }
    member("idempotent", of.idempotent.to_string());
    member("ack", quoted(if of.ack == "early" { "early" } else { "after-reply" }));
    text + "  },\n"
}

fn shape(constants: &Constants, direction: Direction, of: &Shape) -> String {
    let inner = |of: &Shape| shape(constants, direction, of);
    let list = |parts: &mut dyn Iterator<Item = String>| parts.collect::<Vec<_>>().join(", ");
    let bounds = |least: u64, most: Option<u64>| match (least, most) {
        (0, None) => String::new(),
        (least, None) => least.to_string(),
        (least, Some(most)) => format!("{least}, {most}"),
    };
    match of {
        Shape::Any => "s.any".to_owned(),
        Shape::Never => "s.never".to_owned(),
        Shape::Null => "s.nothing".to_owned(),
        Shape::Boolean => "s.boolean".to_owned(),
        Shape::Integer(range) => {
            let (least, most) = range.bounds();
            if range.is_big() { format!("s.bigint({least}n, {most}n)") } else { format!("s.integer({least}, {most})") }
        }
        Shape::Number { single: true } => "s.float".to_owned(),
        Shape::Number { single: false } => "s.double".to_owned(),
        Shape::Text { least, most } => format!("s.text({})", bounds(*least, *most)),
        Shape::Literal(values) => format!("s.literal({})", list(&mut values.iter().map(Value::to_string))),
        Shape::Bytes { whole: true } => "s.bytes".to_owned(),
        Shape::Bytes { whole: false } => "s.byteList".to_owned(),
        Shape::List { items, least: 0, most: None } => format!("s.list({})", inner(items)),
        Shape::List { items, least, most } => format!("s.list({}, {})", inner(items), bounds(*least, *most)),
        Shape::Tuple(items) => format!("s.tuple({})", list(&mut items.iter().map(inner))),
        Shape::Map { has_integer_keys, values } => {
            format!("s.map({}, {})", if *has_integer_keys { "\"integer\"" } else { "\"text\"" }, inner(values))
        }
        Shape::Union(variants) => {
            format!("s.union({})", list(&mut variants.iter().map(|variant| inner(&variant.shape))))
        }
        Shape::All(parts) => format!("s.all({})", list(&mut parts.iter().map(inner))),
        Shape::Ref(name) => format!("s.ref(() => {})", constants.name(direction, name)),
        Shape::Object { fields, others } => {
            let others = match others {
                Others::Ignored => String::new(),
                Others::Refused => ", \"refused\"".to_owned(),
                Others::Like(shape) => format!(", {}", inner(shape)),
            };
            let fields = list(&mut fields.iter().map(|field| member(field, &inner(&field.shape))));
            if fields.is_empty() {
                format!("s.object({{}}{others})")
            } else {
                format!("s.object({{ {fields} }}{others})")
            }
        }
    }
}

fn member(field: &Field, shape: &str) -> String {
    // An assignment to this name would set the prototype.
    let name = if field.name == "__proto__" { "[\"__proto__\"]".to_owned() } else { names::member(&field.name) };
    match &field.preset {
        _ if field.is_required => format!("{name}: s.required({shape})"),
        Some(preset) => format!("{name}: s.optional({shape}, {preset})"),
        None => format!("{name}: s.optional({shape})"),
    }
}
