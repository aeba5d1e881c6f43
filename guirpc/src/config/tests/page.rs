//! The page on configuration has every setting as the tables have it.

use super::*;

const PAGE: &str = include_str!("../../configuration.md");

/// A line of the page's table for a setting.
fn line(setting: &Setting, side: Side) -> String {
    let Setting { name, kind, default, help, ini } = setting;
    let key = |(section, key): &(&str, &str)| match *section {
        "" => format!("`[{}] {key}`", side.section()),
        section => format!("`[{}.{section}] {key}`", side.section()),
    };
    let is_uri = matches!(kind, Kind::Uri);
    let keys = if is_uri {
        format!("`[{}.connection]`", side.section())
    } else {
        ini.iter().map(key).collect::<Vec<_>>().join(", ")
    };
    let flag = if side == Side::Server { format!(" `--{}` |", setting.flag()) } else { String::new() };
    let default = if is_uri { format!("`{default}`") } else { (*default).to_owned() };
    format!("| `{name}` | {keys} | `{}` |{flag} {default} | {help} |", setting.variable())
}

#[test]
fn every_setting_is_on_the_page() {
    for side in [Side::Server, Side::Client] {
        let lines: Vec<String> = side.settings().iter().map(|setting| line(setting, side)).collect();
        let table = lines.join("\n");
        assert!(PAGE.contains(&table), "configuration.md lacks these lines:\n{table}");
    }
}
