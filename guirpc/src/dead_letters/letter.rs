//! One dead letter: the request, and what was wrong with it.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::shown;
use crate::message::{ATTEMPTS, Dialect, HeaderValue, Headers, Request, dead};

/// What a letter takes beside its texts, roughly.
const ROUGHLY: usize = 512;

/// A request that became a dead letter, and why.
///
/// Every client with permission to publish may have put it there, so do not trust its content.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    number: usize,
    request: Request,
    added: Headers,
    queue: String,
    size: u64,
    has_body: bool,
}

impl DeadLetter {
    /// Without its body.
    pub(super) fn of(service: &str, number: usize, request: &Request) -> Self {
        let headers = request.headers.iter().filter(|(name, _)| !dead::COUNTS.contains(name));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.clone()));
        let (added, headers): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| dead::ADDED.contains(&name.as_str()));
        let added: Headers = added.into_iter().collect();
        DeadLetter {
            number,
            // A letter that guirpc has not written may lack it.
            queue: added.get(dead::QUEUE).and_then(HeaderValue::as_str).unwrap_or(service).to_owned(),
            size: dropped(&added).unwrap_or(request.body.len() as u64),
            added,
            has_body: false,
            request: Request {
                function: request.function.clone(),
                content_type: request.content_type.clone(),
                correlation_id: request.correlation_id.clone(),
                reply_to: request.reply_to.clone(),
                app_id: request.app_id.clone(),
                headers: headers.into_iter().collect(),
                body: Vec::new(),
                ..*request
            },
        }
    }

    pub(super) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.request.body = body;
        self.has_body = true;
        self
    }

    /// How many bytes it takes in memory, roughly.
    pub(super) fn held(&self) -> usize {
        let headers = self.request.headers.iter().chain(self.added.iter());
        ROUGHLY + headers.map(|(name, value)| name.len() + value.size()).sum::<usize>()
    }

    /// Its place in the queue, from 1, which is the oldest.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The correlation id of the request.
    pub fn correlation_id(&self) -> Option<&str> {
        self.request.correlation_id.as_deref()
    }

    /// The function that the request asks for.
    pub fn function(&self) -> &str {
        &self.request.function
    }

    /// How the request is written.
    pub fn dialect(&self) -> Dialect {
        self.request.dialect
    }

    /// Why it is dead: `crashed`, `uncounted`, `failed` or `unanswerable`; `None` if another program than guirpc has put it there.
    ///
    /// `crashed`: a poison message, whose function began again and again and never ended.
    /// `uncounted`: it was delivered before and might be one, and that it is run again could not be counted.
    /// `failed`: a `send` (fire-and-forget) failed.
    /// `unanswerable`: it asks for a reply to an address to which nothing can be sent.
    pub fn reason(&self) -> Option<&str> {
        self.added.get(dead::REASON)?.as_str()
    }

    /// The status of the reply to a failed `send`, if there was one.
    pub fn status(&self) -> Option<u16> {
        u16::try_from(self.added.get(dead::STATUS)?.as_integer()?).ok()
    }

    /// What was wrong, in words.
    pub fn message(&self) -> Option<&str> {
        self.added.get(dead::MESSAGE)?.as_str()
    }

    /// When it became a dead letter.
    pub fn dead_since(&self) -> Option<SystemTime> {
        let milliseconds = u64::try_from(self.added.get(dead::TIME)?.as_integer()?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
    }

    /// How often its function began on it, or may have.
    pub fn attempts(&self) -> u64 {
        let attempts = self.added.get(ATTEMPTS).and_then(HeaderValue::as_integer);
        attempts.and_then(|attempts| u64::try_from(attempts).ok()).unwrap_or_default()
    }

    /// The queue that it was taken off, as it says itself; by default the service's own.
    ///
    /// [`requeue`](crate::DeadLetters::requeue) puts it there if the queue is the service's own, or one of its lanes.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// The sender's own name for itself: the `app_id` of the request.
    pub fn app_id(&self) -> Option<&str> {
        self.request.app_id.as_deref()
    }

    /// The content type of the encoded arguments.
    pub fn content_type(&self) -> Option<&str> {
        self.request.content_type.as_deref()
    }

    /// The headers of the request, without those about its death.
    pub fn headers(&self) -> &Headers {
        &self.request.headers
    }

    /// How many bytes the arguments have, encoded; or had, if they were too large for the server.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the letter is without its arguments, which were larger than the `max_body` of the server.
    ///
    /// It says what was sent and is not there any more; it cannot be requeued.
    pub fn is_dropped(&self) -> bool {
        dropped(&self.added).is_some()
    }

    /// The arguments, encoded; `None` in a list.
    pub fn body(&self) -> Option<&[u8]> {
        self.has_body.then_some(self.request.body.as_slice())
    }

    /// The arguments as people can read them, if the content type is one that guirpc decodes.
    ///
    /// Bytes in them are a text that begins with `0x`; so are values that JSON cannot hold as they are.
    ///
    /// # Errors
    /// Why they cannot be shown so.
    pub fn arguments(&self) -> Result<Value, String> {
        match self.body() {
            Some(_) if self.is_dropped() => {
                Err("they were too large for the server, which has not kept them".to_owned())
            }
            Some(body) => shown::arguments(self.dialect(), self.content_type(), body),
            None => Err("a list has no bodies".to_owned()),
        }
    }
}

/// How many bytes the body had that is not kept.
fn dropped(added: &Headers) -> Option<u64> {
    u64::try_from(added.get(dead::DROPPED)?.as_integer()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(headers: impl IntoIterator<Item = (&'static str, HeaderValue)>) -> DeadLetter {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        DeadLetter::of("shop", 1, &Request { headers, body: b"12345".to_vec(), ..Request::default() })
    }

    #[test]
    fn says_what_its_headers_say() {
        let letter = letter([
            ("guirpc-dead-reason", "failed".into()),
            ("guirpc-dead-queue", "shop.reports".into()),
            ("guirpc-dead-time", 1_700_000_000_000_i64.into()),
            ("guirpc-dead-status", 500.into()),
            ("guirpc-dead-message", "no tea".into()),
            ("guirpc-attempts", 4.into()),
            ("tenant", "acme".into()),
        ]);
        assert_eq!((letter.reason(), letter.status()), (Some("failed"), Some(500)));
        assert_eq!((letter.message(), letter.queue()), (Some("no tea"), "shop.reports"));
        assert_eq!((letter.attempts(), letter.size(), letter.body()), (4, 5, None));
        let since_epoch = letter.dead_since().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since_epoch.as_secs(), 1_700_000_000);
        assert_eq!(letter.headers().iter().map(|(name, _)| name).collect::<Vec<_>>(), ["tenant"]);
        assert_eq!(letter.with_body(b"12345".to_vec()).body(), Some(&b"12345"[..]));
    }

    #[test]
    fn headers_of_odd_types_say_nothing() {
        let odd = [i64::MIN, i64::MAX, -1].map(HeaderValue::from);
        for value in odd.into_iter().chain([HeaderValue::Void, HeaderValue::Bytes(vec![0xff]), "soon".into()]) {
            let letter = letter(dead::ADDED.map(|name| (name, value.clone())));
            let text = value.as_str();
            assert_eq!((letter.reason(), letter.message()), (text, text));
            assert_eq!(letter.queue(), text.unwrap_or("shop"));
            assert_eq!(letter.status(), None);
            assert!(letter.dead_since().is_none() || value.as_integer() == Some(i64::MAX));
        }
        assert_eq!(letter([]).queue(), "shop");
    }
}
