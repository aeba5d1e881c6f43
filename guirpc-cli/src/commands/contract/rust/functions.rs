//! `lib.rs`: the functions.

use std::fmt::Write;
use std::time::Duration;

use guirpc::contract::{Contract, Function, Python};

use super::MARK;
use super::layout::{WIDTH, attribute, docs, literal};
use super::model::{Argument, Model, Stub, Type};
use super::names::bare;

/// What is the contract's choice, not ours.
const LINTS: &str = "\
#![allow(
    clippy::doc_lazy_continuation,
    clippy::doc_markdown,
    clippy::enum_variant_names,
    clippy::large_enum_variant,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    clippy::too_many_arguments,
    clippy::type_complexity,
    rustdoc::all,
    reason = \"names, docs and types are those of the contract\"
)]
";

/// The source of the library.
pub(super) fn source(contract: &Contract, model: &Model) -> String {
    let service = contract.service.replace(['\r', '\n'], " ");
    let example = model.functions.first().map(|stub| format!(", as in `{}::call(&client, …)`", stub.ident));
    let example = example.unwrap_or_default();
    let mut source = format!(
        "{MARK}\n//! write it anew rather than change it.\n//!\n//! The functions of the service `{service}`, which are called by their stubs{example}.\n{LINTS}\npub mod types;\n"
    );
    let _ = write!(
        source,
        "\n/// The contract that this was written from: the hash of the document.\npub const CONTRACT: &str = {};\n",
        literal(&contract.hash)
    );
    for stub in &model.functions {
        let Some(function) = contract.functions.get(&stub.name) else { continue };
        source.push('\n');
        source.push_str(&docs(&function.docs, ""));
        match function.deprecated.as_deref() {
            None => {}
            Some("") => source.push_str("#[deprecated]\n"),
            Some(why) => {
                let _ = writeln!(source, "#[deprecated = {}]", literal(why));
            }
        }
        source.push_str(&attribute("guirpc::function", &options(contract, function, stub), ""));
        source.push_str(&signature(stub));
    }
    source
}

fn options(contract: &Contract, function: &Function, stub: &Stub) -> Vec<String> {
    let mut options = vec![format!("service = {}", literal(&contract.service))];
    if bare(&stub.ident) != stub.name {
        options.push(format!("name = {}", literal(&stub.name)));
    }
    if let Some(lane) = &function.lane {
        options.push(format!("lane = {}", literal(lane)));
    }
    // None has no time at all, and the attribute refuses that.
    if let Some(milliseconds) = function.timeout_ms.filter(|milliseconds| *milliseconds > 0) {
        let timeout = humantime::format_duration(Duration::from_millis(milliseconds)).to_string();
        options.push(format!("timeout = {}", literal(&timeout)));
    }
    if function.idempotent {
        options.push("idempotent".to_owned());
    }
    if function.coalesce {
        options.push("coalesce".to_owned());
    }
    options.extend(function.python.as_ref().map(python));
    options.push("contract = CONTRACT".to_owned());
    // The attribute goes by the name of the type otherwise.
    let named_result = matches!(&stub.output, Type::Named(name) if name.ends_with("Result"));
    if stub.error.is_none() && named_result {
        options.push("infallible".to_owned());
    }
    options
}

fn python(python: &Python) -> String {
    let serializer = |name: &str| literal(if name == "str" { "text" } else { name });
    let mut options = Vec::new();
    for (key, name, codec) in
        [("request", &python.request, &python.request_codec), ("response", &python.response, &python.response_codec)]
    {
        options.push(format!("{key} = {}", serializer(name)));
        // A pickle has no characters to choose.
        if name != "binary" && codec != "ascii" {
            options.push(format!("{key}_codec = {}", literal(codec)));
        }
    }
    format!("python({})", options.join(", "))
}

fn signature(stub: &Stub) -> String {
    let path = "types::";
    let output = match (&stub.error, &stub.output) {
        (None, Type::Unit) => String::new(),
        (None, output) => format!(" -> {}", output.written(path)),
        (Some(error), output) => format!(" -> Result<{}, {}>", output.written(path), error.written(path)),
    };
    let arguments = stub.arguments.iter().map(|(name, argument)| match argument {
        Argument::Text => format!("{name}: &str"),
        Argument::Bytes => format!("{name}: &[u8]"),
        Argument::Owned(ty) => format!("{name}: {}", ty.written(path)),
    });
    let arguments: Vec<String> = arguments.collect();
    let one_line = format!("pub fn {}({}){output};", stub.ident, arguments.join(", "));
    if one_line.chars().count() <= WIDTH || arguments.is_empty() {
        return one_line + "\n";
    }
    format!("pub fn {}(\n    {},\n){output};\n", stub.ident, arguments.join(",\n    "))
}
