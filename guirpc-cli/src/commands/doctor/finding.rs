//! What a check has found.

use guirpc::__private_0_1::Exit;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Ok,
    /// Could not be looked at.
    Skipped,
    /// Worth knowing.
    Note,
    /// It works, and may soon not.
    Warning,
    /// It does not work; what the process ends with.
    Error(Exit),
}

impl Severity {
    pub(super) fn name(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Skipped => "skipped",
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error(_) => "error",
        }
    }
}

/// What a check has found.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// A name that stays.
    pub(super) check: &'static str,
    /// The queue, the node or the like that it is about, where there may be several.
    pub(super) subject: Option<String>,
    pub(super) severity: Severity,
    pub(super) found: String,
    /// What comes of it.
    pub(super) meaning: Option<String>,
    /// What to do.
    pub(super) advice: Option<String>,
}

impl Finding {
    fn new(check: &'static str, severity: Severity, found: impl Into<String>) -> Self {
        Finding { check, subject: None, severity, found: found.into(), meaning: None, advice: None }
    }

    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Finding::new(check, Severity::Ok, found)
    }

    pub(super) fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Finding::new(check, Severity::Skipped, why)
    }

    pub(super) fn note(check: &'static str, found: impl Into<String>) -> Self {
        Finding::new(check, Severity::Note, found)
    }

    pub(super) fn warning(check: &'static str, found: impl Into<String>) -> Self {
        Finding::new(check, Severity::Warning, found)
    }

    pub(super) fn error(check: &'static str, exit: Exit, found: impl Into<String>) -> Self {
        Finding::new(check, Severity::Error(exit), found)
    }

    pub(super) fn about(self, subject: impl Into<String>) -> Self {
        Finding { subject: Some(subject.into()), ..self }
    }

    pub(super) fn means(self, meaning: impl Into<String>) -> Self {
        Finding { meaning: Some(meaning.into()), ..self }
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Finding { advice: Some(advice.into()), ..self }
    }

    /// Whether the broker takes no messages.
    pub(super) fn is_alarm(&self) -> bool {
        self.check == super::broker::ALARM && matches!(self.severity, Severity::Error(_))
    }
}
