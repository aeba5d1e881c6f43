//! What differs from run to run: names that a broker makes up become `amq.gen-1`, the virtual host becomes `/`.

use std::cmp::Reverse;

/// What made-up names begin with.
const PREFIXES: [&str; 3] = ["amq.gen-", "amq.ctag-", "amq.rabbitmq.reply-to."];

/// The names that were made up in one case, in the order in which they came.
pub(crate) struct Names {
    vhost: String,
    known: Vec<(String, String)>,
}

impl Names {
    pub(crate) fn of(vhost: &str) -> Self {
        Self { vhost: vhost.to_owned(), known: Vec::new() }
    }

    /// A line from a broker, as every broker would say it.
    pub(crate) fn hide(&mut self, line: &str) -> String {
        let mut line = match &*self.vhost {
            "/" => line.to_owned(),
            vhost => line.replace(vhost, "/"),
        };
        for prefix in PREFIXES {
            line = self.hide_with(prefix, &line);
        }
        line
    }

    /// A line of a script, as this broker understands it.
    pub(crate) fn fill_in(&self, line: &str) -> String {
        let line = line.replace("vhost=/", &format!("vhost={}", self.vhost));
        let (mut filled, mut rest) = (String::new(), &*line);
        // In one pass, since a name may contain what looks like an alias.
        while let Some((at, (name, alias))) = self.first_alias(rest) {
            filled += &rest[..at];
            filled += name;
            rest = &rest[at + alias.len()..];
        }
        filled + rest
    }

    /// The first alias in a text, and the longest of those that begin there.
    fn first_alias(&self, text: &str) -> Option<(usize, &(String, String))> {
        let found = self.known.iter().filter_map(|known| Some((text.find(&known.1)?, known)));
        found.min_by_key(|(at, (_, alias))| (*at, Reverse(alias.len())))
    }

    fn hide_with(&mut self, prefix: &str, line: &str) -> String {
        let mut parts = line.split(prefix);
        let mut hidden = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_alphanumeric() && !"-_.=+/".contains(c)).unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            hidden += &self.alias(prefix, format!("{prefix}{name}"));
            hidden += rest;
        }
        hidden
    }

    fn alias(&mut self, prefix: &str, name: String) -> String {
        if name == prefix {
            return name;
        }
        if let Some((_, alias)) = self.known.iter().find(|(known, _)| *known == name) {
            return alias.clone();
        }
        let number = self.known.iter().filter(|(_, alias)| alias.starts_with(prefix)).count() + 1;
        let alias = format!("{prefix}{number}");
        self.known.push((name, alias.clone()));
        alias
    }
}
