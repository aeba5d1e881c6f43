//! A difference, and whom it breaks.

use super::Rule;

/// What a change does to one side, until that is built again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Everything works as before.
    Safe,
    /// Calls succeed, and something of them is not as it was: a value that is ignored, a promise that no longer holds.
    Risky,
    /// Calls fail, or cannot be proved not to.
    Breaks,
}

/// How bad a difference is for those who are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Calls succeed, and not all is as it was.
    Warning,
    /// Calls fail.
    Error,
}

/// In which order the two contracts are deployed, so who has to bear the difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Servers first: callers of the old contract meet servers of the new one.
    #[default]
    Callers,
    /// Callers first: those of the new contract meet servers of the old one.
    Servers,
    /// Both at once, in any order.
    Both,
}

/// What is different between two contracts, at one place and by one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What kind of change it is.
    pub rule: Rule,
    /// Where, such as `place.order.article.name`; `find.output[].tags` is in an output, `place.error` an error.
    ///
    /// `[]` are the items of a list, `[0]` is the first of a tuple, `{}` are the values of a map, and `:Custom` is a
    /// variant. An argument that is called `output` or `error` is `place.arguments.output`.
    pub place: String,
    /// What the old contract has there.
    pub old: String,
    /// What the new contract has there.
    pub new: String,
    /// What it does to callers of the old contract that meet servers of the new one.
    pub callers: Effect,
    /// What it does to servers of the old contract that callers of the new one meet.
    pub servers: Effect,
    /// What it may be in truth, such as a new name for the same.
    pub hint: Option<String>,
}

impl Difference {
    pub(super) fn new(rule: Rule, place: impl Into<String>, old: impl Into<String>, new: impl Into<String>) -> Self {
        let (place, old, new) = (place.into(), old.into(), new.into());
        Difference { rule, place, old, new, callers: Effect::Safe, servers: Effect::Safe, hint: None }
    }

    pub(super) fn callers(self, callers: Effect) -> Self {
        Difference { callers, ..self }
    }

    pub(super) fn servers(self, servers: Effect) -> Self {
        Difference { servers, ..self }
    }

    pub(super) fn hint(self, hint: Option<String>) -> Self {
        Difference { hint, ..self }
    }

    /// How bad it is if the contracts are deployed in this order.
    pub fn severity(&self, direction: Direction) -> Severity {
        let effect = match direction {
            Direction::Callers => self.callers,
            Direction::Servers => self.servers,
            Direction::Both => self.callers.max(self.servers),
        };
        match effect {
            Effect::Safe => Severity::Note,
            Effect::Risky => Severity::Warning,
            Effect::Breaks => Severity::Error,
        }
    }

    /// Whether calls fail if the contracts are deployed in this order.
    pub fn is_error(&self, direction: Direction) -> bool {
        self.severity(direction) == Severity::Error
    }

    /// Whom it breaks, in one word: `callers`, `servers`, `both` or `none`.
    pub fn breaks(&self) -> &'static str {
        match (self.callers, self.servers) {
            (Effect::Breaks, Effect::Breaks) => "both",
            (Effect::Breaks, _) => "callers",
            (_, Effect::Breaks) => "servers",
            _ => "none",
        }
    }
}

impl Effect {
    /// As programs read it: `safe`, `risky` or `breaks`.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Safe => "safe",
            Effect::Risky => "risky",
            Effect::Breaks => "breaks",
        }
    }
}

impl Severity {
    /// As programs read it: `note`, `warning` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Differences, one for each rule and place: what both directions find is one with two effects.
#[derive(Debug, Default)]
pub(super) struct Differences(Vec<Difference>);

impl Differences {
    pub(super) fn add(&mut self, difference: Difference) {
        let same = |known: &&mut Difference| known.rule == difference.rule && known.place == difference.place;
        let Some(known) = self.0.iter_mut().find(same) else {
            return self.0.push(difference);
        };
        known.callers = known.callers.max(difference.callers);
        known.servers = known.servers.max(difference.servers);
        known.hint = known.hint.take().or(difference.hint);
    }

    pub(super) fn sorted(mut self) -> Vec<Difference> {
        self.0.sort_by(|one, other| one.place.cmp(&other.place).then(one.rule.id().cmp(other.rule.id())));
        self.0
    }
}
