//! Which messages have left this process: how many of each channel's are written to the socket, to their last byte.
//!
//! amiquip takes a message and writes it in its own time; what it has not written dies with the process.
//! So whoever may forget something only when a message is on its way looks here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a client sends first.
const PROTOCOL_HEADER: usize = 8;
/// Type, channel and size.
const HEAD: usize = 7;
/// What follows the payload.
const END: usize = 1;
const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;
const BODY: u8 = 3;
/// Class and method of `channel.open`.
const CHANNEL_OPEN: [u8; 4] = [0, 20, 0, 10];
/// Class, weight and body size: where a content header says how much follows.
const BODY_SIZE: usize = 12;

/// How many messages of a channel are written.
pub(in crate::broker) type WrittenCount = Arc<AtomicU64>;

/// The counts of a connection's channels, as far as somebody wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct WrittenCounts(Arc<Mutex<BTreeMap<u16, WrittenCount>>>);

impl WrittenCounts {
    /// Counts from now on what is published on this channel, which has just been opened.
    pub(super) fn count(&self, channel: u16) -> WrittenCount {
        let count = WrittenCount::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(channel, Arc::clone(&count));
        count
    }

    fn add(&self, channel: u16) {
        if let Some(count) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&channel) {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Follows the frames that are written.
#[derive(Debug)]
pub(super) struct WrittenFrames {
    counts: WrittenCounts,
    /// The start of the present frame: as much as says what it is.
    start: Vec<u8>,
    /// How much of it is still to be written, when that is known.
    passing: usize,
    /// The channel whose message ends with it.
    ends: Option<u16>,
    /// How much of a body is still to come, where one is on its way.
    bodies: BTreeMap<u16, u64>,
    /// Channels that are being opened.
    opened: Vec<u16>,
}

impl WrittenFrames {
    pub(super) fn new(counts: WrittenCounts) -> Self {
        let (start, bodies, opened) = (Vec::new(), BTreeMap::new(), Vec::new());
        WrittenFrames { counts, start, passing: PROTOCOL_HEADER, ends: None, bodies, opened }
    }

    /// Notes that these bytes are written, the next ones in order; gives the channels that are opened with them.
    pub(super) fn wrote(&mut self, mut bytes: &[u8]) -> impl Iterator<Item = u16> {
        while !bytes.is_empty() {
            if self.passing == 0 {
                bytes = self.begin(bytes);
                continue;
            }
            let passed = self.passing.min(bytes.len());
            self.passing -= passed;
            bytes = &bytes[passed..];
            if self.passing == 0
                && let Some(channel) = self.ends.take()
            {
                self.counts.add(channel);
            }
        }
        self.opened.drain(..)
    }

    /// Takes as much of a frame's start as is there; gives what follows.
    fn begin<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let wanted = HEAD
            + match self.start.first() {
                Some(&CONTENT_HEADER) => BODY_SIZE,
                Some(&METHOD) => CHANNEL_OPEN.len(),
                _ => 0,
            };
        let (taken, rest) = bytes.split_at(bytes.len().min(wanted - self.start.len()));
        self.start.extend_from_slice(taken);
        let Some((&[kind, high, low, a, b, c, d], payload)) = self.start.split_first_chunk::<HEAD>() else {
            return rest;
        };
        let channel = u16::from_be_bytes([high, low]);
        let size = u32::from_be_bytes([a, b, c, d]);
        let left = match kind {
            CONTENT_HEADER => {
                let Some(body) = payload.last_chunk().filter(|_| payload.len() == BODY_SIZE) else { return rest };
                Some(u64::from_be_bytes(*body))
            }
            METHOD => {
                let Some(method) = payload.first_chunk() else { return rest };
                if *method == CHANNEL_OPEN {
                    self.opened.push(channel);
                }
                None
            }
            BODY => self.bodies.remove(&channel).map(|left| left.saturating_sub(size.into())),
            _ => None,
        };
        match left {
            Some(0) => self.ends = Some(channel),
            Some(left) => drop(self.bodies.insert(channel, left)),
            None => {}
        }
        self.passing = (size as usize + END).saturating_sub(payload.len());
        self.start.clear();
        rest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len()).unwrap();
        [&[kind], &channel.to_be_bytes()[..], &size.to_be_bytes(), payload, &[0xce]].concat()
    }

    /// `basic.publish` and its message, whose body is cut into frames of at most this size.
    fn message(channel: u16, body: usize, cut: usize) -> Vec<Vec<u8>> {
        let header = [&[0, 60, 0, 0], &(body as u64).to_be_bytes()[..], &[0x10, 0, 2]].concat();
        let mut frames = vec![frame(1, channel, &[0, 60, 0, 40, 0, 0, 0, 1, b'q', 0]), frame(2, channel, &header)];
        frames.extend(vec![7; body].chunks(cut).map(|part| frame(3, channel, part)));
        frames
    }

    const HEARTBEAT: [u8; 8] = [8, 0, 0, 0, 0, 0, 0, 0xce];

    #[test]
    fn a_message_counts_with_its_last_byte() {
        for body in [0, 1, 10, 25] {
            let counts = WrittenCounts::default();
            let count = counts.count(3);
            let mut frames = WrittenFrames::new(counts);
            _ = frames.wrote(b"AMQP\0\0\x09\x01");
            let bytes = message(3, body, 10).concat();
            let (last, before) = bytes.split_last().unwrap();
            for byte in before {
                _ = frames.wrote(&[*byte]);
                assert_eq!(count.load(Ordering::SeqCst), 0);
            }
            _ = frames.wrote(&[*last]);
            assert_eq!(count.load(Ordering::SeqCst), 1, "with a body of {body} bytes");
        }
    }

    #[test]
    fn a_channel_that_is_opened_again_counts_anew() {
        let counts = WrittenCounts::default();
        let before = counts.count(1);
        let mut frames = WrittenFrames::new(counts.clone());
        _ = frames.wrote(b"AMQP\0\0\x09\x01");
        _ = frames.wrote(&message(1, 4, 10).concat());
        let after = counts.count(1);
        _ = frames.wrote(&message(1, 4, 10).concat());
        assert_eq!((before.load(Ordering::SeqCst), after.load(Ordering::SeqCst)), (1, 1));
    }

    proptest! {
        /// However channels interleave their frames and writes cut them.
        #[test]
        fn every_message_is_counted_for_its_channel(
            messages in proptest::collection::vec((1_u16..4, 0_usize..40, 1_usize..12), 0..20),
            picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..300),
            cuts in proptest::collection::vec(1_usize..50, 1..40),
        ) {
            let counts = WrittenCounts::default();
            let counted: Vec<_> = (1..4).map(|channel| counts.count(channel)).collect();
            let mut expected = vec![0; 3];
            let mut queues = vec![std::collections::VecDeque::new(); 3];
            for (channel, body, cut) in messages {
                queues[usize::from(channel) - 1].extend(message(channel, body, cut));
                expected[usize::from(channel) - 1] += 1;
            }
            let mut bytes = b"AMQP\0\0\x09\x01".to_vec();
            for pick in picks {
                bytes.extend(queues[pick.index(3)].pop_front().unwrap_or(HEARTBEAT.to_vec()));
            }
            queues.into_iter().flatten().for_each(|frame| bytes.extend(frame));
            let mut frames = WrittenFrames::new(counts);
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*cut));
                _ = frames.wrote(now);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let counted: Vec<_> = counted.iter().map(|count| count.load(Ordering::SeqCst)).collect();
            prop_assert_eq!(counted, expected);
        }
    }
}
