//! A letter as JSON, for programs.

use guirpc::dead_letters::List;
use guirpc::{DeadLetter, Dialect, HeaderValue, Headers};
use serde_json::{Map, Value, json};

use super::text::{hex, moment};

/// The list, and how many letters it leaves out.
pub(super) fn list(list: &List) -> Value {
    let letters: Vec<Value> = list.letters.iter().map(letter).collect();
    json!({ "letters": letters, "unread": list.unread })
}

/// A letter as it stands in a list.
pub(super) fn letter(letter: &DeadLetter) -> Value {
    json!({
        "number": letter.number(),
        "correlation_id": letter.correlation_id(),
        "function": letter.function(),
        "dialect": if letter.dialect() == Dialect::Python { "python" } else { "native" },
        "reason": letter.reason(),
        "status": letter.status(),
        "message": letter.message(),
        "dead_since": letter.dead_since().and_then(moment),
        "attempts": letter.attempts(),
        "queue": letter.queue(),
        "app_id": letter.app_id(),
        "content_type": letter.content_type(),
        "size": letter.size(),
        "headers": headers(letter.headers()),
    })
}

fn headers(headers: &Headers) -> Map<String, Value> {
    headers.iter().map(|(name, value)| (name.to_owned(), header(value))).collect()
}

/// A header's value; what JSON does not have is a text.
fn header(header_value: &HeaderValue) -> Value {
    match header_value {
        HeaderValue::Bool(value) => (*value).into(),
        HeaderValue::Integer(integer) => (*integer).into(),
        HeaderValue::Float(number) if number.is_finite() => (*number).into(),
        HeaderValue::Float(number) => number.to_string().into(),
        HeaderValue::Text(text) => text.as_str().into(),
        HeaderValue::Bytes(bytes) => format!("0x{}", hex(bytes, usize::MAX)).into(),
        HeaderValue::Timestamp(seconds) => (*seconds).into(),
        HeaderValue::List(values) => values.iter().map(header).collect(),
        HeaderValue::Table(table) => headers(table).into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_kind_are_json() {
        let inner = [("a".to_owned(), HeaderValue::Void)].into_iter().collect();
        let values = HeaderValue::List(vec![
            HeaderValue::Bool(true),
            HeaderValue::Integer(i64::MIN),
            HeaderValue::Float(f64::NAN),
            HeaderValue::Float(0.5),
            HeaderValue::Text("x".to_owned()),
            HeaderValue::Bytes(vec![0, 255]),
            HeaderValue::Timestamp(u64::MAX),
            HeaderValue::Table(inner),
        ]);
        assert_eq!(header(&values), json!([true, i64::MIN, "NaN", 0.5, "x", "0x00ff", u64::MAX, { "a": null }]));
    }
}
