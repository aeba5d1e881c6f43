//! `guirpc contract check`, as a job of CI runs it: exit codes, what is printed, commits, waivers.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use guirpc::embedded::Broker as Embedded;
use harness::{Case, binary};
use serde_json::{Value, json};
use tempfile::TempDir;

const SHOP: &str = include_str!("shop.json");

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::embedded("check::what_breaks_callers_ends_with_12", what_breaks_callers_ends_with_12),
        Case::embedded("check::the_direction_decides", the_direction_decides),
        Case::embedded("check::a_commit_is_compared_with", a_commit_is_compared_with),
        Case::embedded("check::waivers_are_for_what_is_meant", waivers_are_for_what_is_meant),
        Case::embedded("check::bad_input_ends_with_2", bad_input_ends_with_2),
    ]
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn check(folder: &Path, input: &str, arguments: &[&str]) -> anyhow::Result<Ended> {
    let mut command = Command::new(binary("guirpc")?);
    command.current_dir(folder).args(["contract", "check"]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // A command that refuses its arguments reads nothing.
    let _ = child.stdin.take().context("it has a standard input")?.write_all(input.as_bytes());
    let output = child.wait_with_output()?;
    let text = |bytes| String::from_utf8(bytes);
    Ok(Ended { code: output.status.code(), stdout: text(output.stdout)?, stderr: text(output.stderr)? })
}

/// A folder with the shop's contract, and one that `change` has changed; in both everything describes itself.
fn contracts(change: impl FnOnce(&mut Value)) -> anyhow::Result<TempDir> {
    let folder = TempDir::new()?;
    let mut contract: Value = serde_json::from_str(SHOP)?;
    contract["functions"].as_object_mut().context("there are functions")?.remove("opaque");
    fs::write(folder.path().join("old.json"), contract.to_string())?;
    change(&mut contract);
    fs::write(folder.path().join("new.json"), contract.to_string())?;
    Ok(folder)
}

/// The sum is of fewer bits, and there is a function more.
fn narrowed(contract: &mut Value) {
    contract["functions"]["add"]["arguments"][0]["schema"] = json!({"type": "integer", "format": "int32"});
    contract["functions"]["sum"] = contract["functions"]["add"].clone();
}

fn what_breaks_callers_ends_with_12(_broker: &Embedded) -> anyhow::Result<()> {
    let folder = contracts(narrowed)?;
    let same = check(folder.path(), "", &["old.json", "--against", "old.json"])?;
    ensure!(same.code == Some(0) && same.stdout.lines().count() == 1, "{same:?}");
    ensure!(same.stdout.contains("shop: no caller breaks"), "{same:?}");

    let text = check(folder.path(), "", &["new.json", "--against", "old.json"])?;
    ensure!(text.code == Some(12) && text.stderr.is_empty(), "{text:?}");
    let lines: Vec<&str> = text.stdout.lines().collect();
    ensure!(lines.len() == 3, "{text:?}");
    ensure!(
        lines[0]
            == "error    integer-narrowed add.a: breaks callers; was an integer (int64), is an integer (int32); do: keep \
                the wider type, and answer what is too large with a fault",
        "{text:?}"
    );
    ensure!(lines[1].starts_with("note     function-added sum: breaks servers; "), "{text:?}");
    ensure!(lines[2] == "shop: the contract breaks: 1 error, 0 warning, 1 note, 0 waived", "{text:?}");

    let json = check(folder.path(), "", &["new.json", "--against", "old.json", "--json"])?;
    let report: Value = serde_json::from_str(&json.stdout)?;
    let first = &report["differences"][0];
    ensure!(report["exit_code"] == 12 && json.code == Some(12) && report["direction"] == "callers", "{report}");
    ensure!(
        first["rule"] == "integer-narrowed" && first["place"] == "add.a" && first["severity"] == "error",
        "{first}"
    );
    ensure!(first["breaks"] == "callers" && first["servers"] == "safe" && first["waiver"] == Value::Null, "{first}");

    let github = check(folder.path(), "", &["new.json", "--against", "old.json", "--github"])?;
    let begin = "::error file=new.json,title=integer-narrowed add.a::breaks callers; was an integer (int64), ";
    ensure!(github.code == Some(12) && github.stdout.starts_with(begin), "{github:?}");
    ensure!(github.stdout.contains("\n::notice file=new.json,title=function-added sum::"), "{github:?}");

    let new = fs::read_to_string(folder.path().join("new.json"))?;
    let input = check(folder.path(), &new, &["--against", "old.json"])?;
    ensure!(input.code == Some(12) && input.stdout == text.stdout, "{input:?}");
    Ok(())
}

fn the_direction_decides(_broker: &Embedded) -> anyhow::Result<()> {
    let folder = contracts(narrowed)?;
    for (new, old, direction, code) in [
        ("new.json", "old.json", "callers", 12),
        ("old.json", "new.json", "servers", 12),
        ("new.json", "old.json", "both", 12),
        ("old.json", "old.json", "both", 0),
    ] {
        let ended = check(folder.path(), "", &[new, "--against", old, "--direction", direction])?;
        ensure!(ended.code == Some(code), "{new} {old} {direction}: {ended:?}");
    }
    let wider = contracts(|contract| {
        contract["functions"]["add"]["arguments"][0]["schema"] = json!({"type": "integer", "format": "int128"});
    })?;
    for (direction, code) in [("callers", 0), ("servers", 12), ("both", 12)] {
        let ended = check(wider.path(), "", &["new.json", "--against", "old.json", "--direction", direction])?;
        ensure!(ended.code == Some(code), "{direction}: {ended:?}");
    }
    Ok(())
}

fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let who = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").current_dir(folder).args(who).args(arguments).output()?;
    ensure!(output.status.success(), "git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn a_commit_is_compared_with(_broker: &Embedded) -> anyhow::Result<()> {
    let folder = contracts(narrowed)?;
    let contract = folder.path().join("api/contract.json");
    fs::create_dir(folder.path().join("api"))?;
    fs::rename(folder.path().join("old.json"), &contract)?;
    git(folder.path(), &["init", "--quiet"])?;
    git(folder.path(), &["add", "api"])?;
    git(folder.path(), &["commit", "--quiet", "--message", "a contract"])?;
    fs::rename(folder.path().join("new.json"), &contract)?;
    let api = folder.path().join("api");
    for (folder, new, old) in [
        (folder.path(), "api/contract.json", "git:HEAD:api/contract.json"),
        (&api, "contract.json", "git:HEAD:./contract.json"),
        (&api, "contract.json", "git:HEAD:api/contract.json"),
    ] {
        let ended = check(folder, "", &[new, "--against", old])?;
        ensure!(ended.code == Some(12) && ended.stdout.contains("integer-narrowed add.a"), "{ended:?}");
    }
    for (old, words) in [
        ("git:nowhere:api/contract.json", "nowhere"),
        ("git:HEAD:contract.json", "contract.json"),
        ("git:--help:x", "git:REV:PATH"),
    ] {
        let ended = check(folder.path(), "", &["api/contract.json", "--against", old])?;
        ensure!(ended.code == Some(2) && ended.stdout.is_empty(), "{ended:?}");
        ensure!(ended.stderr.starts_with("error: ") && ended.stderr.contains(words), "{ended:?}");
    }
    Ok(())
}

fn waivers_are_for_what_is_meant(_broker: &Embedded) -> anyhow::Result<()> {
    let folder = contracts(narrowed)?;
    let waived = |place: &str, until: &str| -> anyhow::Result<Ended> {
        let waiver = format!(
            "[[waiver]]\nrule = \"integer-narrowed\"\nplace = \"{place}\"\nreason = \"agreed\"\nuntil = {until}\n"
        );
        fs::write(folder.path().join("waivers.toml"), waiver)?;
        check(folder.path(), "", &["new.json", "--against", "old.json", "--waivers", "waivers.toml"])
    };
    let good = waived("add.a", "2999-12-31")?;
    ensure!(good.code == Some(0) && good.stdout.starts_with("waived   integer-narrowed add.a: "), "{good:?}");
    ensure!(good.stdout.contains("waived until 2999-12-31: agreed"), "{good:?}");
    ensure!(good.stdout.ends_with("0 error, 0 warning, 1 note, 1 waived\n"), "{good:?}");

    let expired = waived("add.a", "\"2020-02-29\"")?;
    ensure!(expired.code == Some(12) && expired.stdout.starts_with("error    integer-narrowed add.a: "), "{expired:?}");
    ensure!(expired.stdout.contains("its waiver has expired on 2020-02-29: agreed"), "{expired:?}");

    let unused = waived("add.b", "2999-12-31")?;
    ensure!(unused.code == Some(12), "{unused:?}");
    ensure!(unused.stdout.contains("\nwarning  integer-narrowed add.b: its waiver is for nothing"), "{unused:?}");

    for (waivers, words) in [
        ("[[waiver]]\nrule = \"integer-narrowed\"\nplace = \"add.a\"\nuntil = 2999-12-31\n", "missing field `reason`"),
        ("[[waivers]]\n", "unknown field `waivers`"),
    ] {
        fs::write(folder.path().join("waivers.toml"), waivers)?;
        let ended = check(folder.path(), "", &["new.json", "--against", "old.json", "--waivers", "waivers.toml"])?;
        ensure!(ended.code == Some(2) && ended.stderr.contains(words), "{ended:?}");
    }
    let missing = check(folder.path(), "", &["new.json", "--against", "old.json", "--waivers", "nowhere.toml"])?;
    ensure!(missing.code == Some(2) && missing.stderr.contains("nowhere.toml"), "{missing:?}");
    Ok(())
}

fn bad_input_ends_with_2(_broker: &Embedded) -> anyhow::Result<()> {
    let folder = contracts(|_| ())?;
    fs::write(folder.path().join("odd.json"), "{\"contract\": 99}")?;
    for (arguments, words) in [
        (&["--against", "-"][..], "only one of the two contracts can be read from the standard input"),
        (&["missing.json", "--against", "old.json"], "missing.json"),
        (&["odd.json", "--against", "old.json"], "odd.json: this is a contract of version 99"),
        (&["old.json", "--against", "waiver.rs/x"], "waiver.rs/x"),
        (&["old.json"], "--against"),
        (&["old.json", "--against", "old.json", "--direction", "up"], "--direction"),
        (&["old.json", "--against", "old.json", "--json", "--github"], "--github"),
    ] {
        let ended = check(folder.path(), "", arguments)?;
        ensure!(
            ended.code == Some(2) && ended.stdout.is_empty() && ended.stderr.contains(words),
            "{arguments:?}: {ended:?}"
        );
    }
    Ok(())
}
