//! Reads JSON as `json.loads` does, up to a depth.

use crate::codec::python::keys;
use crate::codec::python::value::Value;
use crate::codec::{MAX_DEPTH, most_values, too_many_values};

/// Python reads no longer integers either; it would take time in the square of their length.
const MOST_DIGITS: usize = 4300;

/// The value that a JSON text is.
pub(in crate::codec::python) fn read(text: &str) -> Result<Value, String> {
    let most_values = most_values(text.len());
    let mut reader = Reader { text, at: 0, most_values, left: most_values };
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.wrong("there is more after the value"));
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// How many values it may hold, and how many of them are still to come.
    most_values: usize,
    left: usize,
}

impl<'t> Reader<'t> {
    fn wrong(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes over these bytes, if they come next.
    fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth >= MAX_DEPTH {
            return Err(format!("nested {MAX_DEPTH} levels deep or more"));
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| too_many_values(self.most_values))?;
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::Str),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value, String> {
        let words = [
            ("null", Value::None),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
        ];
        words
            .into_iter()
            .find(|(word, _)| self.take(word))
            .map(|(_, value)| value)
            .ok_or_else(|| self.wrong("no value"))
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut entries = Vec::new();
        self.skip_space();
        if self.take("}") {
            return Ok(Value::Dict(Vec::new()));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("no key in quotes"));
            }
            let key = Value::Str(self.string()?);
            self.skip_space();
            if !self.take(":") {
                return Err(self.wrong("no `:` after a key"));
            }
            entries.push((key, self.value(depth + 1)?));
            self.skip_space();
            if self.take("}") {
                return Ok(Value::Dict(keys::unique(entries)));
            }
            if !self.take(",") {
                return Err(self.wrong("neither `,` nor `}`"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut values = Vec::new();
        self.skip_space();
        if self.take("]") {
            return Ok(Value::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take("]") {
                return Ok(Value::List(values));
            }
            if !self.take(",") {
                return Err(self.wrong("neither `,` nor `]`"));
            }
        }
    }

    fn digits(&mut self) -> usize {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += digits;
        digits
    }

    /// As in JSON: what follows where it ends is not looked at, so that `01` is a value and something after it.
    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.take("-") && self.take("Infinity") {
            return Ok(Value::Float(f64::NEG_INFINITY));
        }
        if !self.take("0") && self.digits() == 0 {
            return Err(self.wrong("no digit"));
        }
        let integer = &self.text[start..self.at];
        let mut is_float = false;
        for (marks, signs) in [(&[".", "."], false), (&["e", "E"], true)] {
            let before = self.at;
            if marks.iter().any(|mark| self.take(mark)) {
                let _ = signs && (self.take("+") || self.take("-"));
                if self.digits() == 0 {
                    self.at = before;
                    break;
                }
                is_float = true;
            }
        }
        if is_float {
            let number = self.text[start..self.at].parse().map_err(|_| self.wrong("no number"))?;
            return Ok(Value::Float(number));
        }
        if integer.len() > MOST_DIGITS {
            return Err(self.wrong(&format!("an integer of more than {MOST_DIGITS} digits")));
        }
        Ok(Value::int(integer))
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let plain = self.rest().bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            string.push_str(&self.rest()[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err(self.wrong("a control character in a text")),
                None => return Err(self.wrong("a text without an end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        self.at += 1;
        let escaped = self.peek().ok_or_else(|| self.wrong("a text without an end"))?;
        let plain = match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.wrong("an unknown escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// A character as one or two `uXXXX`.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.unit()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) && self.take("\\") {
            units.push(self.unit()?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(character)) if u32::from(character) >= 0x1_0000 || !(0xd800..0xdc00).contains(&first) => {
                Ok(character)
            }
            _ => Err(self.wrong("half of a surrogate pair, which is no character,")),
        }
    }

    fn unit(&mut self) -> Result<u16, String> {
        let digits = self.rest().get(1..5).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let digits = digits.filter(|_| self.peek() == Some(b'u')).ok_or_else(|| self.wrong("no `\\uXXXX`"))?;
        self.at += 5;
        Ok(u16::from_str_radix(digits, 16).expect("four hexadecimal digits fit"))
    }
}
