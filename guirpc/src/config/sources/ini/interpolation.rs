//! `%%` is `%`, and `%(key)s` the value of another key.

/// Values within values within values: more are most likely a circle.
const DEEPEST: u32 = 10;

/// Expands a value as Python's `configparser` does; what it says in the error never shows the value.
pub(super) fn expand<'a>(value: &'a str, lookup: &dyn Fn(&str) -> Option<&'a str>) -> Result<String, String> {
    let mut expanded = String::with_capacity(value.len());
    append(&mut expanded, value, lookup, DEEPEST)?;
    Ok(expanded)
}

fn append<'a>(
    expanded: &mut String,
    value: &'a str,
    lookup: &dyn Fn(&str) -> Option<&'a str>,
    depth: u32,
) -> Result<(), String> {
    let depth = depth.checked_sub(1).ok_or("the keys refer to each other in a circle")?;
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            expanded.push('%');
            rest = after;
        } else if let Some((key, after)) = after.strip_prefix('(').and_then(|after| after.split_once(")s")) {
            let value =
                lookup(&key.to_lowercase()).ok_or_else(|| format!("it refers to `{key}`, which is not there"))?;
            append(expanded, value, lookup, depth)?;
            rest = after;
        } else {
            return Err("a `%` in a value is written `%%`".to_owned());
        }
    }
    expanded.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(value: &'static str) -> Result<String, String> {
        expand(value, &|key| match key {
            "host" => Some("broker%%1"),
            "circle" => Some("%(circle)s"),
            _ => None,
        })
    }

    #[test]
    fn percent_signs_are_doubled() {
        assert_eq!(expanded("a%%b%%%%").as_deref(), Ok("a%b%%"));
        assert_eq!(expanded("a%b"), Err("a `%` in a value is written `%%`".to_owned()));
        assert_eq!(expanded("%"), Err("a `%` in a value is written `%%`".to_owned()));
    }

    #[test]
    fn another_key_is_referred_to() {
        assert_eq!(expanded("<%(HOST)s>").as_deref(), Ok("<broker%1>"));
        assert_eq!(expanded("%(port)s"), Err("it refers to `port`, which is not there".to_owned()));
        assert_eq!(expanded("%(circle)s"), Err("the keys refer to each other in a circle".to_owned()));
    }
}
