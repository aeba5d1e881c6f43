//! What the documentation of `Setup`'s setters says of defaults is what the declarations say.

use super::*;

const SETTERS: [&str; 3] = [
    include_str!("../../server/setup.rs"),
    include_str!("../../server/setup/resilience.rs"),
    include_str!("../../server/setup/topology.rs"),
];

/// The doc comment of a setter, without spaces.
fn docs(setter: &str) -> Option<String> {
    let (before, _) = SETTERS.iter().find_map(|source| source.split_once(&format!("    pub fn {setter}(")))?;
    let lines = before.lines().rev().take_while(|line| line.trim_start().starts_with("///"));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches([' ', '/'])).collect();
    Some(lines.into_iter().rev().flat_map(str::split_whitespace).collect())
}

#[test]
fn a_setter_says_the_default_that_holds() {
    let is_number = |setting: &&Setting| matches!(setting.kind, Kind::Count(_) | Kind::Bytes | Kind::Time | Kind::Uri);
    let mut checked = Vec::new();
    for setting in SERVER.iter().filter(is_number) {
        let default = (setting.default)();
        let Some(docs) = docs(setting.name).filter(|_| setting.kind.accepts(&default)) else { continue };
        let default = match setting.kind {
            Kind::Bytes => format!("{}MiB", default.parse::<usize>().unwrap() >> 20),
            _ => default,
        };
        assert!(docs.replace('`', "").contains(&format!("thedefaultis{default}")), "{}: {docs}", setting.name);
        checked.push(setting.name);
    }
    assert_eq!(
        checked,
        ["uri", "wait", "concurrency", "max_body", "clock_tolerance", "max_deliveries", "reply_cache", "drain"]
    );
}
