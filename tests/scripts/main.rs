//! `scripts/test` itself, with a cargo that only pretends: what runs, what the last lines say, and the exit code.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use anyhow::{Result, ensure};
use harness::RabbitMq;
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

/// A cargo that notes its arguments, prints the file that is named for its step, and ends as its first line says.
const CARGO: &str = r#"#!/bin/bash
case "$*" in
    *--doc*) step=doc ;;
    *--lib*) step=lib ;;
    *--test*) step=test ;;
    *) step=build ;;
esac
echo "$*" >>"$CARGO_TARGET_DIR/arguments"
[[ -f $CARGO_TARGET_DIR/$step ]] || exit 0
tail -n +2 "$CARGO_TARGET_DIR/$step"
exit "$(head -n 1 "$CARGO_TARGET_DIR/$step")"
"#;

const DOC_PASSES: &str = "0
   Doc-tests guirpc

running 2 tests
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

const DOC_FAILS: &str = "101
   Doc-tests guirpc

running 2 tests
test guirpc/src/lib.rs - (line 7) ... FAILED
test guirpc/src/lib.rs - (line 9) ... ok

failures:

---- guirpc/src/lib.rs - (line 7) stdout ----
    no name

failures:
    guirpc/src/lib.rs - (line 7)

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

error: doctest failed, to rerun pass `-p guirpc --doc`
error: 1 target failed:
    `-p guirpc --doc`
";

const LIB_PASSES: &str = "0
     Running unittests src/lib.rs (target/debug/deps/guirpc-0123456789abcdef)

running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

const LIB_DOES_NOT_COMPILE: &str = "101
   Compiling guirpc v0.1.0
error: could not compile `guirpc` (lib test) due to 1 previous error
";

const TESTS_FAIL: &str = "101
     Running first/main.rs (target/debug/deps/first-0123456789abcdef)

running 1 test
error: test failed, to rerun pass `-p guirpc-tests --test first`
     Running second/main.rs (target/debug/deps/second-0123456789abcdef)

running 2 tests
test embedded::one ... FAILED

failures:

---- embedded::one ----
it differs

Stack backtrace:
   0: anyhow::error::<impl anyhow::Error>::msg


failures:
    embedded::one

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

     Running third.rs (target/debug/deps/third-0123456789abcdef)

running 4 tests
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

error: 2 targets failed:
    `-p guirpc-tests --test first`
    `-p guirpc-tests --test second`
";

fn main() -> ExitCode {
    let missing = RabbitMq::available().is_err();
    let reason = if missing { " (would install RabbitMQ)" } else { "" };
    let trial = |name: &str, run: fn() -> Result<()>| {
        Trial::test(format!("{name}{reason}"), move || run().map_err(|error| Failed::from(format!("{error:?}"))))
            .with_ignored_flag(missing)
    };
    let trials = vec![
        trial("what_passes_is_counted", what_passes_is_counted),
        trial("what_fails_keeps_nothing_from_running", what_fails_keeps_nothing_from_running),
        trial("what_does_not_compile_is_a_failure", what_does_not_compile_is_a_failure),
        trial("a_failed_build_is_the_end", a_failed_build_is_the_end),
        trial("arguments_are_passed_on", arguments_are_passed_on),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// What a run of the script came to.
struct Ended {
    code: Option<i32>,
    stdout: String,
    /// The arguments of cargo, call by call.
    calls: Vec<String>,
}

/// Runs the script with a cargo that prints these outputs, each under the name of its step.
fn scripts_test(steps: &[(&str, &str)], arguments: &[&str]) -> Result<Ended> {
    let folder = TempDir::with_prefix("guirpc-scripts-")?;
    let (programs, target) = (folder.path().join("programs"), folder.path().join("target"));
    fs::create_dir_all(&programs)?;
    fs::write(programs.join("cargo"), CARGO)?;
    fs::set_permissions(programs.join("cargo"), Permissions::from_mode(0o755))?;
    // So that no package of Python's is missing.
    for venv in ["pika", "guirpc-0.1", "contracts-python"] {
        let programs = target.join(venv).join("bin");
        fs::create_dir_all(&programs)?;
        symlink("/bin/true", programs.join("python"))?;
    }
    // Nor one of npm's.
    for program in ["node", "npm"] {
        symlink("/bin/true", programs.join(program))?;
    }
    for (step, output) in steps {
        fs::write(target.join(step), output)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/test");
    let path = std::env::var("PATH")?;
    let Output { status, stdout, .. } = Command::new(script)
        .args(arguments)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("CARGO_TARGET_DIR", &target)
        .output()?;
    let calls = fs::read_to_string(target.join("arguments"))?.lines().map(str::to_owned).collect();
    Ok(Ended { code: status.code(), stdout: String::from_utf8(stdout)?, calls })
}

/// Fails unless it ended with this code, after these last lines.
fn check(ended: &Ended, code: i32, last: &str) -> Result<()> {
    ensure!(ended.code == Some(code), "it ended with {:?}\n{}", ended.code, ended.stdout);
    ensure!(ended.stdout.ends_with(&format!("\n\n{last}\n")), "its last lines are others\n{}", ended.stdout);
    Ok(())
}

fn what_passes_is_counted() -> Result<()> {
    let ended = scripts_test(&[("doc", DOC_PASSES), ("lib", LIB_PASSES)], &[])?;
    check(&ended, 0, "5 passed, 0 failed, 1 skipped")
}

fn what_fails_keeps_nothing_from_running() -> Result<()> {
    let ended = scripts_test(&[("doc", DOC_FAILS), ("lib", LIB_PASSES), ("test", TESTS_FAIL)], &[])?;
    let [_, tests @ ..] = &*ended.calls else { anyhow::bail!("cargo is not called") };
    ensure!(tests.len() == 3 && tests.iter().all(|call| call.contains("--no-fail-fast")), "{tests:?}");
    check(
        &ended,
        1,
        "--- doc tests of guirpc: guirpc/src/lib.rs - (line 7)\n    no name\n\
         --- second: embedded::one\nit differs\n\
         FAILED doc tests of guirpc: guirpc/src/lib.rs - (line 7)\n\
         FAILED second: embedded::one\n\
         FAILED first: ended without a result\n\
         9 passed, 3 failed, 1 skipped",
    )
}

fn what_does_not_compile_is_a_failure() -> Result<()> {
    let ended = scripts_test(&[("doc", DOC_PASSES), ("lib", LIB_DOES_NOT_COMPILE)], &[])?;
    ensure!(ended.calls.len() == 4, "{:?}", ended.calls);
    let command = "cargo test --workspace --locked --no-fail-fast --lib --bins --examples";
    check(&ended, 1, &format!("FAILED {command}\n2 passed, 1 failed, 0 skipped"))
}

fn a_failed_build_is_the_end() -> Result<()> {
    let ended = scripts_test(&[("build", "101\nerror: could not compile `guirpc`\n")], &[])?;
    ensure!(ended.calls.len() == 1, "{:?}", ended.calls);
    check(&ended, 1, "FAILED cargo build --workspace --locked --bins\n0 passed, 1 failed, 0 skipped")
}

fn arguments_are_passed_on() -> Result<()> {
    let ended = scripts_test(&[("doc", DOC_PASSES)], &["handshake", "--", "--exact"])?;
    let passed_on = ended.calls.iter().skip(1).all(|call| call.ends_with(" handshake -- --exact"));
    ensure!(passed_on && ended.calls.len() == 4, "{:?}", ended.calls);
    check(&ended, 0, "2 passed, 0 failed, 0 skipped")
}
