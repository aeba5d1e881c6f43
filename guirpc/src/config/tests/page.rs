//! The tables of the page on configuration, which are made of the declarations.
//!
//! `GUIRPC_BLESS=1 cargo test -p guirpc --lib page` writes them.

use super::*;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/configuration.md");

/// The table of one side as it stands on the page, with its head.
fn table(side: Side) -> String {
    let flag = if side == Side::Server { " flag |" } else { "" };
    let rule = if side == Side::Server { "---|" } else { "" };
    let head =
        format!("| TOML `[{}]` | INI | environment |{flag} default | |\n|---|---|---|{rule}---|---|\n", side.section());
    let groups = side.settings().chunk_by(|one, next| one.heading == next.heading);
    groups.fold(head, |table, group| {
        // As many empty cells as there are columns beside the first.
        let heading = format!("| **{}** |{}\n", group[0].heading, "|".repeat(rule.len() / 4 + 4));
        group.iter().fold(table + &heading, |table, setting| table + &line(setting, side) + "\n")
    })
}

fn line(setting: &Setting, side: Side) -> String {
    let Setting { name, kind, default, help, ini, heading: _ } = setting;
    let key = |name: &&'static str| {
        let (section, key) = side.ini_key(name);
        format!("`[{section}] {key}`")
    };
    let is_uri = matches!(kind, Kind::Uri);
    let keys = if is_uri {
        format!("`[{}.connection]`", side.section())
    } else {
        ini.iter().map(key).collect::<Vec<_>>().join(", ")
    };
    let flag = if side == Side::Server { format!(" `--{}` |", setting.flag()) } else { String::new() };
    let default = if is_uri { format!("`{}`", default()) } else { default() };
    format!("| `{name}` | {keys} | `{}` |{flag} {default} | {help} |", setting.variable())
}

/// The page with the tables put where tables with their heads are.
fn blessed(page: &str) -> String {
    let mut page = page.to_owned();
    for side in [Side::Server, Side::Client] {
        let head = format!("| TOML `[{}]` |", side.section());
        let start = page.find(&head).expect("the page has a table for each side");
        let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
        page.replace_range(start..end, &table(side));
    }
    page
}

#[test]
fn every_setting_is_on_the_page() {
    let page = fs::read_to_string(PAGE).unwrap();
    let blessed = blessed(&page);
    if std::env::var_os("GUIRPC_BLESS").is_some() {
        return fs::write(PAGE, blessed).unwrap();
    }
    assert!(page == blessed, "configuration.md differs from the declarations; write it by GUIRPC_BLESS=1");
}
