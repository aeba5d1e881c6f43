//! A publisher that sends any bytes as a message's properties, as a hostile or a broken one can.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, bail};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::service::LONG;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const FRAME_END: u8 = 0xCE;
/// How much of a body is put into a frame; brokers take up to 128 KiB.
const CHUNK: usize = 64 << 10;

/// A connection with one channel.
pub(crate) struct Publisher(TcpStream);

impl Publisher {
    pub(crate) fn connect(uri: &str) -> anyhow::Result<Self> {
        let uri = Url::parse(uri)?;
        let vhost = percent_decode_str(uri.path().trim_start_matches('/')).collect::<Vec<u8>>();
        let stream = TcpStream::connect((uri.host_str().context("no host")?, uri.port().context("no port")?))?;
        stream.set_read_timeout(Some(LONG))?;
        let mut publisher = Publisher(stream);
        publisher.0.write_all(b"AMQP\0\0\x09\x01")?;
        publisher.expect([10, 10])?;
        let start_ok = [&[0; 4], &short(b"PLAIN")[..], &long(b"\0guest\0guest"), &short(b"en_US")].concat();
        publisher.method(0, [10, 11], &start_ok)?;
        let tune = publisher.expect([10, 30])?;
        publisher.method(0, [10, 31], &tune)?;
        publisher.method(0, [10, 40], &[&short(&vhost)[..], &[0, 0]].concat())?;
        publisher.expect([10, 41])?;
        publisher.method(1, [20, 10], &[0])?;
        publisher.expect([20, 11])?;
        Ok(publisher)
    }

    /// Publishes to the default exchange; `flags` announce which properties there are.
    pub(crate) fn publish(
        &mut self,
        routing_key: &[u8],
        flags: u16,
        properties: &[u8],
        body: &[u8],
    ) -> anyhow::Result<()> {
        self.method(1, [60, 40], &[&[0, 0, 0], &short(routing_key)[..], &[0]].concat())?;
        let size = u64::try_from(body.len())?.to_be_bytes();
        let header = [&[0, 60, 0, 0], &size[..], &flags.to_be_bytes(), properties].concat();
        self.frame(HEADER, 1, &header)?;
        body.chunks(CHUNK).try_for_each(|chunk| self.frame(BODY, 1, chunk))
    }

    /// Waits until the broker has taken everything that was published; fails if it has refused any of it.
    pub(crate) fn close(mut self) -> anyhow::Result<()> {
        self.method(1, [20, 40], &[0; 7])?;
        self.expect([20, 41]).map(drop)
    }

    fn method(&mut self, channel: u8, [class, method]: [u8; 2], arguments: &[u8]) -> anyhow::Result<()> {
        self.frame(METHOD, channel, &[&[0, class, 0, method], arguments].concat())
    }

    fn frame(&mut self, kind: u8, channel: u8, payload: &[u8]) -> anyhow::Result<()> {
        let size = u32::try_from(payload.len())?.to_be_bytes();
        Ok(self.0.write_all(&[&[kind, 0, channel], &size[..], payload, &[FRAME_END]].concat())?)
    }

    /// Reads a method, which has to be this one, and returns its arguments.
    fn expect(&mut self, [class, method]: [u8; 2]) -> anyhow::Result<Vec<u8>> {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).context("the broker has closed the connection")?;
        let [_, _, _, size @ ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes(size))? + 1];
        self.0.read_exact(&mut payload)?;
        payload.pop();
        match payload.strip_prefix(&[0, class, 0, method]) {
            Some(arguments) => Ok(arguments.to_vec()),
            None => bail!("not {class}.{method} but {:?}", String::from_utf8_lossy(&payload)),
        }
    }
}

/// A text after its length in one byte.
pub(crate) fn short(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short strings have at most 255 bytes");
    [&[length], text].concat()
}

/// A text, a table or an array after its length in four bytes.
pub(crate) fn long(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a frame has no 4 GiB");
    [&length.to_be_bytes(), content].concat()
}
