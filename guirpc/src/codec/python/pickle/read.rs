//! Reads a pickle: a program for a stack machine, of which only the instructions that make data are carried out.

use std::collections::HashMap;

use super::build::{Id, Nodes};
use crate::codec::python::value::Value;

/// The value that a pickle is.
pub(in crate::codec::python) fn read(pickle: &[u8]) -> Result<Value, String> {
    let mut machine = Machine {
        rest: pickle,
        nodes: Nodes::new(pickle.len()),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        let instruction = machine.byte()?;
        if instruction == b'.' {
            let root = machine.pop()?;
            return machine.nodes.tree(root, pickle.len());
        }
        machine.run(instruction)?;
    }
}

struct Machine<'p> {
    rest: &'p [u8],
    nodes: Nodes,
    stack: Vec<Id>,
    /// How long the stack was where a list or a dict begins.
    marks: Vec<usize>,
    /// What was put aside, by a number that the pickle may choose.
    memo: HashMap<u32, Id>,
}

impl<'p> Machine<'p> {
    fn run(&mut self, instruction: u8) -> Result<(), String> {
        match instruction {
            // Protocol and frame make no difference to the data.
            0x80 => drop(self.byte()?),
            0x95 => drop(self.array::<8>()?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            b'2' => self.stack.push(self.top()?),
            b'q' => self.put(|machine| machine.byte().map(u32::from))?,
            b'r' => self.put(|machine| machine.array().map(u32::from_le_bytes))?,
            0x94 => self.put(|machine| u32::try_from(machine.memo.len()).map_err(|_| truncated()))?,
            b'h' => self.get(|machine| machine.byte().map(u32::from))?,
            b'j' => self.get(|machine| machine.array().map(u32::from_le_bytes))?,
            b']' | b')' | 0x8f => self.push_list(Vec::new())?,
            b'l' | b't' | 0x91 => {
                let items = self.since_mark()?;
                self.push_list(items)?;
            }
            0x85..=0x87 => {
                let items = self.last(usize::from(instruction - 0x84))?;
                self.push_list(items)?;
            }
            b'a' => {
                let items = self.last(1)?;
                self.nodes.extend_list(self.top()?, items)?;
            }
            b'e' | 0x90 => {
                let items = self.since_mark()?;
                self.nodes.extend_list(self.top()?, items)?;
            }
            b'}' => {
                let dict = self.nodes.dict()?;
                self.stack.push(dict);
            }
            b'd' => {
                let (items, dict) = (self.since_mark()?, self.nodes.dict()?);
                self.nodes.extend_dict(dict, &items)?;
                self.stack.push(dict);
            }
            b's' => {
                let items = self.last(2)?;
                self.nodes.extend_dict(self.top()?, &items)?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.nodes.extend_dict(self.top()?, &items)?;
            }
            instruction => {
                let leaf = self.leaf(instruction)?;
                let leaf = self.nodes.leaf(leaf)?;
                self.stack.push(leaf);
            }
        }
        Ok(())
    }

    fn leaf(&mut self, instruction: u8) -> Result<Value, String> {
        Ok(match instruction {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(self.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.array()?).into()),
            0x8a | 0x8b => long(self.bytes_behind_length(instruction == 0x8b, false)?)?,
            b'G' => Value::Float(f64::from_be_bytes(self.array()?)),
            0x8c => text(self.bytes_behind_length(false, false)?)?,
            b'X' => text(self.bytes_behind_length(true, false)?)?,
            0x8d => text(self.bytes_behind_length(true, true)?)?,
            b'C' => Value::Bytes(self.bytes_behind_length(false, false)?.to_owned()),
            b'B' => Value::Bytes(self.bytes_behind_length(true, false)?.to_owned()),
            0x8e | 0x96 => Value::Bytes(self.bytes_behind_length(true, true)?.to_owned()),
            other => return Err(refused(other)),
        })
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    /// Bytes behind a length of one byte, or four, or eight.
    fn bytes_behind_length(&mut self, four: bool, eight: bool) -> Result<&'p [u8], String> {
        let length = match (four, eight) {
            (_, true) => u64::from_le_bytes(self.array()?),
            (true, false) => u32::from_le_bytes(self.array()?).into(),
            (false, false) => self.byte()?.into(),
        };
        let length = usize::try_from(length).map_err(|_| truncated())?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Where the part of the stack begins that belongs to what is being made.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or_default()
    }

    fn top(&self) -> Result<Id, String> {
        self.stack[self.floor()..].last().copied().ok_or_else(underflow)
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn last(&mut self, count: usize) -> Result<Vec<Id>, String> {
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= self.floor()).ok_or_else(underflow)?;
        Ok(self.stack.split_off(start))
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or_else(|| "could not find MARK".to_owned())?;
        Ok(self.stack.split_off(mark))
    }

    fn push_list(&mut self, items: Vec<Id>) -> Result<(), String> {
        let list = self.nodes.list(items)?;
        self.stack.push(list);
        Ok(())
    }

    fn put(&mut self, number: impl FnOnce(&mut Self) -> Result<u32, String>) -> Result<(), String> {
        let number = number(self)?;
        let top = self.top()?;
        if self.memo.insert(number, top).is_none() {
            self.nodes.count()?;
        }
        Ok(())
    }

    fn get(&mut self, number: impl FnOnce(&mut Self) -> Result<u32, String>) -> Result<(), String> {
        let number = number(self)?;
        let found = self.memo.get(&number).ok_or_else(|| format!("Memo value not found at index {number}"))?;
        self.stack.push(*found);
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Result<Value, String> {
    std::str::from_utf8(bytes).map(|text| Value::Str(text.to_owned())).map_err(|error| error.to_string())
}

/// An integer in two's complement, the lowest byte first.
fn long(bytes: &[u8]) -> Result<Value, String> {
    let is_negative = bytes.last().is_some_and(|last| *last >= 0x80);
    let mut wide = [if is_negative { 0xff } else { 0 }; 17];
    if bytes.len() > wide.len() {
        return Err("an integer of more than 128 bits".to_owned());
    }
    wide[..bytes.len()].copy_from_slice(bytes);
    let [low @ .., high] = wide;
    match (high, i128::from_le_bytes(low)) {
        (0, integer @ 0..) | (0xff, integer @ ..0) => Ok(Value::Int(integer)),
        (0, _) => Ok(Value::Huge(u128::from_le_bytes(low).to_string())),
        _ => Err("an integer of more than 128 bits".to_owned()),
    }
}

fn truncated() -> String {
    "pickle data was truncated".to_owned()
}

fn underflow() -> String {
    "unpickling stack underflow".to_owned()
}

/// Why an instruction is not carried out.
fn refused(instruction: u8) -> String {
    match instruction {
        b'c' | b'R' | b'b' | b'i' | b'o' | 0x81..=0x84 | 0x92 | 0x93 | b'P' | b'Q' => {
            "to make this object, code would have to be run, and only data is read: numbers, texts, bytes, lists, \
             tuples, sets and dicts"
                .to_owned()
        }
        b'I' | b'L' | b'F' | b'S' | b'T' | b'U' | b'V' | b'p' | b'g' => {
            "a pickle of protocol 0 or 1, or of Python 2; write it with protocol 2 or later".to_owned()
        }
        instruction if instruction.is_ascii_graphic() || instruction == b' ' => {
            format!("invalid load key, '{}'.", char::from(instruction))
        }
        instruction => format!("invalid load key, '\\x{instruction:02x}'."),
    }
}
