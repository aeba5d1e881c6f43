//! A client that sends what a script says, right or wrong, and shows every frame that comes back as one line.

pub(crate) mod fields;
pub(crate) mod methods;
pub(crate) mod table;
pub(crate) mod text;

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use self::methods::{decode_header, decode_method, encode_header, encode_method};
use self::text::{quote, raw, unquote, words};

/// What a connection shows when the broker has closed it.
pub(crate) const CLOSED: &str = "closed";

/// How long anything may take that a script awaits.
pub(crate) const LONG: Duration = Duration::from_secs(30);

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
const FRAME_END: u8 = 0xCE;

/// What a frame has beside its payload.
const OVERHEAD: usize = 8;

/// A connection to a broker.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
    /// The size above which this client splits a body.
    pub(crate) frame_max: usize,
    pub(crate) shows_heartbeats: bool,
}

struct Frame {
    kind: u8,
    channel: u16,
    payload: Vec<u8>,
}

impl Wire {
    pub(crate) fn dial(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LONG))?;
        Ok(Self { stream: BufReader::new(stream), frame_max: 131_072, shows_heartbeats: false })
    }

    /// Sends what a line of a script says.
    pub(crate) fn send(&mut self, line: &str) -> anyhow::Result<()> {
        let mut words = words(line);
        let first = words.remove(0);
        let bytes = match first {
            "bytes" => concat(&words)?,
            "heartbeat" => frame(HEARTBEAT, 0, &[])?,
            "frame" => {
                let (kind, channel) = (words.remove(0).parse()?, words.remove(0).parse()?);
                frame(kind, channel, &concat(&words)?)?
            }
            channel => self.on_channel(channel.parse().with_context(|| format!("no channel {channel}"))?, words)?,
        };
        match self.stream.get_mut().write_all(&bytes) {
            // What it had to say before it closed the connection can still be read.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Ok(()),
            other => Ok(other?),
        }
    }

    /// What comes next: a frame, or a message with all its frames.
    pub(crate) fn next(&mut self) -> anyhow::Result<String> {
        loop {
            let Some(first) = self.read(1)? else { return Ok(CLOSED.to_owned()) };
            if first == b"A" {
                let rest = self.read(7)?.context("half a protocol header")?;
                return Ok(format!("bytes \"AMQP\" {}", hex(&rest[3..])));
            }
            let Some(frame) = self.frame(first[0])? else { return Ok(CLOSED.to_owned()) };
            if frame.kind != HEARTBEAT || self.shows_heartbeats {
                return self.show(&frame);
            }
        }
    }

    fn on_channel(&self, channel: u16, mut words: Vec<&str>) -> anyhow::Result<Vec<u8>> {
        let body = words.iter().position(|word| word.starts_with("body=")).map(|at| words.remove(at));
        let body = body.map(|body| unquote(&body["body=".len()..])).transpose()?;
        let name = words.remove(0);
        let bytes = match (name, body) {
            ("header", _) => {
                let number = |word: &str| word.split('=').nth(1).unwrap_or_default().parse::<u64>();
                let (class, size) = (number(words.remove(0))?, number(words.remove(0))?);
                frame(HEADER, channel, &encode_header(class.try_into()?, size, &mut words)?)?
            }
            ("body", _) => frame(BODY, channel, &raw(words.remove(0))?)?,
            (name, None) => frame(METHOD, channel, &encode_method(name, &mut words)?)?,
            (name, Some(body)) => {
                let mut bytes = frame(METHOD, channel, &encode_method(name, &mut words)?)?;
                bytes.extend(frame(HEADER, channel, &encode_header(60, u64::try_from(body.len())?, &mut words)?)?);
                for chunk in body.chunks(self.frame_max - OVERHEAD) {
                    bytes.extend(frame(BODY, channel, chunk)?);
                }
                bytes
            }
        };
        ensure!(words.is_empty(), "{name} has no {}", words.join(" "));
        Ok(bytes)
    }

    fn show(&mut self, frame: &Frame) -> anyhow::Result<String> {
        let channel = frame.channel;
        if frame.kind != METHOD {
            let kind = frame.kind;
            return Ok(if kind == HEARTBEAT { "heartbeat".to_owned() } else { format!("{channel} frame {kind}") });
        }
        let method = decode_method(&frame.payload)?;
        let name = method.split(' ').next().unwrap_or_default();
        if !matches!(name, "basic.return" | "basic.deliver" | "basic.get-ok") {
            return Ok(format!("{channel} {method}"));
        }
        let header = self.content(HEADER, channel)?;
        let (size, properties) = decode_header(&header)?;
        let (mut body, mut frames) = (Vec::new(), 0);
        while u64::try_from(body.len())? < size {
            body.extend(self.content(BODY, channel)?);
            frames += 1;
        }
        let mut words = vec![format!("{channel} {method} body={}", quote(&body))];
        words.extend(properties);
        if frames > 1 {
            words.push(format!("frames={frames}"));
        }
        Ok(words.join(" "))
    }

    /// The next frame, which has to be a part of the message that has begun.
    fn content(&mut self, kind: u8, channel: u16) -> anyhow::Result<Vec<u8>> {
        let first = self.read(1)?.context("it ends in a message")?[0];
        let frame = self.frame(first)?.context("it ends in a message")?;
        ensure!((frame.kind, frame.channel) == (kind, channel), "frame {} comes in a message", frame.kind);
        Ok(frame.payload)
    }

    fn frame(&mut self, kind: u8) -> anyhow::Result<Option<Frame>> {
        let Some(head) = self.read(6)? else { return Ok(None) };
        let size = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
        let Some(mut payload) = self.read(usize::try_from(size)? + 1)? else { return Ok(None) };
        ensure!(payload.pop() == Some(FRAME_END), "a frame without its end");
        Ok(Some(Frame { kind, channel: u16::from_be_bytes([head[0], head[1]]), payload }))
    }

    /// That many bytes, or nothing once the connection is closed.
    fn read(&mut self, length: usize) -> anyhow::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; length];
        match self.stream.read_exact(&mut bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(error) => match error.kind() {
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Ok(None),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => bail!("nothing came within {LONG:?}"),
                _ => Err(error.into()),
            },
        }
    }
}

fn frame(kind: u8, channel: u16, payload: &[u8]) -> anyhow::Result<Vec<u8>> {
    let size = u32::try_from(payload.len())?.to_be_bytes();
    Ok([&[kind], &channel.to_be_bytes()[..], &size, payload, &[FRAME_END]].concat())
}

fn concat(words: &[&str]) -> anyhow::Result<Vec<u8>> {
    Ok(words.iter().map(|word| raw(word)).collect::<anyhow::Result<Vec<_>>>()?.concat())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
