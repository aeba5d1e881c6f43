//! Packages for Python: a client for asyncio and one that blocks, and a server, out of a contract.

use std::fs;
use std::path::Path;

use guirpc::contract::Contract;

use crate::args::Models;
use crate::failure::Failure;
use crate::template;

mod codecs;
mod functions;
mod imports;
mod model;
mod names;
mod schema;
mod shape;
mod stubs;
mod text;
mod types;

use model::Model;
use stubs::Form;
use text::{Expr, string};

const PYPROJECT: &str = include_str!("../../../templates/python/package.toml");
const SERVER: &str = include_str!("../../../templates/python/server.py");

/// What every package has, which knows no contract.
const RUNTIME: [(&str, &str); 14] = [
    ("__init__.py", include_str!("../../../templates/python/runtime/__init__.py")),
    ("aio.py", include_str!("../../../templates/python/runtime/aio.py")),
    ("codec.py", include_str!("../../../templates/python/runtime/codec.py")),
    ("control.py", include_str!("../../../templates/python/runtime/control.py")),
    ("dispatch.py", include_str!("../../../templates/python/runtime/dispatch.py")),
    ("errors.py", include_str!("../../../templates/python/runtime/errors.py")),
    ("lanes.py", include_str!("../../../templates/python/runtime/lanes.py")),
    ("letters.py", include_str!("../../../templates/python/runtime/letters.py")),
    ("names.py", include_str!("../../../templates/python/runtime/names.py")),
    ("objects.py", include_str!("../../../templates/python/runtime/objects.py")),
    ("serving.py", include_str!("../../../templates/python/runtime/serving.py")),
    ("statistics.py", include_str!("../../../templates/python/runtime/statistics.py")),
    ("sync.py", include_str!("../../../templates/python/runtime/sync.py")),
    ("wire.py", include_str!("../../../templates/python/runtime/wire.py")),
];

/// Writes the package into a folder of its own in this one; what was made there before is replaced.
pub(super) fn write(contract: &Contract, models: Models, out: &Path) -> Result<(), Failure> {
    let folder = out.join(package(contract));
    for (path, text) in files(contract, models)? {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(out);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| Failure::other(format!("cannot write `{}`: {error}", path.display())))?;
    }
    Ok(())
}

/// The package's name, which Python can import.
fn package(contract: &Contract) -> String {
    names::identifier(&contract.service.to_lowercase())
}

/// The files of the package, by their paths in its folder.
fn files(contract: &Contract, models: Models) -> Result<Vec<(String, String)>, Failure> {
    let service = &contract.service;
    if service.chars().any(char::is_control) || contract.hash.chars().any(|c| !c.is_ascii_alphanumeric()) {
        return Err(Failure::usage("the contract's service or hash has characters in it that none has"));
    }
    let header = format!(
        "# Made by `guirpc contract client` of the contract of service `{service}`, do not edit.\n# Contract: {}\n",
        contract.hash
    );
    let mut model = Model::new(contract);
    let functions = functions::of(contract, &mut model)?;
    let definitions = model.sorted();
    let (errors, exceptions) = functions::errors(service, &functions);
    let modules = [
        ("__init__.py", init(contract, &exceptions)),
        ("blocking.py", stubs::client(contract, &functions, Form::Blocking)),
        ("client.py", stubs::client(contract, &functions, Form::Async)),
        ("codecs.py", codecs::module(service, &definitions)),
        ("errors.py", errors),
        ("functions.py", functions::module(contract, &functions)),
        ("pyproject.toml", pyproject(contract, models)),
        ("server.py", stubs::server(contract, &functions, SERVER)),
        ("types.py", types::module(service, &definitions, models)),
    ];
    let modules = modules.into_iter().map(|(path, text)| (path.to_owned(), format!("{header}{text}")));
    let runtime = RUNTIME.iter().map(|(path, text)| (format!("_runtime/{path}"), format!("{header}{text}")));
    Ok(modules.chain(runtime).chain([("py.typed".to_owned(), String::new())]).collect())
}

fn init(contract: &Contract, exceptions: &[String]) -> String {
    let class = names::class(&contract.service);
    let mut names: Vec<&str> = exceptions.iter().map(String::as_str).collect();
    let errors = imports::of(".errors", &names, &names.join(" "));
    // An exception of that name stays in `errors`.
    let errors = if names.contains(&class.as_str()) { String::new() } else { errors };
    names.push(&class);
    names.sort_unstable();
    names.dedup();
    let names: Vec<&str> = if errors.is_empty() { vec![&class] } else { names };
    let all = Expr::brackets("__all__ = [", names.into_iter().map(|name| Expr::atom(string(name))), "]").line(0);
    format!(
        "\"\"\"Calls and serves the functions of the guirpc service `{}`.\n\nThe client for asyncio is `{class}`, the one \
         that blocks is `blocking.{class}`, and `server` serves.\n\"\"\"\n\nfrom .client import {class}\n{errors}\n{all}",
        contract.service
    )
}

fn pyproject(contract: &Contract, models: Models) -> String {
    let package = package(contract);
    let mut dependencies = vec!["aio-pika>=9.5", "msgpack>=1.0.8", "pika>=1.3.2"];
    if models == Models::Pydantic {
        dependencies.push("pydantic>=2.7");
    }
    let dependencies: Vec<String> = dependencies.into_iter().map(|name| format!("\"{name}\"")).collect();
    let blanks = [
        ("project", &*package.replace('_', "-")),
        ("package", &package),
        ("service", &contract.service.replace(['"', '\\'], "")),
        ("dependencies", &dependencies.join(", ")),
    ];
    template::fill(PYPROJECT, &blanks)
}
