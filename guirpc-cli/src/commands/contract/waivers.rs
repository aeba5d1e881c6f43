//! Waivers: the changes that are meant, why, and until when.

use std::path::Path;
use std::time::SystemTime;

use guirpc::contract::compare::{Difference, Rule};
use serde::Deserialize;
use serde::de::Error;

use crate::failure::Failure;

/// All waivers, of one file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waivers {
    #[serde(default, rename = "waiver")]
    all: Vec<Waiver>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiver {
    #[serde(deserialize_with = "rule")]
    pub(super) rule: Rule,
    pub(super) place: String,
    #[serde(deserialize_with = "reason")]
    pub(super) reason: String,
    /// The last day on which it holds.
    pub(super) until: Day,
}

/// A day, as `2026-09-30`; later days are greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(String);

fn rule<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn reason<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let reason = String::deserialize(deserializer)?;
    if reason.trim().is_empty() {
        return Err(D::Error::custom("a waiver says its reason"));
    }
    Ok(reason)
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// With quotation marks, or as TOML has dates.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Date(toml::value::Datetime),
        }

        let day = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Date(date) => date.to_string(),
        };
        let is_day = day.len() == 10 && humantime::parse_rfc3339(&format!("{day}T00:00:00Z")).is_ok();
        is_day
            .then_some(Day(day.clone()))
            .ok_or_else(|| D::Error::custom(format!("`{day}` is no day, such as `2026-09-30`")))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Day {
    /// In UTC.
    pub(super) fn today() -> Self {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Day(now.chars().take(10).collect())
    }
}

impl Waivers {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| Failure::usage(format!("the waivers of {}: {error}", path.display())))?;
        toml::from_str(&text).map_err(|error| {
            Failure::usage(format!(
                "{}: {error}a waiver is a table `[[waiver]]` with `rule`, `place`, `reason` and `until`",
                path.display()
            ))
        })
    }

    /// The waiver of a difference, also if it has expired.
    pub(super) fn of(&self, difference: &Difference) -> Option<&Waiver> {
        self.all.iter().find(|waiver| waiver.is_for(difference))
    }

    /// Those that are for none of the differences.
    pub(super) fn unused<'w>(&'w self, differences: &'w [Difference]) -> impl Iterator<Item = &'w Waiver> {
        self.all.iter().filter(|waiver| !differences.iter().any(|difference| waiver.is_for(difference)))
    }
}

impl Waiver {
    fn is_for(&self, difference: &Difference) -> bool {
        self.rule == difference.rule && self.place == difference.place
    }

    pub(super) fn is_expired(&self, today: &Day) -> bool {
        self.until < *today
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(members: &str) -> Result<Waiver, String> {
        let text = format!("[[waiver]]\n{members}");
        let waivers: Result<Waivers, _> = toml::from_str(&text);
        waivers.map_err(|error| error.to_string()).and_then(|mut waivers| waivers.all.pop().ok_or_else(String::new))
    }

    #[test]
    fn a_day_is_written_either_way() {
        let rest = "rule = \"field-removed\"\nplace = \"a.b\"\nreason = \"r\"\n";
        let (quoted, date) = (format!("{rest}until = \"2026-09-30\""), format!("{rest}until = 2026-09-30"));
        let waiver = waiver(&quoted).unwrap();
        assert_eq!(self::waiver(&date), Ok(self::waiver(&quoted).unwrap()));
        let day = |day: &str| Day(day.to_owned());
        assert!(!waiver.is_expired(&day("2026-09-30")) && waiver.is_expired(&day("2026-10-01")));
        assert!(Day::today() > day("2024-01-01") && Day::today() < day("3000-01-01"));
    }

    #[test]
    fn what_is_no_waiver_is_refused_in_words() {
        let check = |members: &str, words: &str| {
            let error = waiver(members).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        let rest = "place = \"a\"\nreason = \"r\"\nuntil = \"2026-09-30\"\n";
        check(&format!("rule = \"field-remove\"\n{rest}"), "there is no rule `field-remove`; rules: service-renamed, ");
        check(&format!("rule = \"field-removed\"\nlane = 1\n{rest}"), "unknown field `lane`");
        let until = |day: &str| format!("rule = \"field-removed\"\nplace = \"a\"\nreason = \"r\"\nuntil = {day}");
        for day in ["\"soon\"", "\"2026-13-01\"", "\"2026-02-30\"", "2026-09-30T10:00:00Z"] {
            check(&until(day), "is no day, such as `2026-09-30`");
        }
        check(
            "rule = \"field-removed\"\nplace = \"a\"\nreason = \" \"\nuntil = \"2026-09-30\"",
            "a waiver says its reason",
        );
        check("rule = \"field-removed\"\nplace = \"a\"\nuntil = \"2026-09-30\"", "missing field `reason`");
    }
}
