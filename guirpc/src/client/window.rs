//! How much may be published without waiting for the broker to read. Pure data, no I/O, no clock.
//!
//! amiquip takes everything at once as long as it has no more than so many bytes to write; beyond that it holds so many
//! frames for each channel, and then has publishers wait for as long as the broker takes.
//! The broker reads a channel in order, so whatever comes back for a message proves that all before it were read:
//! its reply, its return, its confirm. Where nothing comes back for a while, a probe is published, which is returned.

use crate::broker::{RequestChannel, Size};

/// Bytes that amiquip writes without ever making a publisher wait for the broker, over all channels.
const BYTES: u64 = 1 << 20;
/// Frames beyond that: a quarter of what amiquip holds for a channel, so that no more than 8 MiB are handed over at once.
const FRAMES: u64 = 64;

/// Which of the two channels of a client a message is published on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// The one without confirms.
    Plain,
    /// The one on which the broker confirms what it has taken.
    Confirming,
}

impl Via {
    pub(super) const BOTH: [Via; 2] = [Via::Plain, Via::Confirming];
}

/// Everything that was published on a channel up to a message, with it.
pub(super) type Mark = Size;

/// What the broker may not have read yet, on both channels of a connection.
#[derive(Debug, Default)]
pub(super) struct Window {
    channels: [Channel; 2],
}

#[derive(Debug, Default)]
struct Channel {
    published: Mark,
    read: Mark,
    /// The probe that is under way.
    probe: Option<Mark>,
}

impl Channel {
    fn unread(&self) -> Size {
        Size { bytes: self.published.bytes - self.read.bytes, frames: self.published.frames - self.read.frames }
    }
}

impl Window {
    fn channel(&mut self, via: Via) -> &mut Channel {
        &mut self.channels[via as usize]
    }

    fn unread_bytes(&self) -> u64 {
        self.channels.iter().map(|channel| channel.unread().bytes).sum()
    }

    /// Whether a message of this size can be published at once.
    pub(super) fn has_room(&self, via: Via, size: Size) -> bool {
        let frames = self.channels[via as usize].unread().frames;
        frames == 0 || self.unread_bytes() + size.bytes <= BYTES || frames + size.frames <= FRAMES
    }

    /// Counts a message that is being published.
    pub(super) fn publish(&mut self, via: Via, size: Size) -> Mark {
        let Mark { bytes, frames } = &mut self.channel(via).published;
        *bytes += size.bytes;
        *frames += size.frames;
        Mark { bytes: *bytes, frames: *frames }
    }

    /// Whether the broker has read everything up to here.
    pub(super) fn has_read(&self, via: Via, mark: Mark) -> bool {
        mark.frames <= self.channels[via as usize].read.frames
    }

    /// Notes that the broker has read everything up to here.
    pub(super) fn read(&mut self, via: Via, mark: Mark) {
        let channel = self.channel(via);
        if mark.frames > channel.read.frames {
            channel.read = mark;
        }
    }

    /// The channel on which to ask what has been read, if there is one: much was published, or something waits for
    /// room, and nothing came back.
    ///
    /// The probe counts as published.
    pub(super) fn begin_probe(&mut self, something_waits: bool) -> Option<Via> {
        let is_much = |channel: &Channel| {
            let unread = channel.unread();
            unread.bytes > BYTES / 2 || (something_waits && unread.frames > 0)
        };
        Via::BOTH
            .into_iter()
            .find(|via| {
                let channel = &self.channels[*via as usize];
                channel.probe.is_none() && is_much(channel)
            })
            .inspect(|via| self.probe(*via))
    }

    /// Counts a probe that is being published.
    pub(super) fn probe(&mut self, via: Via) {
        let mark = self.publish(via, RequestChannel::PROBE);
        self.channel(via).probe = Some(mark);
    }

    /// The probe has come back.
    pub(super) fn probed(&mut self, via: Via) {
        if let Some(mark) = self.channel(via).probe.take() {
            self.read(via, mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { bytes: 400, frames: 3 };
    const LARGE: Size = Size { bytes: 4 << 20, frames: 34 };

    fn fill(window: &mut Window, via: Via) -> u64 {
        let mut published = 0;
        while window.has_room(via, SMALL) {
            window.publish(via, SMALL);
            published += 1;
        }
        published
    }

    #[test]
    fn there_is_room_for_what_nobody_need_wait_for() {
        let mut window = Window::default();
        assert_eq!(fill(&mut window, Via::Plain), BYTES / SMALL.bytes, "small ones count by their bytes");
        assert!(!window.has_room(Via::Plain, LARGE));
        let mut window = Window::default();
        assert!(
            window.has_room(Via::Plain, Size { bytes: 1 << 30, frames: 8194 }),
            "one goes alone, whatever its size"
        );
        window.publish(Via::Plain, LARGE);
        assert!(!window.has_room(Via::Plain, LARGE), "large ones count by their frames");
        assert!(window.has_room(Via::Plain, SMALL));
    }

    #[test]
    fn the_channels_share_the_bytes_and_not_the_frames() {
        let mut window = Window::default();
        fill(&mut window, Via::Plain);
        assert_eq!(fill(&mut window, Via::Confirming), FRAMES / SMALL.frames);
    }

    #[test]
    fn what_comes_back_proves_what_lies_before_it() {
        let mut window = Window::default();
        let first = window.publish(Via::Plain, SMALL);
        let second = window.publish(Via::Plain, SMALL);
        window.read(Via::Plain, second);
        assert_eq!(window.unread_bytes(), 0);
        window.read(Via::Plain, first);
        assert_eq!(window.unread_bytes(), 0, "what was read stays read");
    }

    #[test]
    fn where_nothing_comes_back_a_probe_does() {
        let mut window = Window::default();
        assert_eq!(window.begin_probe(false), None, "there is nothing to ask about");
        fill(&mut window, Via::Plain);
        assert_eq!(window.begin_probe(false), Some(Via::Plain));
        assert_eq!(window.begin_probe(false), None, "one is enough");
        window.probed(Via::Plain);
        assert_eq!(window.unread_bytes(), 0);
        assert!(window.has_room(Via::Plain, SMALL));
    }
}
