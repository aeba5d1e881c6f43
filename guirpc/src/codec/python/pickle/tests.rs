//! What Python writes and reads, and hostile pickles.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{read, write};
use crate::codec::python::value::Value;

fn str(text: &str) -> Value {
    Value::Str(text.to_owned())
}

fn ints(integers: &[i128]) -> Value {
    Value::List(integers.iter().copied().map(Value::Int).collect())
}

#[test]
fn it_is_what_python_writes() {
    // By `pickle.dumps` of Python 3.11.
    let entries = vec![(str("a"), ints(&[1])), (Value::Int(1), Value::Bool(true))];
    let cases: [(Value, &[u8]); 14] = [
        (Value::None, b"\x80\x04N."),
        (Value::Bool(false), b"\x80\x04\x89."),
        (Value::Int(42), b"\x80\x04K*."),
        (Value::Int(256), b"\x80\x04\x95\x04\0\0\0\0\0\0\0M\0\x01."),
        (Value::Int(-1), b"\x80\x04\x95\x06\0\0\0\0\0\0\0J\xff\xff\xff\xff."),
        (Value::Int(1 << 31), b"\x80\x04\x95\x08\0\0\0\0\0\0\0\x8a\x05\0\0\0\x80\0."),
        (Value::Int(-(1 << 39)), b"\x80\x04\x95\x08\0\0\0\0\0\0\0\x8a\x05\0\0\0\0\x80."),
        (Value::Float(1.5), b"\x80\x04\x95\n\0\0\0\0\0\0\0G?\xf8\0\0\0\0\0\0."),
        (str("ni\u{f1}o"), b"\x80\x04\x95\t\0\0\0\0\0\0\0\x8c\x05ni\xc3\xb1o\x94."),
        (Value::Bytes(b"ab".to_vec()), b"\x80\x04\x95\x06\0\0\0\0\0\0\0C\x02ab\x94."),
        (Value::List(vec![]), b"\x80\x04]\x94."),
        (ints(&[1]), b"\x80\x04\x95\x06\0\0\0\0\0\0\0]\x94K\x01a."),
        (ints(&[1, 2]), b"\x80\x04\x95\t\0\0\0\0\0\0\0]\x94(K\x01K\x02e."),
        (Value::Dict(entries), b"\x80\x04\x95\x11\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94K\x01aK\x01\x88u."),
    ];
    for (value, pickle) in cases {
        // A pickle this short has no frame.
        assert_eq!(write(&value), pickle, "{value:?}");
        assert_eq!(read(pickle), Ok(value));
    }
}

#[test]
fn tuples_and_sets_are_lists() {
    let nested = b"\x80\x04\x95\x1f\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(K\x01K\x02K\x03\x86\x94e\x8c\x01b\x94\x8f\x94(K\x04\x90u.";
    let list = Value::List(vec![Value::Int(1), ints(&[2, 3])]);
    assert_eq!(read(nested), Ok(Value::Dict(vec![(str("a"), list), (str("b"), ints(&[4]))])));
}

#[test]
fn what_was_named_before_grows_where_it_was_named() {
    // a = []; (a, a), a.append(1), by a protocol that numbers what it remembers.
    assert_eq!(read(b"\x80\x02]q\x00h\x00\x86q\x01h\x00K\x01a0."), Ok(Value::List(vec![ints(&[1]), ints(&[1])])));
}

#[test]
fn the_last_of_equal_keys_counts() {
    assert_eq!(read(b"}\x8c\x01aK\x01s\x8c\x01aK\x02s."), Ok(Value::Dict(vec![(str("a"), Value::Int(2))])));
}

#[test]
fn long_lists_come_in_batches() {
    let list = ints(&(0..2001).collect::<Vec<_>>());
    let pickle = write(&list);
    assert_eq!(read(&pickle), Ok(list));
}

#[track_caller]
fn refuses(pickle: &[u8], part: &str) {
    let begun = Instant::now();
    let error = read(pickle).expect_err("it is not only data");
    assert!(error.contains(part), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
}

#[test]
fn nothing_is_run() {
    // os.system("id") in three ways, a UUID, an extension, and a name outside the pickle.
    refuses(b"cos\nsystem\n(S'id'\ntR.", "code would have to be run");
    refuses(
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
        "code would have to be run",
    );
    refuses(b"(S'id'\nios\nsystem\n.", "protocol 0");
    refuses(b"(ios\nsystem\n.", "code would have to be run");
    refuses(b"\x80\x04\x8c\x04uuid\x94\x8c\x04UUID\x94\x93\x94)\x81\x94}\x94\x8c\x03int\x94K\x05sb.", "code");
    refuses(b"\x80\x02\x82\x01.", "code would have to be run");
    refuses(b"Psomewhere\n.", "code would have to be run");
    refuses(b"not a pickle", "invalid load key, 'n'.");
    refuses(b"\xff", "invalid load key, '\\xff'.");
}

#[test]
fn announced_lengths_take_no_memory() {
    refuses(b"\x80\x04X\xff\xff\xff\xffa", "truncated");
    refuses(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffa", "truncated");
    refuses(b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fa", "truncated");
    refuses(b"\x80\x04\x8b\xff\xff\xff\x7fa", "truncated");
    refuses(b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff", "truncated");
    assert_eq!(read(b"Nr\xff\xff\xff\xff."), Ok(Value::None));
    refuses(&[&b"\x8a\xff"[..], &[1; 255], b"."].concat(), "128 bits");
    refuses(b"", "truncated");
    refuses(b".", "underflow");
    refuses(b"(N0.", "underflow");
    refuses(b"e.", "MARK");
    refuses(b"K\x01K\x02a.", "no list");
    refuses(b"](K\x01u.", "odd number");
    refuses(b"h\x05.", "not found at index 5");
}

#[test]
fn depth_and_circles_are_bounded() {
    refuses(&[vec![b']'; 1_000_000], vec![b'a'; 999_999], b".".to_vec()].concat(), "nested 128 levels");
    refuses(&[b"N".to_vec(), vec![0x85; 1_000_000], b".".to_vec()].concat(), "nested 128 levels");
    // A list that holds itself.
    refuses(b"\x80\x04]\x94h\x00a.", "nested 128 levels");
}

#[test]
fn what_is_named_again_and_again_is_counted_each_time() {
    // Each list holds the one before it ten times.
    let mut laughs = b"\x80\x02\x8c\x03lolq\x00".to_vec();
    for level in 0..20 {
        laughs.push(b'(');
        laughs.extend([b'h', level].repeat(10));
        laughs.extend([b'l', b'q', level + 1]);
    }
    laughs.push(b'.');
    refuses(&laughs, "more than 1048576 values");
    let text = [&b"\x80\x02X\x00\x00\x10\x00"[..], &vec![b'x'; 1 << 20], b"q\x00("].concat();
    refuses(&[text, b"h\x00".repeat(10_000), b"l.".to_vec()].concat(), "64 MiB");
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i128>().prop_map(Value::Int),
        any::<i16>().prop_map(|integer| Value::Int(integer.into())),
        ((i128::MAX as u128 + 1)..).prop_map(|integer| Value::Huge(integer.to_string())),
        any::<f64>().prop_filter("NaN is not equal to itself", |float| !float.is_nan()).prop_map(Value::Float),
        any::<String>().prop_map(Value::Str),
        any::<Vec<u8>>().prop_map(Value::Bytes),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        let dict = proptest::collection::btree_map(any::<String>(), inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::List),
            dict.prop_map(|dict| Value::Dict(dict.into_iter().map(|(key, value)| (Value::Str(key), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in any_value()) {
        prop_assert_eq!(read(&write(&value)), Ok(value));
    }

    #[test]
    fn anything_can_be_read(pickle in any::<Vec<u8>>()) {
        let _ = read(&pickle);
    }

    #[test]
    fn any_program_can_be_read(
        pickle in proptest::collection::vec(proptest::sample::select(b"(N0]}aeusdlt1K2\x85\x86\x94h\x00\x01.".to_vec()), 0..60)
    ) {
        let _ = read(&pickle);
    }
}
