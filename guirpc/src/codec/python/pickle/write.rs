//! Writes a pickle as Python 3.8 and later do (protocol 4).

use crate::codec::python::value::Value;

/// So many elements are added to a list or a dict at a time.
const BATCH: usize = 1000;
/// What is shorter has no frame.
const SMALLEST_FRAME: usize = 4;

/// The pickle of a value.
pub(in crate::codec::python) fn write(value: &Value) -> Vec<u8> {
    let mut frame = Vec::new();
    append(&mut frame, value);
    frame.push(b'.');
    let mut pickle = vec![0x80, 4];
    if frame.len() >= SMALLEST_FRAME {
        pickle.push(0x95);
        pickle.extend((frame.len() as u64).to_le_bytes());
    }
    pickle.extend(frame);
    pickle
}

/// Everything that Python could refer to again is put into its memo, as it does.
const MEMOIZE: u8 = 0x94;

fn append(pickle: &mut Vec<u8>, value: &Value) {
    match value {
        Value::None => pickle.push(b'N'),
        Value::Bool(true) => pickle.push(0x88),
        Value::Bool(false) => pickle.push(0x89),
        Value::Int(integer) => append_integer(pickle, *integer),
        Value::Huge(digits) => append_long(pickle, &from_digits(digits)),
        Value::Float(number) => {
            pickle.push(b'G');
            pickle.extend(number.to_be_bytes());
        }
        Value::Str(text) => append_bytes(pickle, [0x8c, b'X', 0x8d], text.as_bytes()),
        Value::Bytes(bytes) => append_bytes(pickle, [b'C', b'B', 0x8e], bytes),
        Value::List(values) => {
            pickle.extend([b']', MEMOIZE]);
            in_batches(pickle, values, [b'a', b'e'], append);
        }
        Value::Dict(entries) => {
            pickle.extend([b'}', MEMOIZE]);
            in_batches(pickle, entries, [b's', b'u'], |pickle, (key, value)| {
                append(pickle, key);
                append(pickle, value);
            });
        }
    }
}

fn append_integer(pickle: &mut Vec<u8>, integer: i128) {
    if let Ok(small) = u8::try_from(integer) {
        pickle.extend([b'K', small]);
    } else if let Ok(small) = u16::try_from(integer) {
        pickle.push(b'M');
        pickle.extend(small.to_le_bytes());
    } else if let Ok(small) = i32::try_from(integer) {
        pickle.push(b'J');
        pickle.extend(small.to_le_bytes());
    } else {
        append_long(pickle, &integer.to_le_bytes());
    }
}

/// An integer in two's complement, the lowest byte first; as short as it can be.
fn append_long(pickle: &mut Vec<u8>, bytes: &[u8]) {
    let mut bytes = bytes;
    while let [.., second, last] = bytes
        && (*last == 0 && *second < 0x80 || *last == 0xff && *second >= 0x80)
    {
        bytes = &bytes[..bytes.len() - 1];
    }
    if let Ok(length) = u8::try_from(bytes.len()) {
        pickle.extend([0x8a, length]);
    } else {
        pickle.push(0x8b);
        // Digits are bounded where they are read.
        pickle.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    pickle.extend(bytes);
}

/// The two's complement of an integer of any length.
fn from_digits(digits: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.bytes().filter(u8::is_ascii_digit) {
        let mut carry = u16::from(digit - b'0');
        for byte in &mut bytes {
            carry += u16::from(*byte) * 10;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(carry.to_le_bytes()[0]);
        }
    }
    bytes.push(0);
    if digits.starts_with('-') {
        let mut carry = true;
        for byte in &mut bytes {
            (*byte, carry) = (!*byte).overflowing_add(carry.into());
        }
    }
    bytes
}

/// Bytes behind their length, which has one byte, four, or eight, each with an instruction of its own.
fn append_bytes(pickle: &mut Vec<u8>, [short, usual, long]: [u8; 3], bytes: &[u8]) {
    if let Ok(length) = u8::try_from(bytes.len()) {
        pickle.extend([short, length]);
    } else if let Ok(length) = u32::try_from(bytes.len()) {
        pickle.push(usual);
        pickle.extend(length.to_le_bytes());
    } else {
        pickle.push(long);
        pickle.extend((bytes.len() as u64).to_le_bytes());
    }
    pickle.extend(bytes);
    pickle.push(MEMOIZE);
}

fn in_batches<T>(pickle: &mut Vec<u8>, all: &[T], [one, several]: [u8; 2], append: impl Fn(&mut Vec<u8>, &T)) {
    if let [only] = all {
        append(pickle, only);
        pickle.push(one);
        return;
    }
    for batch in all.chunks(BATCH) {
        pickle.push(b'(');
        for value in batch {
            append(pickle, value);
        }
        pickle.push(several);
    }
}
