//! A package that was made of a contract, built with what `scripts/test` has installed.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, anyhow, ensure};
use harness::{Program, binary};
use serde_json::Value;

use super::{contract, kinds};

/// As the packages that are made ask for it.
const OLDEST_NODE: u32 = 20;

/// Why TypeScript is not there, if it is not.
pub(crate) fn missing() -> Option<&'static str> {
    static MISSING: OnceLock<bool> = OnceLock::new();
    let missing = MISSING.get_or_init(|| {
        let version = Command::new("node").arg("--version").stdin(Stdio::null()).output();
        let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
        let has_packages = folder().is_ok_and(|folder| folder.join("node_modules/.bin/tsc").exists());
        !has_packages || major.is_none_or(|major| major < OLDEST_NODE)
    });
    missing.then_some("needs Node.js 20 and its packages: run scripts/test")
}

/// Where `scripts/test` installs its packages.
fn folder() -> anyhow::Result<PathBuf> {
    if let Some(folder) = env::var_os("GUIRPC_TEST_NODE_TYPESCRIPT") {
        return Ok(folder.into());
    }
    let test = env::current_exe()?;
    // target/debug/deps/NAME-HASH
    Ok(test.ancestors().nth(3).context("a test is in target")?.join("contracts-typescript"))
}

/// A package of a service, and the programs that use it.
#[derive(Debug)]
pub(super) struct Package {
    /// The package's own folder.
    package: PathBuf,
    /// That of the programs.
    programs: PathBuf,
}

impl Package {
    /// The package of `shop.json`, which is built once.
    pub(super) fn of_shop() -> anyhow::Result<&'static Self> {
        static BUILT: OnceLock<Result<Package, String>> = OnceLock::new();
        let programs = ["calls.ts", "check.ts", "lost.ts", "shop_server.ts", "unserved.ts"];
        let build = || {
            let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/shop.json");
            Package::build("shop", &fs::read_to_string(shop)?, &programs)
        };
        built(&BUILT, build)
    }

    /// The package of a service with every kind of type.
    pub(super) fn of_kinds() -> anyhow::Result<&'static Self> {
        static BUILT: OnceLock<Result<Package, String>> = OnceLock::new();
        built(&BUILT, || Package::build(kinds::SERVICE, &contract(kinds::SERVICE)?, &["kinds.ts"]))
    }

    /// Makes the package as a user does, and builds it and the programs.
    fn build(service: &str, contract: &str, programs: &[&str]) -> anyhow::Result<Self> {
        let own = built_by_this_run()?.join(service);
        let built = Package { package: own.join("package"), programs: own.join("programs") };
        fs::create_dir_all(&built.programs)?;
        fs::write(own.join("contract.json"), contract)?;
        let mut command = Command::new(binary("guirpc")?);
        command.args(["contract", "client", "--lang", "typescript", "--out"]).arg(&built.package);
        run(command.arg(own.join("contract.json")))?;
        install(&built.package, &own)?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts/typescript");
        for name in programs.iter().chain(&["tsconfig.json"]) {
            fs::copy(sources.join(name), built.programs.join(name))?;
        }
        fs::copy(built.package.join("eslint.config.js"), built.programs.join("eslint.config.js"))?;
        fs::write(built.programs.join("package.json"), r#"{ "private": true, "type": "module" }"#)?;
        run(tool("tsc")?.current_dir(&built.programs))?;
        Ok(built)
    }

    /// One of the programs.
    pub(super) fn run(&self, program: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(self.programs.join("dist").join(program));
        command
    }

    /// Lints the package by its own rules, and the programs by the same.
    pub(super) fn lint(&self) -> anyhow::Result<()> {
        run(tool("eslint")?.current_dir(&self.package))?;
        run(tool("eslint")?.current_dir(&self.programs))
    }
}

/// Does for a package that was made what `npm install` does in a folder of programs: it is built, and found by its
/// name, as is all that it needs.
pub(crate) fn install(package: &Path, programs: &Path) -> anyhow::Result<()> {
    let modules = programs.join("node_modules");
    fs::create_dir_all(&modules)?;
    for entry in fs::read_dir(folder()?.join("node_modules"))? {
        let entry = entry?;
        symlink(entry.path(), modules.join(entry.file_name()))?;
    }
    run(tool("tsc")?.current_dir(package))?;
    let manifest: Value = serde_json::from_str(&fs::read_to_string(package.join("package.json"))?)?;
    symlink(package, modules.join(manifest["name"].as_str().context("it has a name")?))?;
    Ok(())
}

/// The folder of what this run builds, in that of the packages, where programs find them; those of runs that have ended
/// are removed.
fn built_by_this_run() -> anyhow::Result<PathBuf> {
    let all = folder()?.join("built");
    fs::create_dir_all(&all)?;
    for entry in fs::read_dir(&all)? {
        let other = entry?;
        if !Path::new("/proc").join(other.file_name()).exists() {
            // Another run may be removing it as well.
            let _ = fs::remove_dir_all(other.path());
        }
    }
    Ok(all.join(std::process::id().to_string()))
}

fn built(
    once: &'static OnceLock<Result<Package, String>>,
    build: impl FnOnce() -> anyhow::Result<Package>,
) -> anyhow::Result<&'static Package> {
    once.get_or_init(|| build().map_err(|error| format!("{error:#}"))).as_ref().map_err(|error| anyhow!("{error}"))
}

fn tool(name: &str) -> anyhow::Result<Command> {
    Ok(Command::new(folder()?.join("node_modules/.bin").join(name)))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?} fails:\n{stdout}{stderr}");
    Ok(())
}

/// One of the programs, with a broker.
pub(super) fn node(package: &Package, program: &str, uri: &str) -> anyhow::Result<Program> {
    Program::start(package.run(program).env("AMQP_URI", uri))
}
