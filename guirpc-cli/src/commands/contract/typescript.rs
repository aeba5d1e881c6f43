//! A package in TypeScript: types, a client and a server, made of a contract.
//!
//! What is the same for every service is in `templates/typescript/runtime`, and goes along as it is. What differs is
//! written here: the types for programs, and the shapes by which the runtime checks, writes and reads values.

use std::fs;
use std::path::Path;

use guirpc::contract::Contract;
use serde_json::Value;

use crate::failure::Failure;
use crate::template;

mod code;
mod docs;
mod forms;
mod functions;
mod model;
mod names;
mod range;
mod schema;
mod shapes;
mod types;

use model::Model;

/// By which a file is known to be ours.
const MARK: &str = "guirpc contract client";

macro_rules! runtime {
    ($($path:literal),* $(,)?) => {
        [$((concat!("src/runtime/", $path), include_str!(concat!("../../../templates/typescript/runtime/", $path)))),*]
    };
}

/// The runtime, which is the same in every package.
const RUNTIME: [(&str, &str); 24] = runtime![
    "alone.ts",
    "body.ts",
    "caller.ts",
    "calls.ts",
    "connection.ts",
    "errors.ts",
    "index.ts",
    "json.ts",
    "mismatch.ts",
    "msgpack.ts",
    "names.ts",
    "read.ts",
    "server/control.ts",
    "server/delivery.ts",
    "server/dispatch.ts",
    "server/lane.ts",
    "server/nearest.ts",
    "server/reply.ts",
    "server/republisher.ts",
    "server/request.ts",
    "server/serve.ts",
    "server/statistics.ts",
    "server/topology.ts",
    "server/triage.ts",
];

/// What both the runtime and generated files stand on.
const SHAPES: [(&str, &str); 2] = runtime!["shape.ts", "write.ts"];

/// Writes the package; files of an earlier one are written over, others are left as they are.
pub(super) fn write(contract: &Contract, out: &Path) -> Result<(), Failure> {
    let files = files(contract);
    // Before anything is written.
    files.iter().try_for_each(|(path, _)| refuse_others(&out.join(path)))?;
    files.iter().try_for_each(|(path, text)| write_file(&out.join(path), text))
}

/// The files of the package: the same for the same contract, byte for byte.
fn files(contract: &Contract) -> Vec<(&'static str, String)> {
    let model = Model::new(contract);
    let heading = format!("// Made by `{MARK}`, do not edit. Contract {}\n", docs::one_line(&contract.hash));
    let generated = [
        ("src/client.ts", functions::client(&model)),
        ("src/contract.ts", document(contract)),
        ("src/index.ts", include_str!("../../../templates/typescript/index.ts").to_owned()),
        ("src/schemas.ts", shapes::schemas(&model)),
        ("src/server.ts", functions::server(&model)),
        ("src/types.ts", types::types(&model)),
    ];
    let runtime = RUNTIME.into_iter().chain(SHAPES).map(|(path, text)| (path, text.to_owned()));
    let headed = generated.into_iter().chain(runtime).map(|(path, text)| (path, format!("{heading}{text}")));
    let plain = [
        ("package.json", package(contract)),
        ("tsconfig.json", include_str!("../../../templates/typescript/tsconfig.json").to_owned()),
        ("eslint.config.js", include_str!("../../../templates/typescript/eslint.config.js").to_owned()),
    ];
    plain.into_iter().chain(headed).collect()
}

fn package(contract: &Contract) -> String {
    let description = format!(
        "The service `{}`, contract {}: made by `{MARK}`, do not edit",
        docs::one_line(&contract.service),
        docs::one_line(&contract.hash)
    );
    let name = names::package(&contract.service);
    let blanks = [("name", &*quoted(&name)), ("description", &*quoted(&description))];
    template::fill(include_str!("../../../templates/typescript/package.json"), &blanks)
}

/// For servers, which are asked for it.
fn document(contract: &Contract) -> String {
    let document = serde_json::to_string(contract).unwrap_or_default();
    format!("\n/** The contract, as a document in JSON. */\nexport const document: string = {};\n", quoted(&document))
}

/// A text as a literal; that of JSON is one of TypeScript.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn refuse_others(path: &Path) -> Result<(), Failure> {
    match fs::read(path) {
        Ok(text) if !String::from_utf8_lossy(&text).contains(MARK) => Err(Failure::usage(format!(
            "`{}` was not made by `{MARK}`, and is left as it is; choose another folder with `--out`",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::other(format!("cannot write `{}`: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = include_str!("../../../../tests/contracts/shop.json");

    fn shop() -> Contract {
        Contract::from_json(SHOP).unwrap()
    }

    #[track_caller]
    fn check(path: &str, expected: &[&str]) {
        let files = files(&shop());
        let (_, text) = files.iter().find(|(name, _)| *name == path).unwrap();
        for line in expected {
            assert!(text.contains(line), "no `{line}` in\n{text}");
        }
    }

    #[test]
    fn both_directions_have_types_where_they_differ() {
        check(
            "src/types.ts",
            &[
                "export interface ArticleInput {\n  id: bigint | number;\n",
                "export interface ArticleOutput {\n  id: bigint;\n",
                "  tags?: string[] | undefined;\n",
                "  tags: string[];\n",
                "export type Size =\n  | \"Small\" | \"Large\"\n  | { Custom: [number, number] };\n",
                "  stock: Record<number, number>;\n",
            ],
        );
    }

    #[test]
    fn a_method_has_what_the_contract_says_of_its_function() {
        check(
            "src/client.ts",
            &[
                "add(args: { a: bigint | number; b: bigint | number }, options: CallOptions = {}): Promise<bigint>",
                "* @deprecated use `search`",
                "find(args: { name: string; limit?: number | null | undefined }, options",
                "checksum(args: { data: Uint8Array }, options: CallOptions = {}): Promise<bigint>",
            ],
        );
    }

    #[test]
    fn the_same_contract_gives_the_same_bytes() {
        assert_eq!(files(&shop()), files(&shop()));
        let hash = shop().hash;
        for (path, text) in files(&shop()) {
            assert!(text.contains(MARK), "{path} does not say what made it");
            assert!(!path.starts_with("src/") || text.contains(&hash), "{path} does not say of which contract");
        }
    }

    #[test]
    fn a_file_of_another_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        write(&shop(), folder.path()).unwrap();
        write(&shop(), folder.path()).unwrap();
        let path = folder.path().join("package.json");
        fs::write(&path, "{}").unwrap();
        let failure = write(&shop(), folder.path()).unwrap_err();
        assert!(failure.message().contains("package.json"), "{failure}");
        assert_eq!(fs::read_to_string(path).unwrap(), "{}");
    }
}
