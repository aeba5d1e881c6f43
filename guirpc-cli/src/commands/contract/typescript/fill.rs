//! Templates with blanks, `@@NAME@@`, that are filled in.

/// Fills in each blank, all at once: what is filled in is not looked at for blanks.
pub(super) fn fill(template: &str, blanks: &[(&str, &str)]) -> String {
    let value = |name: &str| blanks.iter().find(|(blank, _)| *blank == name).map_or("", |(_, value)| *value);
    template.split("@@").enumerate().map(|(n, part)| if n % 2 == 0 { part } else { value(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_has_no_blanks() {
        assert_eq!(fill("a @@X@@ b @@Y@@", &[("X", "@@Y@@"), ("Y", "c")]), "a @@Y@@ b c");
    }
}
