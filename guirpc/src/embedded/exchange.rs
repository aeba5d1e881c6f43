//! Exchanges: what kinds there are, and which queues a routing key leads to.

use amq_protocol::types::FieldTable;

use super::ids::QueueId;

/// How an exchange compares routing keys with binding keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Direct,
    Fanout,
    Topic,
}

impl Kind {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Kind::Direct, Kind::Fanout, Kind::Topic].into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Direct => "direct",
            Kind::Fanout => "fanout",
            Kind::Topic => "topic",
        }
    }

    fn matches(self, binding_key: &[u8], routing_key: &[u8]) -> bool {
        match self {
            Kind::Direct => binding_key == routing_key,
            Kind::Fanout => true,
            Kind::Topic => matches_topic(binding_key, routing_key),
        }
    }
}

/// `*` stands for one word between dots, `#` for any number of them.
fn matches_topic(pattern: &[u8], key: &[u8]) -> bool {
    let words = words(key);
    // Which numbers of words the pattern so far can account for.
    let mut reached = vec![false; words.len() + 1];
    reached[0] = true;
    for part in self::words(pattern) {
        let mut next = vec![false; words.len() + 1];
        for at in 0..=words.len() {
            next[at] = match part {
                b"#" => reached[at] || (at > 0 && next[at - 1]),
                b"*" => at > 0 && reached[at - 1],
                word => at > 0 && reached[at - 1] && words[at - 1] == word,
            };
        }
        reached = next;
    }
    reached[words.len()]
}

/// The words between the dots; an empty key has none.
fn words(key: &[u8]) -> Vec<&[u8]> {
    if key.is_empty() { Vec::new() } else { key.split(|byte| *byte == b'.').collect() }
}

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) kind: Kind,
    pub(super) durable: bool,
    pub(super) auto_delete: bool,
    pub(super) internal: bool,
    pub(super) bindings: Vec<Binding>,
}

/// The way from an exchange to a queue.
#[derive(Debug, PartialEq)]
pub(super) struct Binding {
    pub(super) key: Vec<u8>,
    pub(super) queue: QueueId,
    /// Without a meaning for these kinds of exchange, but two bindings may differ in nothing else.
    pub(super) arguments: FieldTable,
}

impl Exchange {
    pub(super) fn new(kind: Kind) -> Self {
        Exchange { kind, durable: true, auto_delete: false, internal: false, bindings: Vec::new() }
    }

    /// The queues that these keys lead to; one that several lead to comes several times.
    pub(super) fn route<'a>(&'a self, keys: &'a [Vec<u8>]) -> impl Iterator<Item = QueueId> + 'a {
        let leads_on = |binding: &&Binding| keys.iter().any(|key| self.kind.matches(&binding.key, key));
        self.bindings.iter().filter(leads_on).map(|binding| binding.queue)
    }
}

#[cfg(test)]
mod tests {
    use super::matches_topic;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        for key in matching {
            assert!(matches_topic(pattern.as_bytes(), key.as_bytes()), "{pattern} should match `{key}`");
        }
        for key in others {
            assert!(!matches_topic(pattern.as_bytes(), key.as_bytes()), "{pattern} should not match `{key}`");
        }
    }

    #[test]
    fn topics_match_word_by_word() {
        check("a.b", &["a.b"], &["a", "a.b.c", "ab", ""]);
        check("a.*", &["a.b", "a."], &["a", "a.b.c"]);
        check("*", &["a"], &["", "a.b"]);
        check("#", &["", "a", "a.b.c"], &[]);
        check("a.#", &["a", "a.b", "a.b.c"], &["", "b"]);
        check("#.c", &["c", "a.c", "a.b.c"], &["c.a", ""]);
        check("a.#.d.#", &["a.d", "a.b.c.d", "a.d.d.e"], &["a.b.c"]);
        check("", &[""], &["a"]);
    }
}
