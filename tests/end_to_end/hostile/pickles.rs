//! Pickles of every nastiness, none of which is ever run.

/// Each with what is wrong with it.
pub(super) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = programs();
    all.extend(structures());
    all
}

/// What Python would run.
fn programs() -> Vec<(&'static str, Vec<u8>)> {
    let pickles: [(&str, &[u8]); 11] = [
        ("a command", b"cos\nsystem\n(S'touch /tmp/owned'\ntR."),
        ("a command by the stack", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R."),
        ("an instance", b"(S'id'\nios\nsystem\n."),
        ("an object", b"(cos\nsystem\nS'id'\no."),
        ("a new object", b"\x80\x02cos\nsystem\n)\x81."),
        ("a new object by names", b"\x80\x04cos\nsystem\n)}\x92."),
        ("a state", b"\x80\x02cos\nsystem\n)\x81}b."),
        ("an extension", b"\x80\x02\x82\x01."),
        ("an extension of four bytes", b"\x80\x02\x84\xff\xff\xff\x7f."),
        ("a persistent object", b"Pid\n."),
        ("a persistent object by the stack", b"S'id'\nQ."),
    ];
    pickles.map(|(name, pickle)| (name, pickle.to_vec())).into()
}

/// What takes time, memory or a stack.
fn structures() -> Vec<(&'static str, Vec<u8>)> {
    let repeated =
        |before: &[u8], part: &[u8], times: usize, after: &[u8]| [before, &part.repeat(times), after].concat();
    // Each list holds the one before it ten times: 10^n elements out of a few bytes.
    let mut laughs = b"\x80\x02]q\0".to_vec();
    for n in 0_u8..60 {
        laughs.extend([b"]q", &[n + 1][..], b"(", &[b'h', n].repeat(10), b"e"].concat());
    }
    laughs.push(b'.');
    vec![
        ("nothing", vec![]),
        ("only the end", b".".to_vec()),
        ("no end", b"\x80\x04]".to_vec()),
        ("an unknown protocol", b"\x80\xff].".to_vec()),
        ("an unknown code", b"\x80\x04\xff.".to_vec()),
        ("a billion laughs", laughs),
        ("a list of itself", b"\x80\x02]q\0h\0a.".to_vec()),
        ("a dictionary of itself", b"\x80\x02}q\0K\x01h\0s.".to_vec()),
        ("lists in lists", repeated(b"\x80\x02", b"]", 100_000, &[&b"a".repeat(99_999)[..], b"."].concat())),
        ("tuples in tuples", repeated(b"\x80\x02)", b"\x85", 200_000, b".")),
        ("marks", repeated(b"\x80\x02", b"(", 1_000_000, b".")),
        ("doubled again and again", repeated(b"\x80\x02]", b"2\x86", 100, b".")),
        ("taken from an empty stack", b"\x80\x02000.".to_vec()),
        ("taken beyond a mark", b"\x80\x02(0000.".to_vec()),
        ("a place that holds nothing", b"\x80\x02h\xff.".to_vec()),
        ("a place far away", b"\x80\x02]r\xff\xff\xff\xff.".to_vec()),
        ("a place of digits", repeated(b"]p", b"9", 100_000, b"\n.")),
        ("a text without an end", b"S'abc".to_vec()),
        ("a text of escapes", repeated(b"S'", b"\\xff\\u", 10_000, b"'\n.")),
        ("a text of four gigabytes", b"\x80\x02X\xff\xff\xff\xffabc.".to_vec()),
        ("a text of more than there is", b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.".to_vec()),
        ("bytes of more than there is", b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.".to_vec()),
        ("an array of more than there is", b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7fabc.".to_vec()),
        ("a buffer from elsewhere", b"\x80\x05\x97\x98.".to_vec()),
        ("a frame beyond the end", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff].".to_vec()),
        ("frames in frames", repeated(b"\x80\x04", b"\x95\x01\0\0\0\0\0\0\0", 10_000, b"].")),
        ("an integer of a million digits", repeated(b"L", b"9", 1_000_000, b"L\n.")),
        (
            "an integer of a million bytes",
            [b"\x80\x02\x8b\x40\x42\x0f\0".to_vec(), vec![0x7f; 1_000_000], b".".to_vec()].concat(),
        ),
        ("an integer of less than no bytes", b"\x80\x02\x8b\xff\xff\xff\xff.".to_vec()),
        ("a number that is none", b"Fnan\n.".to_vec()),
        ("a number that is no text", b"Iabc\n.".to_vec()),
        ("a list as a key", b"\x80\x02}]K\x01s.".to_vec()),
        ("a key without a value", b"\x80\x02}(K\x01u.".to_vec()),
        ("values for what is no dictionary", b"\x80\x02K\x01(K\x01K\x02u.".to_vec()),
        ("a million keys", repeated(b"\x80\x02}(", b"K\x01K\x02", 500_000, b"u.")),
        ("a text that is not UTF-8", b"\x80\x02X\x02\0\0\0\xff\xfe.".to_vec()),
    ]
}
