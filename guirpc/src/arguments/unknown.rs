//! Arguments in a request that its function does not take, by their names.

use std::fmt;

use crate::error::nearest;

/// The longest list of them, in bytes: it travels in a header.
const LONGEST: usize = 255;
/// The longest name in it, in bytes; whoever sent it chose its length.
const LONGEST_NAME: usize = 60;
const MORE: &str = "; and more";

/// The arguments that a function was called with and does not take, each with the nearest one that it takes.
///
/// It takes no memory where there are none.
#[derive(Debug, Default)]
pub struct UnknownNames(String);

impl UnknownNames {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The list, which is not longer than a header should be.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn add(&mut self, name: &str, parameters: &[&str]) {
        if self.0.ends_with(MORE) {
            return;
        }
        let nearest = nearest(name, parameters.iter().copied());
        let hint = nearest.map_or_else(String::new, |nearest| format!(", did you mean `{nearest}`?"));
        let short = &name[..name.floor_char_boundary(LONGEST_NAME)];
        let dots = if short == name { "" } else { "…" };
        let begin = if self.0.is_empty() { "" } else { "; " };
        let more = format!("{begin}`{}{dots}`{hint}", short.escape_debug());
        match self.0.len() + more.len() + MORE.len() <= LONGEST {
            true => self.0.push_str(&more),
            false if self.0.is_empty() => self.0.push_str("one of a long name"),
            false => self.0.push_str(MORE),
        }
    }
}

impl fmt::Display for UnknownNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_the_nearest_and_has_an_end() {
        let mut unknown = UnknownNames::default();
        unknown.add("limt", &["limit", "name"]);
        unknown.add("colour", &["limit", "name"]);
        assert_eq!(unknown.to_string(), "`limt`, did you mean `limit`?; `colour`");
        for number in 0..1_000 {
            unknown.add(&format!("\n{number}{}", "ü".repeat(1_000)), &["limit"]);
        }
        assert!(unknown.0.len() <= LONGEST && unknown.0.ends_with(MORE) && !unknown.0.contains('\n'), "{unknown}");
        let mut unknown = UnknownNames::default();
        unknown.add(&"\u{1}".repeat(60), &[]);
        assert!(!unknown.is_empty() && unknown.0.len() <= LONGEST, "{unknown}");
    }
}
