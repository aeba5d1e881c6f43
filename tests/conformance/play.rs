//! Plays a script against a broker; gives the script with what came back.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::names::Names;
use crate::script::Line;
use crate::wire::text::words;
use crate::wire::{CLOSED, LONG, Wire};

/// The broker that a script is played against.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) vhost: String,
}

impl Address {
    /// Where a client finds it.
    pub(crate) fn uri(&self) -> String {
        let vhost = utf8_percent_encode(&self.vhost, NON_ALPHANUMERIC);
        format!("amqp://guest:guest@127.0.0.1:{}/{vhost}", self.port)
    }
}

/// What a client says about itself unless its script says otherwise.
const CAPABILITIES: &str = "{capabilities: {authentication_failure_close: true, basic.nack: true, \
    connection.blocked: true, consumer_cancel_notify: true, publisher_confirms: true}}";

const HEADER: &str = "bytes \"AMQP\" 00000901";
const START: &str = "0 connection.start ";
const CLOSE_OK: &str = "0 connection.close-ok";

struct Play<'a> {
    address: &'a Address,
    names: Names,
    wires: BTreeMap<char, Wire>,
    ends: BTreeMap<char, End>,
}

/// How far the end of a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The broker closes it and wants that confirmed.
    Begun,
    Over,
}

impl<'a> Play<'a> {
    fn against(address: &'a Address) -> Self {
        Self { address, names: Names::of(&address.vhost), wires: BTreeMap::new(), ends: BTreeMap::new() }
    }
}

/// Plays the lines, then closes all connections and shows what else came.
pub(crate) fn play(lines: &[Line], address: &Address) -> anyhow::Result<Vec<Line>> {
    let mut play = Play::against(address);
    let mut played = Vec::new();
    let mut lines = lines;
    while let [line, rest @ ..] = lines {
        lines = match line {
            Line::Send { again: true, .. } => {
                let end = rest.iter().position(|line| !matches!(line, Line::Await { .. })).unwrap_or(rest.len());
                let (expected, rest) = rest.split_at(end);
                played.push(line.clone());
                played.extend(play.repeat(line, expected)?);
                rest
            }
            Line::Await { unordered: true, .. } => {
                let is_one = |line: &Line| matches!(line, Line::Await { unordered: true, .. });
                let (group, rest) = lines.split_at(lines.iter().position(|line| !is_one(line)).unwrap_or(lines.len()));
                let mut came = group.iter().map(|line| play.step(line)).collect::<Result<Vec<_>, _>>()?;
                came.sort_by_key(Line::show);
                played.extend(came);
                rest
            }
            line => {
                let step = play.step(line).with_context(|| format!("at {}", line.show()));
                played.push(step?);
                rest
            }
        };
    }
    played.extend(play.finish()?);
    check_alive(address)?;
    Ok(played)
}

/// Whether the broker still serves others after all that was done to it.
fn check_alive(address: &Address) -> anyhow::Result<()> {
    let mut other = Play::against(address);
    other.open('z', "").context("the broker takes no more connections")?;
    let rest = other.finish()?;
    ensure!(rest.is_empty(), "a new connection hears {rest:?}");
    Ok(())
}

/// Sends a line and awaits its answer, if it has one.
fn exchange(wire: &mut Wire, request: &str, answer: &str) -> anyhow::Result<()> {
    wire.send(request)?;
    if !answer.is_empty() {
        let came = wire.next()?;
        ensure!(came.starts_with(answer), "{request} is answered with {came}");
    }
    Ok(())
}

impl Play<'_> {
    fn step(&mut self, line: &Line) -> anyhow::Result<Line> {
        let mut line = line.clone();
        match &mut line {
            Line::Comment(_) => {}
            Line::Dial { who } => {
                self.wires.insert(*who, Wire::dial(self.address.port)?);
            }
            Line::Greet { who } => {
                let mut wire = Wire::dial(self.address.port)?;
                exchange(&mut wire, HEADER, START)?;
                self.wires.insert(*who, wire);
            }
            Line::Open { who, options } => self.open(*who, options)?,
            Line::Drop { who } => drop(self.wires.remove(who).context("it is not connected")?),
            Line::Send { who, text, .. } => self.send(*who, text)?,
            Line::Await { who, text, .. } => *text = self.next(*who)?,
        }
        Ok(line)
    }

    /// Sends a line until what comes is what was expected, and gives that.
    fn repeat(&mut self, line: &Line, expected: &[Line]) -> anyhow::Result<Vec<Line>> {
        let mut came = Vec::new();
        let awaited = harness::eventually(LONG, || {
            self.step(line)?;
            came = expected.iter().map(|line| self.step(line)).collect::<Result<_, _>>()?;
            Ok(came == expected)
        });
        awaited.with_context(|| format!("{} gives {came:?}", line.show()))?;
        Ok(came)
    }

    fn send(&mut self, who: char, text: &str) -> anyhow::Result<()> {
        let line = self.names.fill_in(text);
        self.wire(who)?.send(&line)
    }

    fn next(&mut self, who: char) -> anyhow::Result<String> {
        let line = self.wire(who)?.next()?;
        if line.starts_with("0 connection.close ") {
            self.ends.insert(who, End::Begun);
        } else if line == CLOSED || line == CLOSE_OK {
            self.ends.insert(who, End::Over);
        }
        Ok(self.names.hide(&line))
    }

    fn wire(&mut self, who: char) -> anyhow::Result<&mut Wire> {
        if !self.wires.contains_key(&who) {
            self.open(who, "")?;
        }
        self.wires.get_mut(&who).context("it was just opened")
    }

    /// Connects, with what the options ask for, and opens channel 1.
    fn open(&mut self, who: char, options: &str) -> anyhow::Result<()> {
        let mut wire = Wire::dial(self.address.port)?;
        let [mut heartbeat, mut frame, mut client] = ["0", "131072", CAPABILITIES];
        for option in words(options) {
            match option.split_once('=') {
                Some(("heartbeat", value)) => heartbeat = value,
                Some(("frame", value)) => frame = value,
                Some(("client", value)) => client = value,
                _ if option == "show-heartbeats" => wire.shows_heartbeats = true,
                _ => bail!("no option {option} of open"),
            }
        }
        wire.frame_max = frame.parse()?;
        let vhost = &self.address.vhost;
        let handshake = [
            (HEADER.to_owned(), START),
            (
                format!("0 connection.start-ok client={client} mechanism=PLAIN response=\"\\x00guest\\x00guest\""),
                "0 connection.tune ",
            ),
            (format!("0 connection.tune-ok channels=2047 frame={frame} heartbeat={heartbeat}"), ""),
            (format!("0 connection.open vhost={vhost}"), "0 connection.open-ok"),
            ("1 channel.open".to_owned(), "1 channel.open-ok"),
        ];
        for (request, answer) in handshake {
            exchange(&mut wire, &request, answer)?;
        }
        self.wires.insert(who, wire);
        Ok(())
    }

    /// Closes all connections; gives what else came on them.
    fn finish(&mut self) -> anyhow::Result<Vec<Line>> {
        let mut rest = Vec::new();
        for who in self.wires.keys().copied().collect::<Vec<_>>() {
            let (request, last) = match self.ends.get(&who) {
                Some(End::Over) => continue,
                Some(End::Begun) => (CLOSE_OK, CLOSED),
                None => ("0 connection.close code=200", CLOSE_OK),
            };
            self.send(who, request)?;
            loop {
                let text = self.next(who)?;
                if text == last {
                    break;
                }
                let is_over = text == CLOSED;
                rest.push(Line::Await { who, unordered: false, text });
                if is_over {
                    break;
                }
            }
        }
        Ok(rest)
    }
}
