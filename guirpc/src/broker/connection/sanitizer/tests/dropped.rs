//! Bodies of deliveries that are too large are dropped, wherever the stream is cut, and nothing else is.

use super::super::super::body_limit::BodyLimit;
use super::*;

const LIMIT: usize = 20;

fn on(channel: u8, mut frame: Vec<u8>) -> Vec<u8> {
    frame[2] = channel;
    frame
}

fn delivery(tag: u8) -> Vec<u8> {
    let mut frame = deliver(b"key");
    // Behind the head, the method, and the consumer tag.
    frame[7 + 4 + 4 + 7] = tag;
    frame
}

fn header(bytes: usize) -> Vec<u8> {
    let size = u64::try_from(bytes).unwrap().to_be_bytes();
    frame(2, &[&[0, 60, 0, 0], &size[..], &CORRELATION_ID.to_be_bytes(), b"\x02id"].concat())
}

/// A message of so many bytes, in frames of at most so many, each by itself.
fn content(bytes: usize, cut: usize) -> Vec<Vec<u8>> {
    let body = vec![0xCE; bytes];
    [header(bytes)].into_iter().chain(body.chunks(cut).map(|part| frame(3, part))).collect()
}

/// What becomes of one message: what comes in, what goes out.
fn message(tag: u8, bytes: usize, cut: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let comes = [vec![delivery(tag)], content(bytes, cut)].concat();
    let goes = if bytes > LIMIT { vec![delivery(tag), header(0)] } else { comes.clone() };
    (comes, goes)
}

fn heard() -> Heard {
    let heard = Heard::default();
    heard.dropped_bodies().limit(&BodyLimit::new(LIMIT));
    heard
}

/// The sizes that were noted for these deliveries.
fn sizes(heard: &Heard, channel: u16, tags: impl IntoIterator<Item = u64>) -> Vec<Option<u64>> {
    tags.into_iter().map(|tag| heard.dropped_bodies().of(channel).take(tag)).collect()
}

proptest! {
    /// However the frames of channels alternate, and the stream is cut.
    #[test]
    fn bodies_that_are_too_large_are_dropped(
        messages in vec((1_u8..4, 0_usize..60, 1_usize..12), 0..12),
        picks in vec(any::<prop::sample::Index>(), 200),
        cuts in vec(1_usize..50, 1..20),
        buffer in 1_usize..100,
    ) {
        let mut queues = vec![VecDeque::new(); 3];
        let mut expected = vec![Vec::new(); 3];
        for (tag, (channel, bytes, cut)) in (1..).zip(&messages) {
            let (comes, goes) = message(tag, *bytes, *cut);
            let place = usize::from(*channel) - 1;
            queues[place].extend(comes.into_iter().map(|frame| on(*channel, frame)));
            expected[place].extend(goes.into_iter().flat_map(|frame| on(*channel, frame)));
        }
        let picks = picks.iter().map(|pick| pick.index(3)).chain((0..600).map(|n| n % 3));
        let all: Vec<u8> = picks.filter_map(|place| queues[place].pop_front()).flatten().collect();
        prop_assert!(queues.iter().all(VecDeque::is_empty));
        let (mut pieces, mut rest) = (Vec::new(), &all[..]);
        for cut in cuts.iter().cycle().take(all.len()) {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            if !now.is_empty() {
                pieces.extend([now.to_vec(), Vec::new()]);
            }
            rest = later;
        }
        let heard = heard();
        let out = read_all_of(sanitizer_that_notes(pieces, Requests::default(), heard.clone()), buffer);
        let mut by_channel = vec![Vec::new(); 3];
        let mut rest = &out[..];
        while !rest.is_empty() {
            let (frame, after) = rest.split_at(length(rest));
            by_channel[usize::from(frame[2]) - 1].extend_from_slice(frame);
            rest = after;
        }
        prop_assert_eq!(by_channel, expected);
        for (tag, (channel, bytes, _)) in (1..).zip(messages) {
            let noted = u64::try_from(bytes).ok().filter(|_| bytes > LIMIT);
            prop_assert_eq!(sizes(&heard, channel.into(), [tag]), [noted]);
        }
    }
}

/// Of the whole frame that begins so.
fn length(start: &[u8]) -> usize {
    let Frame { checked_at_once, rest: Rest::Passes(rest) | Rest::Skipped(rest) } = Frame::starting_with(start);
    checked_at_once + rest
}

#[test]
fn a_channel_that_ends_within_a_body_takes_nothing_of_the_next() {
    let (closed, opened) = (frame(METHOD, b"\0\x14\0\x29"), frame(METHOD, b"\0\x14\0\x0b\0\0\0\0"));
    let (_, small) = message(1, 5, 5);
    let comes = [&delivery(1)[..], &header(99), &frame(3, &[0; 9]), &closed, &opened, &small.concat()].concat();
    let goes = [&delivery(1)[..], &header(0), &closed, &opened, &small.concat()].concat();
    let heard = heard();
    assert_eq!(read_all_of(sanitizer_that_notes([comes], Requests::default(), heard.clone()), 4096), goes);
    assert_eq!(sizes(&heard, 1, [1]), [None], "it is another delivery now");
}

#[test]
fn what_is_asked_for_is_dropped_as_well() {
    let mut got = get_ok(b"key");
    // Behind the head and the method.
    got[11..19].copy_from_slice(&7_u64.to_be_bytes());
    let (comes, goes) = ([&got[..], &content(99, 50).concat()].concat(), [&got[..], &header(0)].concat());
    let heard = heard();
    assert_eq!(read_all_of(sanitizer_that_notes([comes], Requests::default(), heard.clone()), 4096), goes);
    assert_eq!(sizes(&heard, 1, [7]), [Some(99)]);
}

#[test]
fn what_is_returned_is_not_dropped() {
    let comes = [vec![frame(METHOD, b"\0\x3c\0\x32\x01\x38\0\0\0")], content(99, 50)].concat().concat();
    assert_eq!(read_all_of(sanitizer_that_notes([comes.clone()], Requests::default(), heard()), 4096), comes);
}

#[test]
fn without_a_limit_nothing_is_dropped_and_one_that_is_raised_holds_at_once() {
    let (comes, _) = message(1, 99, 50);
    let comes = comes.concat();
    assert_eq!(sanitized(&comes), comes);
    let (heard, limit) = (Heard::default(), BodyLimit::new(LIMIT));
    heard.dropped_bodies().limit(&limit);
    limit.raise(99);
    limit.raise(5);
    assert_eq!(read_all_of(sanitizer_that_notes([comes.clone()], Requests::default(), heard), 4096), comes);
}
