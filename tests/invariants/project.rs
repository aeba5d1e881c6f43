//! What holds for every file of the project.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::source::{Source, files, root, sources};

/// Files that are longer, each with the reason why it is better so.
const LONG_FILES: [(&str, &str); 0] = [];
const LONG: usize = 400;

#[test]
fn files_are_short() {
    for source in sources("") {
        let lines = source.text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == source.path);
        assert_eq!(lines > LONG, excused, "{} has {lines} lines: is there a reason?", source.path);
    }
}

/// Sources that are data for tests, not modules.
fn is_case(source: &Source) -> bool {
    source.path.starts_with("tests/ui/") || source.path.contains("/golden/") || source.path.contains("/templates/")
}

#[test]
fn every_module_opens_with_what_it_is_for() {
    for source in sources("").iter().filter(|source| !is_case(source)) {
        let opens = source.text.starts_with("//! ") || source.text.starts_with("#![doc = include_str!(");
        assert!(opens, "{} does not", source.path);
    }
}

#[test]
fn modules_lie_beside_their_folders() {
    for file in files() {
        assert_ne!(file.file_name(), Some("mod.rs".as_ref()), "{}", file.display());
    }
}

/// Where the README has its readers put what they make, beside their checkout.
const READERS_OWN: &str = "../my-service";

/// Where a relative path leads from a folder, without looking whether anything is there.
fn leads(folder: &Path, relative: &str) -> PathBuf {
    let mut place = folder.to_owned();
    for component in Path::new(relative).components() {
        match component {
            Component::ParentDir => assert!(place.pop(), "{relative} leads out of the file system"),
            component => place.push(component),
        }
    }
    place
}

/// The relative paths in a text that climb out of their folder.
fn climbing(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    text.split(move |c| !is_path(c)).filter(|word| word.starts_with("../"))
}

#[test]
fn nothing_refers_outside_the_project() {
    let texts = files().into_iter().filter_map(|file| Some((fs::read_to_string(&file).ok()?, file)));
    for (text, file) in texts {
        let folder = file.parent().expect("a file lies in a folder");
        for path in climbing(&text).filter(|path| *path != READERS_OWN) {
            assert!(leads(folder, path).starts_with(root()), "{} refers to {path}", file.display());
        }
        assert!(!text.contains(&root().display().to_string()), "{} knows where it is checked out", file.display());
    }
}

#[test]
fn a_path_that_leads_outside_is_seen() {
    let paths: Vec<&str> = climbing("see [x](../a.md), `../../b`, a/../c and \"../..\"").collect();
    assert_eq!(paths, ["../a.md", "../../b", "../.."]);
    assert_eq!(leads(Path::new("/project/guirpc"), "../../b"), Path::new("/b"));
}
