//! Replies that are kept for a while, for requests that come again. Pure data, no I/O, no clock.
//!
//! A request comes again when its caller has lost the connection and asks once more, or when the broker has not got
//! the acknowledgement. The cache saves running it twice; it is this process's own, and forgets.

use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;
use siphasher::sip128::{Hasher128, SipHasher13};
use uuid::Uuid;

use crate::message::{Dialect, EncodedReply, HeaderValue, Request};

/// Far longer than a caller with the default timeout makes its call again.
const KEPT: Duration = Duration::from_mins(1);
/// What an entry takes beside its reply, roughly, in bytes.
const OVERHEAD: usize = 256;

/// Which request it is: a hash of its correlation id and of whatever else its answer may depend on.
///
/// Nobody can make two requests that have one, since the key of the hash is this process's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(u128);

impl Key {
    /// The key of a request; one without a correlation id has none.
    pub(super) fn of(request: &Request) -> Option<Self> {
        static HASHER: LazyLock<SipHasher13> = LazyLock::new(|| SipHasher13::new_with_key(Uuid::new_v4().as_bytes()));
        let Request { dialect, function, content_type, body, correlation_id, app_id, .. } = request;
        let correlation_id = correlation_id.as_ref()?;
        let mut hasher = *HASHER;
        let is_native = *dialect == Dialect::Native;
        (is_native, function, content_type, body, correlation_id, app_id, request.is_awaited()).hash(&mut hasher);
        for header in request.lasting_headers() {
            hash_header(header, &mut hasher);
        }
        Some(Key(hasher.finish128().as_u128()))
    }
}

fn hash_header((name, value): (&str, &HeaderValue), hasher: &mut impl Hasher) {
    name.hash(hasher);
    hash_value(value, hasher);
}

fn hash_value(value: &HeaderValue, hasher: &mut impl Hasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        HeaderValue::Bool(value) => value.hash(hasher),
        HeaderValue::Integer(integer) => integer.hash(hasher),
        HeaderValue::Float(number) => number.to_bits().hash(hasher),
        HeaderValue::Text(text) => text.hash(hasher),
        HeaderValue::Bytes(bytes) => bytes.hash(hasher),
        HeaderValue::Timestamp(seconds) => seconds.hash(hasher),
        HeaderValue::Void => {}
        // With their lengths, so that it shows where they end.
        HeaderValue::List(values) => {
            values.len().hash(hasher);
            for value in values {
                hash_value(value, hasher);
            }
        }
        HeaderValue::Table(headers) => {
            headers.iter().count().hash(hasher);
            for header in headers.iter() {
                hash_header(header, hasher);
            }
        }
    }
}

/// The requests that are being answered or have been answered lately; `J` is somebody else who waits for the answer.
#[derive(Debug)]
pub(super) struct ReplyCache<J> {
    entries: HashMap<Key, Entry<J>, RandomState>,
    /// When which answer came, the oldest first; an entry may be outdated.
    answers: VecDeque<(Instant, u64, Key)>,
    last_answer: u64,
    size: usize,
    limit: usize,
}

#[derive(Debug)]
enum Entry<J> {
    /// Being answered, and who has joined.
    Running(Vec<J>),
    /// Answered, as the how manieth, and when.
    Answered(u64, Arc<EncodedReply>, Instant),
}

/// What is known of a request.
#[derive(Debug)]
pub(super) enum Known<J> {
    /// Nothing.
    New(J),
    /// It is being answered; the worker that does that answers this one as well.
    Running,
    Answered(Arc<EncodedReply>, J),
}

impl<J> ReplyCache<J> {
    /// A cache of at most so many bytes; with none it remembers no answer.
    pub(super) fn new(limit: usize) -> Self {
        ReplyCache { entries: HashMap::default(), answers: VecDeque::new(), last_answer: 0, size: 0, limit }
    }

    /// Whether a request has come before; if it is being answered, this one joins.
    pub(super) fn find(&mut self, key: &Key, asker: J, now: Instant) -> Known<J> {
        match self.entries.get_mut(key) {
            None => Known::New(asker),
            Some(Entry::Answered(_, _, since)) if now.duration_since(*since) > KEPT => Known::New(asker),
            Some(Entry::Running(joined)) => {
                joined.push(asker);
                Known::Running
            }
            Some(Entry::Answered(_, reply, _)) => Known::Answered(Arc::clone(reply), asker),
        }
    }

    /// Enters a request that is to be answered; one of the same key that is being answered already stays.
    pub(super) fn begin(&mut self, key: &Key) {
        if !matches!(self.entries.get(key), Some(Entry::Running(_))) {
            self.remove(key);
            self.entries.insert(*key, Entry::Running(Vec::new()));
        }
    }

    /// Keeps the answer, and gives back those who have joined.
    pub(super) fn answered(&mut self, key: &Key, reply: &EncodedReply, now: Instant) -> Vec<J> {
        let joined = self.forget(key);
        self.last_answer += 1;
        self.size += size(reply);
        self.entries.insert(*key, Entry::Answered(self.last_answer, Arc::new(reply.clone()), now));
        self.answers.push_back((now, self.last_answer, *key));
        while let Some((since, number, oldest)) = self.answers.front() {
            let is_full = self.size > self.limit || self.answers.len() > self.limit / OVERHEAD;
            if !is_full && now.duration_since(*since) <= KEPT {
                break;
            }
            if matches!(self.entries.get(oldest), Some(Entry::Answered(current, ..)) if current == number) {
                let oldest = *oldest;
                self.remove(&oldest);
            }
            self.answers.pop_front();
        }
        joined
    }

    /// Forgets a request that was not run after all, or is to be run again, and gives back those who have joined.
    pub(super) fn forget(&mut self, key: &Key) -> Vec<J> {
        match self.remove(key) {
            Some(Entry::Running(joined)) => joined,
            Some(Entry::Answered(..)) | None => Vec::new(),
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Entry<J>> {
        let removed = self.entries.remove(key);
        if let Some(Entry::Answered(_, reply, _)) = &removed {
            self.size -= size(reply);
        }
        removed
    }
}

fn size(reply: &EncodedReply) -> usize {
    let headers: usize = reply.headers.iter().map(|(name, value)| name.len() + value.size()).sum();
    OVERHEAD + headers + reply.body.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::codec::{self, Codec, Format};
    use crate::message::Headers;

    fn request(correlation_id: &str, body: &[u8]) -> Request {
        Request {
            correlation_id: Some(correlation_id.to_owned()),
            function: "add".to_owned(),
            body: body.to_vec(),
            ..Request::default()
        }
    }

    fn reply(text: &str) -> EncodedReply {
        let format = Format::Native(Codec::Text);
        codec::output(format, 200, Headers::new(), &text.to_owned()).expect("a text")
    }

    fn key(correlation_id: &str) -> Key {
        Key::of(&request(correlation_id, b"x")).unwrap()
    }

    #[test]
    fn a_call_that_is_made_again_while_it_runs_is_answered_along() {
        let mut cache = ReplyCache::new(10_000);
        let key = key("1");
        assert!(matches!(cache.find(&key, 1, Instant::now()), Known::New(1)));
        cache.begin(&key);
        assert!(matches!(cache.find(&key, 2, Instant::now()), Known::Running));
        assert!(matches!(cache.find(&key, 3, Instant::now()), Known::Running));
        let answer = reply("a");
        assert_eq!(cache.answered(&key, &answer, Instant::now()), [2, 3]);
        assert!(matches!(cache.find(&key, 4, Instant::now()), Known::Answered(kept, 4) if *kept == answer));
    }

    #[test]
    fn whatever_the_answer_may_depend_on_makes_it_another_request() {
        let own = request("1", b"x");
        let with = |name: &str, value: HeaderValue| {
            let mut headers = own.headers.clone();
            headers.set(name, value);
            Request { headers, ..own.clone() }
        };
        let others = [
            request("2", b"x"),
            request("1", b"y"),
            Request { function: "sub".to_owned(), ..own.clone() },
            Request { dialect: Dialect::Python, ..own.clone() },
            Request { content_type: Some("application/json".to_owned()), ..own.clone() },
            Request { app_id: Some("others".to_owned()), ..own.clone() },
            Request { reply_to: Some("replies".to_owned()), ..own.clone() },
            with("tenant", "acme".into()),
            with("tenant", HeaderValue::List(vec!["acme".into()])),
            with("guirpc-of-a-stranger", "acme".into()),
        ];
        let keys: BTreeSet<u128> = others.iter().chain([&own]).filter_map(Key::of).map(|key| key.0).collect();
        assert_eq!(keys.len(), others.len() + 1);
        assert!(others.iter().all(|other| !own.is_same(other)));
        assert_eq!(Key::of(&Request::default()), None);
    }

    #[test]
    fn a_request_that_is_made_or_delivered_again_is_the_same() {
        let own = request("1", b"x");
        let mut again = Request { redelivered: true, reply_to: None, ..own.clone() };
        for name in ["guirpc-deadline", "guirpc-timeout", "guirpc-attempts", "guirpc-dead-id", "x-delivery-count"] {
            again.headers.set(name, 1);
        }
        assert!(own.is_same(&again));
        assert_eq!(Key::of(&own), Key::of(&again));
    }

    #[test]
    fn what_is_answered_anew_replaces_the_old_answer() {
        let mut cache = ReplyCache::new(10_000);
        let key = key("1");
        for text in ["a", "b"] {
            cache.begin(&key);
            assert!(matches!(cache.find(&key, 1, Instant::now()), Known::Running));
            assert_eq!(cache.answered(&key, &reply(text), Instant::now()), [1]);
            assert!(matches!(cache.find(&key, 2, Instant::now()), Known::Answered(kept, _) if *kept == reply(text)));
        }
        assert_eq!(cache.size, size(&reply("b")));
    }

    #[test]
    fn what_was_not_run_is_forgotten() {
        let mut cache = ReplyCache::new(10_000);
        let key = key("1");
        cache.begin(&key);
        cache.find(&key, 2, Instant::now());
        assert_eq!(cache.forget(&key), [2]);
        assert!(matches!(cache.find(&key, 3, Instant::now()), Known::New(3)));
    }

    #[test]
    fn it_is_bounded_in_size_and_time() {
        let start = Instant::now();
        let mut cache = ReplyCache::<u8>::new(10 * OVERHEAD);
        let keys: Vec<Key> = (0..100).map(|n| key(&n.to_string())).collect();
        for key in &keys {
            cache.begin(key);
            cache.answered(key, &reply("a"), start);
            assert!(cache.size <= cache.limit && cache.answers.len() <= 10);
        }
        assert!(cache.entries.len() < 10 && !cache.entries.is_empty());
        assert!(matches!(cache.find(&keys[0], 0, Instant::now()), Known::New(_)), "the oldest goes first");
        let last = keys.last().unwrap();
        assert!(matches!(cache.find(last, 0, Instant::now()), Known::Answered(..)));
        cache.answered(&keys[0], &reply("a"), start + KEPT + Duration::from_secs(1));
        assert!(matches!(cache.find(last, 0, Instant::now()), Known::New(_)));
        let mut off = ReplyCache::<u8>::new(0);
        off.answered(&keys[0], &reply("a"), start);
        assert!(off.entries.is_empty() && off.answers.is_empty());
    }
}
