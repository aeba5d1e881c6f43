//! Bytes as a script writes them: `plain`, `"quoted"`, `00ff` in hexadecimal, and any of them `*300` times.

use std::str;

use anyhow::{Context, bail, ensure};

/// Runs of one byte that are longer are written with their number.
const LONG_RUN: usize = 40;

/// Splits at spaces that are neither in quotes nor in brackets.
pub(crate) fn words(line: &str) -> Vec<&str> {
    let (mut words, mut start, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0, false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b' ' if depth == 0 => {
                words.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&line[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// The bytes in quotes, each of which is a character or `\x00`.
pub(crate) fn quote(bytes: &[u8]) -> String {
    if let [first, .., _] = bytes
        && bytes.len() > LONG_RUN
        && bytes.iter().all(|byte| byte == first)
    {
        return format!("{}*{}", quote(&[*first]), bytes.len());
    }
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' | '\\' => text.extend(['\\', char]),
                char if char.is_control() => text += &escape(char),
                char => text.push(char),
            }
        }
        text.extend(chunk.invalid().iter().copied().map(escape));
    }
    text + "\""
}

fn escape(byte: impl Into<u32>) -> String {
    format!("\\x{:02x}", byte.into())
}

/// What a field's value stands for; without quotes, the text itself.
pub(crate) fn unquote(word: &str) -> anyhow::Result<Vec<u8>> {
    repeated(word, |word| {
        if !word.starts_with('"') {
            return Ok(word.as_bytes().to_vec());
        }
        let (text, rest) = quoted(word)?;
        ensure!(rest.is_empty(), "{rest} follows the quotes of {word}");
        Ok(text)
    })
}

/// What a word of raw bytes stands for; without quotes, it is hexadecimal.
pub(crate) fn raw(word: &str) -> anyhow::Result<Vec<u8>> {
    repeated(word, |word| if word.starts_with('"') { unquote(word) } else { unhex(word) })
}

/// The text in the quotes that a text begins with, and what follows them.
pub(crate) fn quoted(text: &str) -> anyhow::Result<(Vec<u8>, &str)> {
    let mut bytes = Vec::new();
    let mut rest = text.strip_prefix('"').with_context(|| format!("no quote begins {text}"))?;
    loop {
        let char = rest.chars().next().with_context(|| format!("no quote ends {text}"))?;
        rest = &rest[char.len_utf8()..];
        match char {
            '"' => return Ok((bytes, rest)),
            '\\' if rest.starts_with('x') => {
                bytes.extend(unhex(rest.get(1..3).context("\\x without two digits")?)?);
                rest = &rest[3..];
            }
            '\\' => {
                let escaped = rest.chars().next().context("nothing is escaped")?;
                bytes.extend(escaped.to_string().bytes());
                rest = &rest[escaped.len_utf8()..];
            }
            char => bytes.extend(char.to_string().bytes()),
        }
    }
}

fn repeated(word: &str, once: impl Fn(&str) -> anyhow::Result<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    match word.rsplit_once('*') {
        Some((word, times)) if times.parse::<usize>().is_ok() => Ok(once(word)?.repeat(times.parse()?)),
        _ => once(word),
    }
}

fn unhex(digits: &str) -> anyhow::Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match str::from_utf8(pair).map(|pair| (pair.len(), u8::from_str_radix(pair, 16))) {
            Ok((2, Ok(byte))) => Ok(byte),
            _ => bail!("{digits} is not hexadecimal"),
        })
        .collect()
}
