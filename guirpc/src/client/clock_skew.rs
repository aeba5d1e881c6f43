//! Whether a service's clock and ours agree: deadlines mean what they say only if they do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::error::shown;
use crate::log::warn;
use crate::message::{EncodedReply, ReplyKind, TIME, status};

/// What a reply's way explains.
const TOLERANCE: Duration = Duration::from_secs(1);

/// Compares the clocks, when a service says that a request had expired; warns once.
#[derive(Debug, Default)]
pub(super) struct ClockSkew {
    has_warned: AtomicBool,
}

impl ClockSkew {
    pub(super) fn compare(&self, reply: &EncodedReply) {
        if let Some(warning) = warning(reply, SystemTime::now)
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            warn!("{warning}");
        }
    }
}

/// What to say, if the clocks differ.
fn warning(reply: &EncodedReply, now: impl FnOnce() -> SystemTime) -> Option<String> {
    if reply.kind != Some(ReplyKind::Refusal) || reply.status != status::EXPIRED {
        return None;
    }
    let now = now();
    let milliseconds = u64::try_from(reply.headers.get(TIME)?.as_integer()?).ok()?;
    let theirs = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))?;
    let (difference, which_way) = match theirs.duration_since(now) {
        Ok(difference) => (difference, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    (difference > TOLERANCE).then(|| {
        format!(
            "the clock of a service is {} {which_way} this machine's, so that it takes requests for expired that are \
             not, or runs those that are: set both by NTP",
            shown(difference)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Headers;

    /// A refusal of a service whose clock shows so many milliseconds since the Unix epoch.
    fn expired(time: impl Into<crate::message::HeaderValue>) -> EncodedReply {
        let mut headers = Headers::new();
        headers.set(TIME, time);
        EncodedReply {
            kind: Some(ReplyKind::Refusal),
            status: status::EXPIRED,
            content_type: "application/json".into(),
            content_encoding: None,
            headers,
            body: Vec::new(),
        }
    }

    #[track_caller]
    fn check(reply: &EncodedReply, expected: Option<&str>) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let warning = warning(reply, || now);
        match expected {
            Some(expected) => assert!(warning.as_ref().is_some_and(|text| text.contains(expected)), "{warning:?}"),
            None => assert_eq!(warning, None),
        }
    }

    #[test]
    fn a_difference_is_told_with_its_figure_and_which_way() {
        check(&expired(105_250), Some("is 5s 250ms ahead of this machine's"));
        check(&expired(98_000), Some("is 2s behind this machine's"));
        check(&expired(99_000), None);
        check(&expired(101_000), None);
    }

    #[test]
    fn nothing_else_says_anything_about_clocks() {
        check(&expired("soon"), None);
        check(&expired(-1), None);
        check(&expired(i64::MAX), Some("ahead"));
        check(&EncodedReply { status: 404, ..expired(0) }, None);
        check(&EncodedReply { kind: Some(ReplyKind::Fault), ..expired(0) }, None);
    }
}
