//! Templates with blanks, `{{name}}`, that are filled in.

/// Fills in these blanks, all at once: what is filled in is not looked at for blanks, and other braces stay.
pub(crate) fn fill(template: &str, blanks: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled += before;
        let blank = after.split_once("}}").and_then(|(name, after)| {
            let (_, value) = blanks.iter().find(|(blank, _)| *blank == name)?;
            Some((*value, after))
        });
        let (text, next) = blank.unwrap_or(("{{", after));
        filled += text;
        rest = next;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_has_no_blanks() {
        assert_eq!(fill("a {{x}} b {{y}}", &[("x", "{{y}}"), ("y", "c")]), "a {{y}} b c");
    }

    #[test]
    fn other_braces_stay() {
        let code = "f\"{{{x}}}\" {{z}} {{ y }} {{y";
        assert_eq!(fill(code, &[("x", "1"), ("y", "2")]), code);
        assert_eq!(fill("{ {{x}} }}", &[("x", "1")]), "{ 1 }}");
    }
}
