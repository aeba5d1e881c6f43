//! What of a request goes on to the calls that its function makes: the headers of W3C's Trace Context and Baggage.
//!
//! It needs no exporter: who does not take part in a trace hands it on as it came. What breaks the rules of W3C is ignored,
//! as they say, since a stranger may have written it.

use std::str;
use std::sync::Arc;

use crate::message::{HeaderValue, Headers};

/// Header: the trace, and the span in it that made the call.
pub(crate) const TRACE_PARENT: &str = "traceparent";
/// Header: what tracing systems say of it among themselves.
pub(crate) const TRACE_STATE: &str = "tracestate";
/// Header: what the first caller wants everyone to know.
pub(crate) const BAGGAGE: &str = "baggage";

/// `00-TRACE-SPAN-FLAGS`; a later version may be longer.
const TRACE_PARENT_LENGTH: usize = 55;
const LONGEST_TRACE_PARENT: usize = 256;
/// Everyone has to hand on 512 bytes.
const LONGEST_TRACE_STATE: usize = 2048;
const MOST_STATES: usize = 32;
const LONGEST_BAGGAGE: usize = 8192;
const MOST_BAGGAGE: usize = 180;

/// The headers that the calls of a function inherit; nothing if its own caller sent none.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceContext(Option<Arc<Headers>>);

impl TraceContext {
    pub(crate) const NONE: Self = TraceContext(None);

    /// That of a request with these headers.
    pub(crate) fn of(headers: &Headers) -> Self {
        let mut kept = Headers::new();
        if let Some(parent) = text(headers, TRACE_PARENT).filter(|parent| is_trace_parent(parent)) {
            kept.set_own(TRACE_PARENT, parent);
            // It belongs to the other.
            if let Some(state) = text(headers, TRACE_STATE).filter(|state| is_trace_state(state)) {
                kept.set_own(TRACE_STATE, state);
            }
        }
        if let Some(baggage) = text(headers, BAGGAGE).filter(|baggage| is_baggage(baggage)) {
            kept.set_own(BAGGAGE, baggage);
        }
        TraceContext((!kept.is_empty()).then(|| Arc::new(kept)))
    }

    /// The headers of a call: its own, and those that it inherits.
    pub(crate) fn added_to(&self, own: &Arc<Headers>) -> Arc<Headers> {
        let Some(inherited) = &self.0 else { return Arc::clone(own) };
        if own.is_empty() {
            return Arc::clone(inherited);
        }
        let mut both = Headers::clone(own);
        let has_parent = own.get(TRACE_PARENT).is_some();
        for (name, value) in inherited.iter() {
            let belongs_to_another = name == TRACE_STATE && has_parent;
            if own.get(name).is_none() && !belongs_to_another {
                both.set(name, value.clone());
            }
        }
        Arc::new(both)
    }
}

#[cfg_attr(not(any(feature = "main", feature = "otel")), allow(dead_code, reason = "it is handed on as it is"))]
impl TraceContext {
    /// The ids of the trace and of the span in it.
    pub(crate) fn ids(&self) -> Option<(&str, &str)> {
        let parent = self.parent()?;
        Some((&parent[3..35], &parent[36..52]))
    }

    fn parent(&self) -> Option<&str> {
        self.get(TRACE_PARENT)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.as_ref()?.get(name)?.as_str()
    }
}

#[cfg(feature = "otel")]
impl TraceContext {
    /// The flags, as two hexadecimal digits.
    pub(super) fn flags(&self) -> Option<&str> {
        Some(&self.parent()?[53..55])
    }

    pub(super) fn state(&self) -> Option<&str> {
        self.get(TRACE_STATE)
    }

    /// The same with another trace and another span in it.
    pub(super) fn with_parent(self, parent: String, state: Option<String>) -> Self {
        let mut headers = Headers::new();
        headers.set_own(TRACE_PARENT, parent);
        if let Some(state) = state {
            headers.set_own(TRACE_STATE, state);
        }
        if let Some(baggage) = self.get(BAGGAGE) {
            headers.set_own(BAGGAGE, baggage);
        }
        TraceContext(Some(Arc::new(headers)))
    }
}

/// A header, if it is a text, in whichever way it is written.
fn text<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    match headers.get(name)? {
        HeaderValue::Text(text) => Some(text),
        HeaderValue::Bytes(bytes) => str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn is_trace_parent(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < TRACE_PARENT_LENGTH || bytes.len() > LONGEST_TRACE_PARENT || !text.is_ascii() {
        return false;
    }
    let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_id = |part: &str| is_hex(part) && part.bytes().any(|byte| byte != b'0');
    let (version, rest) = (&text[..2], &text[TRACE_PARENT_LENGTH..]);
    let ends = match version {
        "00" => rest.is_empty(),
        _ => rest.is_empty() || rest.starts_with('-') && rest.bytes().all(|byte| byte.is_ascii_graphic()),
    };
    ends && is_hex(version)
        && version != "ff"
        && [2, 35, 52].iter().all(|dash| bytes[*dash] == b'-')
        && is_id(&text[3..35])
        && is_id(&text[36..52])
        && is_hex(&text[53..55])
}

fn is_trace_state(text: &str) -> bool {
    is_list(text, LONGEST_TRACE_STATE, MOST_STATES, |key, value| {
        let is_key = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
        let is_value = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
        key.len() <= 256 && key.bytes().all(is_key) && (1..=256).contains(&value.len()) && value.bytes().all(is_value)
    })
}

fn is_baggage(text: &str) -> bool {
    is_list(text, LONGEST_BAGGAGE, MOST_BAGGAGE, |key, value| {
        let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        // With what may follow it, behind a semicolon.
        let is_value = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
        key.trim_end().bytes().all(is_key) && value.bytes().all(is_value)
    })
}

/// Whether it is a list of `key=value` with commas between them, in which a place may be empty.
fn is_list(text: &str, longest: usize, most: usize, is_member: impl Fn(&str, &str) -> bool) -> bool {
    let members = || text.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty());
    let is_member =
        |member: &str| member.split_once('=').is_some_and(|(key, value)| !key.is_empty() && is_member(key, value));
    text.len() <= longest && (1..=most).contains(&members().take(most + 1).count()) && members().all(is_member)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), HeaderValue::from(*value))).collect()
    }

    fn kept(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let inherited = TraceContext::of(&headers(pairs)).added_to(&Arc::default());
        inherited.iter().map(|(name, value)| (name.to_owned(), value.as_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn a_trace_goes_on_as_it_came() {
        let sent =
            [("tenant", "a"), (TRACE_STATE, "a@b=1,c=2"), (TRACE_PARENT, PARENT), (BAGGAGE, "user=ada;x=1, b = %20")];
        let expected = [sent[2], sent[1], sent[3]].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(kept(&sent), expected);
        let context = TraceContext::of(&headers(&sent));
        assert_eq!(context.ids(), Some(("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")));
        assert!(kept(&[("tenant", "a")]).is_empty());
    }

    #[test]
    fn bytes_are_read_as_text() {
        let mut sent = Headers::new();
        sent.set(TRACE_PARENT, HeaderValue::Bytes(PARENT.as_bytes().to_owned()));
        assert_eq!(TraceContext::of(&sent).parent(), Some(PARENT));
        sent.set(TRACE_PARENT, HeaderValue::Bytes(vec![0xff; 55]));
        sent.set(BAGGAGE, 7);
        assert!(TraceContext::of(&sent).0.is_none());
    }

    #[test]
    fn what_a_client_sets_itself_goes_before_what_is_inherited() {
        let inherited = TraceContext::of(&headers(&[(TRACE_PARENT, PARENT), (TRACE_STATE, "a=1"), (BAGGAGE, "b=2")]));
        let other = PARENT.replace("4bf9", "1111");
        let own = Arc::new(headers(&[("tenant", "a"), (TRACE_PARENT, &other)]));
        let both = inherited.added_to(&own);
        assert_eq!(*both, headers(&[("tenant", "a"), (TRACE_PARENT, &other), (BAGGAGE, "b=2")]));
        let own = Arc::new(headers(&[("tenant", "a")]));
        assert_eq!(inherited.added_to(&own).iter().count(), 4);
        assert!(Arc::ptr_eq(&TraceContext::NONE.added_to(&own), &own));
    }

    #[test]
    fn what_breaks_the_rules_is_ignored() {
        let later = format!("01{}-what-may-follow", &PARENT[2..]);
        assert_eq!(kept(&[(TRACE_PARENT, &later)]).len(), 1);
        let broken = [
            String::new(),
            PARENT[..54].to_owned(),
            format!("{PARENT}-more"),
            PARENT.to_uppercase(),
            PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            format!("ff{}", &PARENT[2..]),
            format!("01{}x", &PARENT[2..]),
            format!("01{}-{}", &PARENT[2..], "x".repeat(LONGEST_TRACE_PARENT)),
            PARENT.replace('b', "ü"),
            PARENT.replace('-', "_"),
        ];
        for broken in broken {
            // The state of a trace that is none is none.
            assert!(kept(&[(TRACE_PARENT, &broken), (TRACE_STATE, "a=1")]).is_empty(), "{broken}");
        }
        let too_many = |most| vec!["a=1"; most + 1].join(",");
        for state in ["", ",", "a", "=1", "A=1", "a=", "a=1=2", "a=ü", "a=1\n", &too_many(MOST_STATES)] {
            assert_eq!(kept(&[(TRACE_PARENT, PARENT), (TRACE_STATE, state)]).len(), 1, "{state}");
        }
        let too_long = format!("a={}", "x".repeat(LONGEST_BAGGAGE));
        for baggage in ["", "a", "=1", "a b=1", "a=ü", "a=1\r\nb=2", &too_many(MOST_BAGGAGE), &too_long] {
            assert!(kept(&[(BAGGAGE, baggage)]).is_empty(), "{baggage}");
        }
    }
}
