//! Field tables: between their bytes and `{key: "text", number: 5, long: 5l}`, where a letter shows the type.
//!
//! | written | type | | written | type |
//! |---|---|---|---|---|
//! | `"text"` | `S` | | `5l`, `5b`, `5B`, `5s`, `5u`, `5i` | of that letter |
//! | `true` | `t` | | `1.5d`, `1.5f` | `d`, `f` |
//! | `5` | `I` | | `T5` | `T`, a time |
//! | `void` | `V` | | `[5, 6]`, `{a: 5}` | `A`, `F` |

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};

use super::fields::Bytes;
use super::text::{quote, quoted};

/// Two clocks of one machine that show almost the same.
const NEARLY: Duration = Duration::from_hours(1);

/// The bytes of a table, without its length.
pub(crate) fn encode(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut rest = text;
    let table = items(&mut rest, '{', '}')?;
    ensure!(rest.is_empty(), "{rest} follows a table");
    Ok(table)
}

/// The text of a table, sorted by its keys, since RabbitMQ keeps no order.
pub(crate) fn decode(bytes: &[u8]) -> anyhow::Result<String> {
    Ok(show(&entries(bytes)?))
}

/// The text of a table of which only one entry matters; `…` stands for the others.
pub(crate) fn decode_only(key: &str, bytes: &[u8]) -> anyhow::Result<String> {
    let of_key = |entry: &String| entry.split(':').next() == Some(key);
    let (mut shown, others): (Vec<_>, Vec<_>) = entries(bytes)?.into_iter().partition(of_key);
    if !others.is_empty() {
        shown.push("…".to_owned());
    }
    Ok(show(&shown))
}

fn entries(bytes: &[u8]) -> anyhow::Result<Vec<String>> {
    let (mut bytes, mut entries) = (Bytes(bytes), Vec::new());
    while !bytes.0.is_empty() {
        let key = String::from_utf8_lossy(bytes.short()?).into_owned();
        entries.push(format!("{key}: {}", value(&mut bytes)?));
    }
    entries.sort();
    Ok(entries)
}

fn show(entries: &[String]) -> String {
    format!("{{{}}}", entries.join(", "))
}

fn items(rest: &mut &str, open: char, close: char) -> anyhow::Result<Vec<u8>> {
    *rest = rest.strip_prefix(open).with_context(|| format!("{rest} does not begin with {open}"))?;
    let mut bytes = Vec::new();
    loop {
        *rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix(close) {
            *rest = after;
            return Ok(bytes);
        }
        if open == '{' {
            let (key, after) = rest.split_once(':').context("a key without a value")?;
            bytes.push(u8::try_from(key.len())?);
            bytes.extend(key.bytes());
            *rest = after.trim_start();
        }
        bytes.extend(item(rest)?);
    }
}

fn item(rest: &mut &str) -> anyhow::Result<Vec<u8>> {
    let long = |bytes: Vec<u8>| anyhow::Ok([&u32::try_from(bytes.len())?.to_be_bytes()[..], &bytes].concat());
    match rest.chars().next() {
        Some('{') => return Ok([b"F".to_vec(), long(items(rest, '{', '}')?)?].concat()),
        Some('[') => return Ok([b"A".to_vec(), long(items(rest, '[', ']')?)?].concat()),
        Some('"') => {
            let (text, after) = quoted(rest)?;
            *rest = after;
            return Ok([b"S".to_vec(), long(text)?].concat());
        }
        _ => {}
    }
    let end = rest.find([',', '}', ']']).context("a value without an end")?;
    let word = rest[..end].trim();
    *rest = &rest[end..];
    scalar(word).with_context(|| format!("no value {word}"))
}

fn scalar(word: &str) -> anyhow::Result<Vec<u8>> {
    if let Ok(number) = word.parse::<i32>() {
        return Ok([b"I", &number.to_be_bytes()[..]].concat());
    }
    let (number, letter) = word.split_at(word.len() - 1);
    Ok(match (word, letter) {
        ("true" | "false", _) => vec![b't', u8::from(word == "true")],
        ("void", _) => b"V".to_vec(),
        (_, "l") => [b"l", &number.parse::<i64>()?.to_be_bytes()[..]].concat(),
        (_, "b") => [b"b", &number.parse::<i8>()?.to_be_bytes()[..]].concat(),
        (_, "B") => [b"B", &number.parse::<u8>()?.to_be_bytes()[..]].concat(),
        (_, "s") => [b"s", &number.parse::<i16>()?.to_be_bytes()[..]].concat(),
        (_, "u") => [b"u", &number.parse::<u16>()?.to_be_bytes()[..]].concat(),
        (_, "i") => [b"i", &number.parse::<u32>()?.to_be_bytes()[..]].concat(),
        (_, "d") => [b"d", &number.parse::<f64>()?.to_be_bytes()[..]].concat(),
        (_, "f") => [b"f", &number.parse::<f32>()?.to_be_bytes()[..]].concat(),
        _ => [b"T", &word.trim_start_matches('T').parse::<u64>()?.to_be_bytes()[..]].concat(),
    })
}

fn value(bytes: &mut Bytes<'_>) -> anyhow::Result<String> {
    let letter = char::from(bytes.take::<1>()?[0]);
    Ok(match letter {
        'S' => quote(bytes.long()?),
        'x' => format!("x{}", quote(bytes.long()?)),
        'F' => decode(bytes.long()?)?,
        'A' => {
            let (mut items, mut texts) = (Bytes(bytes.long()?), Vec::new());
            while !items.0.is_empty() {
                texts.push(value(&mut items)?);
            }
            format!("[{}]", texts.join(", "))
        }
        't' => (bytes.take::<1>()? != [0]).to_string(),
        'I' => i32::from_be_bytes(bytes.take()?).to_string(),
        'l' | 'L' => format!("{}{letter}", i64::from_be_bytes(bytes.take()?)),
        'b' => format!("{}b", i8::from_be_bytes(bytes.take()?)),
        'B' => format!("{}B", u8::from_be_bytes(bytes.take()?)),
        's' | 'U' => format!("{}{letter}", i16::from_be_bytes(bytes.take()?)),
        'u' => format!("{}u", u16::from_be_bytes(bytes.take()?)),
        'i' => format!("{}i", u32::from_be_bytes(bytes.take()?)),
        'd' => format!("{:?}d", f64::from_be_bytes(bytes.take()?)),
        'f' => format!("{:?}f", f32::from_be_bytes(bytes.take()?)),
        'T' => time(u64::from_be_bytes(bytes.take()?)),
        'V' => "void".to_owned(),
        letter => bail!("no type {letter:?} in a table"),
    })
}

/// A time, which is `now` when it is.
pub(crate) fn time(seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if now.abs_diff(seconds) < NEARLY.as_secs() { "now".to_owned() } else { format!("T{seconds}") }
}
