//! The modules `client`, `blocking` and `server`: a method for each function.

use std::fmt::Write;

use guirpc::contract::Contract;

use super::functions::{Argument, Function};
use super::imports;
use super::names::{self, Scope};
use super::shape::Written;
use super::text::{Expr, docstring, string};
use crate::template::fill;

/// One of the two forms of a client.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Async,
    Blocking,
}

const HINTS: Written<'static> = Written::Annotation("_types.");

/// The module of a client, without its header.
pub(super) fn client(contract: &Contract, functions: &[Function], form: Form) -> String {
    let service = &contract.service;
    let (base, module, what, way) = match form {
        Form::Async => ("AsyncClient", "._runtime.aio", "for asyncio", "async with"),
        Form::Blocking => ("BlockingClient", "._runtime.sync", "which blocks, for any number of threads", "with"),
    };
    let class = names::class(service);
    let mut code = format!(
        "\n\nclass {class}({base}):\n    \"\"\"Calls functions of service `{service}`.\n\n    \
         Use it as `{way} {class}(uri) as service`, or `close` it.\n    \"\"\"\n\n    service = _functions.SERVICE\n"
    );
    let mut scope = Scope::with(functions.iter().map(|function| function.python.clone()));
    for function in functions {
        code += &call(function, form);
        code += &send(function, form, &scope.take(format!("send_{}", function.python)));
    }
    let standard = if code.contains("warnings.warn") { "import warnings\n" } else { "" };
    let standard = standard.to_owned() + &imports::of("typing", &["Any", "Literal"], &code);
    let standard = if standard.is_empty() { standard } else { format!("\n{standard}") };
    format!(
        "\"\"\"The client of service `{service}` {what}.\"\"\"\n\nfrom __future__ import annotations\n{standard}\n{}{}{}{code}",
        imports::modules(&["functions", "types"], &code),
        imports::of(module, &[base], &code),
        imports::of("._runtime.wire", &["Headers"], &code),
    )
}

/// A parameter, which may be left out where all behind it may.
fn parameter(argument: &Argument, optional: bool) -> Expr {
    let shape = if argument.required { argument.shape.clone() } else { argument.shape.clone().nullable() };
    let default = if optional { " = None" } else { "" };
    Expr::atom(format!("{}: {}{default}", argument.python, shape.hint(HINTS).flat()))
}

fn parameters(function: &Function) -> Vec<Expr> {
    let first_optional = function.arguments.iter().rposition(|argument| argument.required).map_or(0, |last| last + 1);
    let all = function.arguments.iter().enumerate();
    all.map(|(place, argument)| parameter(argument, place >= first_optional)).collect()
}

fn values(function: &Function) -> String {
    let names = function.arguments.iter().map(|argument| Expr::atom(&*argument.python)).collect();
    Expr::tuple("", names).flat()
}

fn method(name: &str, form: Form, function: &Function, keywords: &[&str], returns: &str) -> String {
    let parameters = [Expr::atom("self")].into_iter().chain(parameters(function)).chain([Expr::atom("*")]);
    let parameters = parameters.chain(keywords.iter().map(|keyword| Expr::atom(*keyword)));
    let word = match form {
        Form::Async => "async def",
        Form::Blocking => "def",
    };
    let close = format!(") -> {returns}:");
    format!("\n{}", Expr::brackets(&format!("{word} {name}("), parameters, &close).line(1))
}

fn warning(function: &Function) -> String {
    let Some(reason) = &function.deprecated else { return String::new() };
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let text = Expr::atom(string(&format!("`{}` is deprecated{because}", function.name)));
    let arguments = [text, Expr::atom("DeprecationWarning"), Expr::atom("stacklevel=2")];
    Expr::call("warnings.warn", arguments).line(2)
}

fn docs(function: &Function) -> String {
    let deprecated = function.deprecated.as_ref().map(|reason| {
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        format!("Deprecated{because}.")
    });
    let own =
        if function.docs.trim().is_empty() { format!("Calls `{}`.", function.name) } else { function.docs.clone() };
    let raises =
        function.error.as_ref().map(|error| format!("Raises `{}`, the function's own error.", error.exception));
    let parts: Vec<String> = [Some(own), deprecated, raises].into_iter().flatten().collect();
    docstring(&parts.join("\n\n"), 2)
}

fn call(function: &Function, form: Form) -> String {
    let returns = function.output.hint(HINTS).flat();
    let keywords = ["timeout: float | None = None", "headers: Headers | None = None"];
    let mut text = method(&function.python, form, function, &keywords, &returns);
    text += &docs(function);
    text += &warning(function);
    let wait = match form {
        Form::Async => "await ",
        Form::Blocking => "",
    };
    let arguments = [format!("_functions.{}", function.python), values(function), "timeout".into(), "headers".into()];
    // What returns nothing returns that of its call: mypy has it so.
    let give = if returns == "None" { "" } else { "return " };
    text + &Expr::call(&format!("{give}{wait}self._call"), arguments.into_iter().map(Expr::Atom)).line(2)
}

fn send(function: &Function, form: Form, name: &str) -> String {
    let keywords = ["expires: float | None = None", "headers: Headers | None = None"];
    let mut text = method(name, form, function, &keywords, "None");
    let docs = format!(
        "Has `{}` run without waiting for a reply; done when the broker has confirmed it.\n\nIf it has not begun after \
         so many seconds (`expires`), it is not run.",
        function.name
    );
    text += &docstring(&docs, 2);
    text += &warning(function);
    let wait = match form {
        Form::Async => "await ",
        Form::Blocking => "",
    };
    let arguments = [format!("_functions.{}", function.python), values(function), "expires".into(), "headers".into()];
    text + &Expr::call(&format!("{wait}self._send"), arguments.into_iter().map(Expr::Atom)).line(2)
}

/// The module `server`, without its header.
pub(super) fn server(contract: &Contract, functions: &[Function], template: &str) -> String {
    let class = names::class(&contract.service);
    let mut methods = String::new();
    let mut items = Vec::new();
    for function in functions {
        let output = function.output.hint(HINTS).flat();
        let returns = format!("{output} | Awaitable[{output}]");
        let all = [Expr::atom("self")].into_iter().chain(parameters(function));
        // Without docs there is nothing else in it.
        let docs = docstring(&function.docs, 2);
        let end = if docs.is_empty() { " ..." } else { "" };
        let close = format!(") -> {returns}:{end}");
        let head = Expr::brackets(&format!("def {}(", function.python), all, &close);
        let _ = write!(methods, "\n{}{docs}", head.line(1));
        let hints = function.arguments.iter().map(|argument| {
            let shape = if argument.required { argument.shape.clone() } else { argument.shape.clone().nullable() };
            Expr::atom(shape.hint(HINTS).flat())
        });
        let callable = [Expr::brackets("[", hints, "]"), Expr::atom(returns)];
        items.push(Expr::brackets(&format!("{}: Callable[", string(&function.name)), callable, "]"));
    }
    let typed = Expr::call(
        &format!("{class}Functions = TypedDict"),
        [Expr::atom(string(&format!("{class}Functions"))), Expr::brackets("{", items, "}")],
    );
    let names = functions.iter().map(|one| Expr::atom(format!("{}: {}", string(&one.name), string(&one.python))));
    let names = Expr::brackets("_NAMES = {", names, "}").line(0);
    let blanks = [
        ("class", &*class),
        ("service", &contract.service),
        ("methods", &methods),
        ("names", &names),
        ("functions", &typed.line(0)),
    ];
    // What is imported depends on what is filled in after it.
    let (head, body) = template.split_once("{{imports}}").unwrap_or(("", template));
    let (head, body) = (&fill(head, &blanks), &fill(body, &blanks));
    let typing = imports::of("typing", &["Any", "Literal", "Protocol", "TypedDict"], body);
    let own = imports::modules(&["functions", "types"], body)
        + &imports::of("._runtime.dispatch", &["Request", "current"], body)
        + &imports::of("._runtime.serving", &["Server"], body);
    format!("{head}{typing}\n{own}{body}")
}
