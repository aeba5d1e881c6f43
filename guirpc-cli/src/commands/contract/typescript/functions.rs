//! `client.ts` and `server.ts`: a method for each function.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::code::{Form, type_of};
use super::docs::{comment, one_line};
use super::model::{Model, ModelFunction};
use super::names;
use super::quoted;
use super::schema::Shape;
use crate::template::fill;

/// A type of the parameters, or of what is returned, with the names that it needs.
struct Typed<'m> {
    model: &'m Model<'m>,
    imports: BTreeSet<String>,
}

impl Typed<'_> {
    fn of(&mut self, shape: &Shape, form: Form) -> String {
        let forms = &self.model.forms;
        self.imports.extend(shape.refs().into_iter().map(|name| forms.name(name, form)));
        type_of(&self.model.definitions, &|name, form| forms.name(name, form), shape, form)
    }

    /// What a function returns: nothing at all is `void`.
    fn output(&mut self, function: &ModelFunction<'_>) -> String {
        match &function.output {
            Shape::Null => "void".to_owned(),
            shape => self.of(shape, Form::Received),
        }
    }

    fn arguments(&mut self, function: &ModelFunction<'_>, form: Form) -> String {
        let members = function.arguments.iter().map(|argument| {
            let ty = self.of(&argument.shape, form);
            let name = names::member(argument.name);
            match (argument.is_required || form != Form::Given, ty.as_str()) {
                (true, ty) => format!("{name}: {ty}"),
                (false, "unknown") => format!("{name}?: unknown"),
                (false, ty) => format!("{name}?: {ty} | undefined"),
            }
        });
        let members: Vec<String> = members.collect();
        format!("{{ {} }}", members.join("; "))
    }

    /// The parameters of a method that calls: without arguments there are only options.
    fn parameters(&mut self, function: &ModelFunction<'_>) -> String {
        let options = "options: CallOptions = {}";
        if function.arguments.is_empty() {
            return options.to_owned();
        }
        let arguments = self.arguments(function, Form::Given);
        let is_optional = function.arguments.iter().all(|argument| !argument.is_required);
        format!("args: {arguments}{}, {options}", if is_optional { " = {}" } else { "" })
    }

    fn imported(&self) -> String {
        if self.imports.is_empty() {
            return String::new();
        }
        let names: Vec<&str> = self.imports.iter().map(String::as_str).collect();
        format!("import type {{ {} }} from \"./types.js\";\n", names.join(", "))
    }
}

pub(super) fn client(model: &Model<'_>) -> String {
    let mut typed = Typed { model, imports: BTreeSet::new() };
    let (mut calls, mut sends, mut errors) = (String::new(), String::new(), String::new());
    for function in &model.functions {
        let docs = method_docs(function);
        let (method, name) = (names::method(function.name), quoted(function.name));
        let parameters = typed.parameters(function);
        let output = typed.output(function);
        let arguments = if function.arguments.is_empty() { "{}" } else { "args" };
        let called = match output.as_str() {
            "void" => format!("await this.#caller.call({name}, {arguments}, options);"),
            "unknown" => format!("return this.#caller.call({name}, {arguments}, options);"),
            ty => format!("return (await this.#caller.call({name}, {arguments}, options)) as {ty};"),
        };
        // Writing to a text cannot fail.
        let _ = write!(calls, "\n{docs}  async {method}({parameters}): Promise<{output}> {{\n    {called}\n  }}\n");
        let sent = format!("await this.#caller.send({name}, {arguments}, options);");
        let _ = write!(sends, "\n{docs}  async {method}({parameters}): Promise<void> {{\n    {sent}\n  }}\n");
        if let Some(error) = &function.error {
            let ty = typed.of(error, Form::Received);
            let _ = writeln!(errors, "  {}: {ty};", names::member(function.name));
        }
    }
    let class = model.class();
    let (import, section) = error_section(&errors);
    fill(
        include_str!("../../../../templates/typescript/client.ts"),
        &[
            ("client", &format!("{class}Client")),
            ("sender", &format!("{class}Sender")),
            ("service", &one_line(&model.contract.service)),
            ("calls", &calls),
            ("sends", &sends),
            ("import", import),
            ("errors", &section),
            ("types", &typed.imported()),
        ],
    )
}

/// The types of the errors of functions, and what else there is of them; nothing if no function has one.
fn error_section(members: &str) -> (&'static str, String) {
    if members.is_empty() {
        return ("", String::new());
    }
    let section = fill(include_str!("../../../../templates/typescript/errors.ts"), &[("members", members)]);
    ("import { FunctionError } from \"./runtime/errors.js\";\n", section)
}

pub(super) fn server(model: &Model<'_>) -> String {
    let mut typed = Typed { model, imports: BTreeSet::new() };
    let mut members = String::new();
    for function in &model.functions {
        let docs = method_docs(function);
        let arguments = if function.arguments.is_empty() {
            "Record<string, never>".to_owned()
        } else {
            typed.arguments(function, Form::Taken)
        };
        let output = typed.output(function);
        let name = names::member(function.name);
        // Writing to a text cannot fail.
        let _ = writeln!(members, "{docs}  {name}(args: {arguments}, context: Context): Returned<{output}>;");
    }
    fill(
        include_str!("../../../../templates/typescript/server.ts"),
        &[
            ("functions", &format!("{}Functions", model.class())),
            ("service", &one_line(&model.contract.service)),
            ("members", &members),
            ("types", &typed.imported()),
        ],
    )
}

fn method_docs(function: &ModelFunction<'_>) -> String {
    let mut docs = function.function.docs.clone();
    if function.error.is_some() {
        let raised = format!("It may fail with an error of its own: `isErrorOf(error, {})`.", quoted(function.name));
        docs = if docs.is_empty() { raised } else { format!("{docs}\n\n{raised}") };
    }
    comment(&docs, function.function.deprecated.as_deref(), "  ")
}
