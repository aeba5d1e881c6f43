//! The module `functions`: what the contract says of each function; and `errors`, their exceptions.

use std::collections::BTreeMap;
use std::fmt::Write;

use guirpc::contract::Contract;

use super::codecs::CODECS;
use super::imports;
use super::model::{Direction, Model};
use super::names::{self, Scope};
use super::shape::{Shape, Written};
use super::text::{Expr, docstring, string};
use crate::failure::Failure;

/// The exceptions that every package has.
pub(super) const ERRORS: [&str; 14] = [
    "Blocked",
    "CallError",
    "Disconnected",
    "Fault",
    "FunctionError",
    "InvalidArguments",
    "Overloaded",
    "Refused",
    "TimedOut",
    "TooLarge",
    "Undecodable",
    "Unroutable",
    "Unsendable",
    "Invalid",
];

/// A function with the types that it has in Python.
pub(super) struct Function {
    /// As the contract has it.
    pub(super) name: String,
    /// As an identifier.
    pub(super) python: String,
    pub(super) docs: String,
    pub(super) deprecated: Option<String>,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: Shape,
    pub(super) error: Option<Failing>,
}

pub(super) struct Argument {
    pub(super) name: String,
    pub(super) python: String,
    pub(super) shape: Shape,
    pub(super) required: bool,
}

/// An error of a function's own.
pub(super) struct Failing {
    pub(super) exception: String,
    pub(super) shape: Shape,
}

/// The functions of a contract, and their types in the model.
pub(super) fn of(contract: &Contract, model: &mut Model<'_>) -> Result<Vec<Function>, Failure> {
    model.define_all()?;
    let mut scope = Scope::default();
    let mut exceptions = Scope::with(ERRORS.iter().map(|name| (*name).to_owned()));
    let mut by_type: BTreeMap<String, String> = BTreeMap::new();
    let mut functions = Vec::new();
    for (name, function) in &contract.functions {
        let class = names::class(name);
        let mut of_function = Scope::default();
        let mut arguments = Vec::new();
        for argument in &function.arguments {
            let hint = format!("{class}{}", names::class(&argument.name));
            arguments.push(Argument {
                name: argument.name.clone(),
                python: of_function.take(names::identifier(&argument.name)),
                shape: model.of(&argument.ty, Direction::Input, &hint)?,
                required: argument.required,
            });
        }
        let output = model.of(&function.output.ty, Direction::Output, &format!("{class}Output"))?;
        let error = match &function.error {
            None => None,
            Some(error) => {
                let shape = model.of(&error.ty, Direction::Output, &format!("{class}Error"))?;
                let exception = match &shape {
                    Shape::Named { name, .. } => {
                        by_type.entry(name.clone()).or_insert_with(|| exceptions.take(name.clone())).clone()
                    }
                    _ => exceptions.take(format!("{class}Error")),
                };
                Some(Failing { exception, shape })
            }
        };
        functions.push(Function {
            name: name.clone(),
            python: scope.take(names::identifier(name)),
            docs: function.docs.clone(),
            deprecated: function.deprecated.clone(),
            arguments,
            output,
            error,
        });
    }
    Ok(functions)
}

/// The module `functions`, without its header.
pub(super) fn module(contract: &Contract, functions: &[Function]) -> String {
    let service = &contract.service;
    let mut code = String::new();
    for function in functions {
        code += &descriptor(contract, function);
    }
    let by_name = functions.iter().map(|one| Expr::atom(format!("{}: {}", string(&one.name), one.python)));
    let arguments = [
        Expr::atom(format!("name={}", string(service))),
        Expr::atom(format!("hash={}", string(&contract.hash))),
        Expr::atom(format!("guirpc=\"{}\"", env!("CARGO_PKG_VERSION"))),
        Expr::brackets("functions={", by_name, "}"),
    ];
    code += &Expr::call("SERVICE = Service", arguments).line(0);
    let imports = imports::modules(&["codecs", "errors", "types"], &code)
        + &imports::of("._runtime.codec", &CODECS, &code)
        + &imports::of("._runtime.wire", &["Argument", "Function", "Service"], &code);
    let any = imports::of("typing", &["Any", "Literal"], &code);
    let any = if any.is_empty() { any } else { format!("\n{any}") };
    format!(
        "\"\"\"What the contract says of service `{service}` and its functions.\"\"\"\n\n\
         from __future__ import annotations\n{any}\n{imports}\n{code}"
    )
}

fn descriptor(contract: &Contract, function: &Function) -> String {
    let told = &contract.functions[&function.name];
    let pairs = function.arguments.iter().zip(&told.arguments);
    let arguments = pairs.map(|(argument, told)| {
        let rust = Expr::atom(string(&told.ty.rust));
        let optional = (!argument.required).then(|| Expr::atom("required=False"));
        let head = [Expr::atom(string(&argument.name)), argument.shape.codec("_codecs."), rust];
        Expr::call("Argument", head.into_iter().chain(optional))
    });
    let mut members = vec![
        Expr::atom(format!("name={}", string(&function.name))),
        Expr::tuple("arguments=", arguments.collect()),
        function.output.codec("_codecs.").after("output="),
        Expr::atom(format!("output_type={}", string(&told.output.ty.rust))),
        Expr::atom(format!("signature={}", string(&told.signature))),
    ];
    let mut member = |name: &str, value: Option<String>| {
        members.extend(value.map(|value| Expr::atom(format!("{name}={value}"))));
    };
    member("docs", Some(string(&function.docs)).filter(|_| !function.docs.is_empty()));
    member("lane", told.lane.as_deref().map(string));
    member("timeout_ms", told.timeout_ms.map(|timeout| timeout.to_string()));
    member("idempotent", told.idempotent.then(|| "True".to_owned()));
    member("early", (told.ack == "early").then(|| "True".to_owned()));
    if let (Some(failing), Some(error)) = (&function.error, &told.error) {
        members.push(failing.shape.codec("_codecs.").after("error="));
        members.push(Expr::atom(format!("error_status={}", error.status)));
        members.push(Expr::atom(format!("raises=_errors.{}", failing.exception)));
    }
    let hint = function.output.hint(Written::Annotation("_types.")).flat();
    Expr::call(&format!("{}: Function[{hint}] = Function", function.python), members).line(0)
}

/// The module `errors`, without its header; and the names in it.
pub(super) fn errors(service: &str, functions: &[Function]) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut names: Vec<String> =
        ERRORS.iter().filter(|name| **name != "Invalid").map(|name| (*name).to_owned()).collect();
    for function in functions {
        let Some(Failing { exception, shape }) = &function.error else { continue };
        if names.contains(exception) {
            continue;
        }
        names.push(exception.clone());
        let hint = match shape {
            Shape::Named { name, .. } => format!("_types.{name}"),
            shape => shape.hint(Written::Alias).flat(),
        };
        let users: Vec<String> = functions
            .iter()
            .filter(|one| one.error.as_ref().is_some_and(|error| error.exception == *exception))
            .map(|one| format!("`{}`", one.name))
            .collect();
        let docs = docstring(&format!("The error of {}'s own, which is `error`.", users.join(", ")), 1);
        let _ = write!(code, "\n\nclass {exception}(FunctionError[{hint}]):\n{docs}");
    }
    names.sort();
    let all = Expr::brackets("__all__ = [", names.iter().map(|name| Expr::atom(string(name))), "]").line(0);
    let code = format!("{code}\n\n{all}").replacen("\n\n\n\n", "\n\n\n", 1);
    let errors: Vec<&str> = ERRORS.into_iter().filter(|name| *name != "Invalid").collect();
    let head = format!(
        "\"\"\"Why a call of service `{service}` failed.\"\"\"\n\nfrom __future__ import annotations\n{}\n{}{}",
        prefixed(&imports::of("typing", &["Any", "Literal", "Union"], &code)),
        imports::modules(&["types"], &code),
        imports::of("._runtime.errors", &errors, &errors.join(" ")),
    );
    // Two lines stand before a class, one before what else there is.
    let is_bare = code.starts_with("\n\n__all__");
    (head + code.strip_prefix('\n').filter(|_| is_bare).unwrap_or(&code), names)
}

fn prefixed(block: &str) -> String {
    if block.is_empty() { String::new() } else { format!("\n{block}") }
}
