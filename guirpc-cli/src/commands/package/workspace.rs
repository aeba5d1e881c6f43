//! Joining the workspace around a new package, as `cargo new` does: without that, Cargo refuses to build it.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Value};

use super::cannot_write;
use crate::failure::Failure;

/// Adds the package to the members of the workspace around it, if there is one that has it not by a pattern.
pub(in crate::commands) fn join(folder: &Path) -> Result<(), Failure> {
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    let Some((manifest, mut document)) = around(&folder) else { return Ok(()) };
    let root = manifest.parent().unwrap_or(Path::new("/"));
    let Some(member) = folder.strip_prefix(root).ok().and_then(Path::to_str) else { return Ok(()) };
    let workspace = &mut document["workspace"];
    if names(workspace.get("exclude"), member) || names(workspace.get("members"), member) {
        return Ok(());
    }
    let members = workspace["members"].or_insert(Item::Value(Value::Array(Array::new())));
    let Some(members) = members.as_array_mut() else {
        return Err(Failure::other(format!("`workspace.members` in `{}` is no list", manifest.display())));
    };
    members.push(member);
    fs::write(&manifest, document.to_string()).map_err(|error| cannot_write(&manifest, &error))
}

/// The nearest manifest above a folder that is one of a workspace.
fn around(folder: &Path) -> Option<(PathBuf, DocumentMut)> {
    folder.ancestors().skip(1).find_map(|above| {
        let manifest = above.join("Cargo.toml");
        let document: DocumentMut = fs::read_to_string(&manifest).ok()?.parse().ok()?;
        document.contains_key("workspace").then_some((manifest, document))
    })
}

/// Whether a list of paths and patterns names a member.
fn names(list: Option<&Item>, member: &str) -> bool {
    let paths = list.and_then(Item::as_array).into_iter().flatten().filter_map(Value::as_str);
    paths.map(|path| path.trim_start_matches("./").trim_end_matches('/')).any(|path| matches(path, member))
}

/// A pattern is a path with `*` or `?` in a part.
fn matches(pattern: &str, member: &str) -> bool {
    let (mut pattern, mut member) = (pattern.split('/'), member.split('/'));
    loop {
        match (pattern.next(), member.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if matches_part(pattern.as_bytes(), part.as_bytes()) => {}
            _ => return false,
        }
    }
}

fn matches_part(pattern: &[u8], part: &[u8]) -> bool {
    match (pattern, part) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            matches_part(rest, part) || part.split_first().is_some_and(|(_, part)| matches_part(pattern, part))
        }
        ([b'?', pattern @ ..], [_, part @ ..]) => matches_part(pattern, part),
        ([first, pattern @ ..], [same, part @ ..]) if first == same => matches_part(pattern, part),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_part_by_part() {
        for (pattern, member) in [("a/b", "a/b"), ("crates/*", "crates/a"), ("*/a-?", "x/a-1"), ("*", "a")] {
            assert!(matches(pattern, member), "{pattern} {member}");
        }
        for (pattern, member) in [("a", "a/b"), ("crates/*", "crates/a/b"), ("crates/*", "a"), ("a?", "a")] {
            assert!(!matches(pattern, member), "{pattern} {member}");
        }
    }

    #[test]
    fn a_package_joins_the_workspace_around_it_once() {
        let root = std::env::temp_dir().join(format!("guirpc-workspace-{}", std::process::id()));
        let folder = root.join("services/shop");
        fs::create_dir_all(&folder).unwrap();
        let manifest = root.join("Cargo.toml");
        let joined = |text: &str| {
            fs::write(&manifest, text).unwrap();
            join(&folder).unwrap();
            join(&folder).unwrap();
            fs::read_to_string(&manifest).unwrap()
        };
        let kept = "# ours\n[workspace]\nmembers = [\"a\", \"services/*\"]\n";
        assert_eq!(joined(kept), kept);
        let added = joined("# ours\n[workspace]\nmembers = [\"a\"]\n");
        assert_eq!(added, "# ours\n[workspace]\nmembers = [\"a\", \"services/shop\"]\n");
        assert!(joined("[workspace]\nresolver = \"3\"\n").contains("members = [\"services/shop\"]"));
        let alone = "[package]\nname = \"a\"\n";
        assert_eq!(joined(alone), alone);
        fs::remove_dir_all(&root).unwrap();
    }
}
