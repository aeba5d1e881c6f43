//! A case as a text: what a client sends (`>`) and what comes back (`<`), which is thereby its transcript.
//!
//! ```text
//! # A queue that nobody declared is not found, which closes the channel.
//! > 1 basic.get queue=q
//! < 1 channel.close code=404 text="NOT_FOUND - no queue 'q' in vhost '/'" class=60 method=70
//! ```
//!
//! | line | meaning |
//! |---|---|
//! | `> 1 queue.declare queue=q` | sends a method on channel 1; `body=` and properties go after `basic.publish` |
//! | `> frame 1 0 000a` | sends a frame of type 1 on channel 0 with any payload; `> bytes` sends anything |
//! | `<` | awaits one frame or message; recording writes what came |
//! | `>?` | sends this again and again until what comes is what follows |
//! | `<~` | awaits one of several that may come in any order |
//! | `>b`, `<b` | the same on a second connection |
//! | `open b heartbeat=1` | connects and opens channel 1, which otherwise happens at the first use |
//! | `dial b` | connects without a handshake; `greet b` awaits the first method of one |
//! | `drop b` | ends the connection without a word |
//!
//! After the last line the connections are closed one by one, and whatever comes until then is part of the transcript:
//! so a script also says what does not come.

use anyhow::{Context, bail};

/// A line of a script; `who` is the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Comment(String),
    Dial { who: char },
    Greet { who: char },
    Open { who: char, options: String },
    Drop { who: char },
    Send { who: char, again: bool, text: String },
    Await { who: char, unordered: bool, text: String },
}

/// The connection of lines that name none.
pub(crate) const FIRST: char = 'a';

impl Line {
    pub(crate) fn parse(line: &str) -> anyhow::Result<Self> {
        let (head, text) = line.split_once(' ').unwrap_or((line, ""));
        let text = text.to_owned();
        let named = |text: &str| text.chars().next().context("no connection is named");
        Ok(match head {
            "" | "#" => Self::Comment(text),
            "dial" => Self::Dial { who: named(&text)? },
            "greet" => Self::Greet { who: named(&text)? },
            "drop" => Self::Drop { who: named(&text)? },
            "open" => Self::Open { who: named(&text)?, options: text.get(2..).unwrap_or_default().to_owned() },
            _ => {
                let mut marks = head.chars();
                let direction = marks.next();
                let marks = marks.as_str();
                let who = marks.chars().find(char::is_ascii_lowercase).unwrap_or(FIRST);
                match direction {
                    Some('>') => Self::Send { who, again: marks.contains('?'), text },
                    Some('<') => Self::Await { who, unordered: marks.contains('~'), text },
                    _ => bail!("no line of a script: {line}"),
                }
            }
        })
    }

    pub(crate) fn show(&self) -> String {
        let on = |mark: &str, flag: bool, sign: &str, who: char, text: &str| {
            let sign = if flag { sign } else { "" };
            let who = if who == FIRST { String::new() } else { who.to_string() };
            format!("{mark}{sign}{who} {text}").trim_end().to_owned()
        };
        match self {
            Self::Comment(text) if text.is_empty() => String::new(),
            Self::Comment(text) => format!("# {text}"),
            Self::Dial { who } => format!("dial {who}"),
            Self::Greet { who } => format!("greet {who}"),
            Self::Drop { who } => format!("drop {who}"),
            Self::Open { who, options } => format!("open {who} {options}").trim_end().to_owned(),
            Self::Send { who, again, text } => on(">", *again, "?", *who, text),
            Self::Await { who, unordered, text } => on("<", *unordered, "~", *who, text),
        }
    }
}

pub(crate) fn parse(script: &str) -> anyhow::Result<Vec<Line>> {
    script.lines().map(Line::parse).collect()
}

pub(crate) fn show(lines: &[Line]) -> String {
    lines.iter().map(|line| line.show() + "\n").collect()
}
