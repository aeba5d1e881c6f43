//! What any client writes is what the function gets, and what the function returns is what any client reads.
//!
//! The bodies are written and read by the codecs' own crates, not by guirpc.

use std::sync::LazyLock;

use guirpc::{Codec, Dispatcher};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::functions::{Everything, Term};
use crate::service::{NOW, dispatcher, output, raw_request, request};

static DISPATCHER: LazyLock<Dispatcher> = LazyLock::new(dispatcher);

const BOTH: [Codec; 2] = [Codec::MessagePack, Codec::Json];

fn term() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        Just(Term::Zero),
        any::<i32>().prop_map(Term::Number),
        any::<(i32, i32)>().prop_map(|(left, right)| Term::Pair(left, right)),
        any::<String>().prop_map(|name| Term::Named { name }),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![inner.clone().prop_map(|term| Term::Not(Box::new(term))), vec(inner, 0..4).prop_map(Term::Sum),]
    })
}

prop_compose! {
    fn everything()(
        (flag, small, large) in any::<(bool, i8, u64)>(),
        // JSON has neither infinities nor NaN.
        (number, ratio) in (prop::num::f64::NORMAL | prop::num::f64::ZERO, prop::num::f32::NORMAL),
        (letter, text, bytes, short, four) in any::<(char, String, Vec<u8>, i16, [u8; 4])>(),
        perhaps in option::of(vec(any::<String>(), 0..4)),
        rows in vec(vec(any::<u32>(), 0..4), 0..4),
        names in btree_map(any::<String>(), any::<i32>(), 0..4),
        term in term(),
    ) -> Everything {
        let pair = (short, ratio);
        Everything { flag, small, large, number, letter, text, bytes, pair, four, perhaps, rows, names,
            nothing: (), term }
    }
}

/// What comes back from a function that returns its only argument.
fn returned<T: Serialize + DeserializeOwned>(codec: Codec, function: &str, argument: &T) -> T {
    output(&DISPATCHER.dispatch(&request(codec, function, &[argument]), NOW))
}

fn returned_raw(codec: Codec, function: &str, argument: &[u8]) -> Vec<u8> {
    DISPATCHER.dispatch(&raw_request(codec, function, argument), NOW).body
}

proptest! {
    #[test]
    fn everything_comes_back(value in everything()) {
        for codec in BOTH {
            prop_assert_eq!(&returned(codec, "everything", &value), &value, "{:?}", codec);
        }
    }

    #[test]
    fn every_text_comes_back(text: String) {
        for codec in BOTH {
            prop_assert_eq!(&returned(codec, "same_text", &text), &text);
        }
        prop_assert_eq!(returned_raw(Codec::Text, "same_text", text.as_bytes()), text.as_bytes());
    }

    #[test]
    fn all_bytes_come_back(bytes: Vec<u8>) {
        for codec in BOTH {
            prop_assert_eq!(&returned(codec, "same_bytes", &bytes), &bytes);
        }
        prop_assert_eq!(&returned_raw(Codec::OctetStream, "same_bytes", &bytes), &bytes);
    }

    #[test]
    fn every_number_comes_back(number in prop::num::f64::ANY) {
        prop_assert_eq!(returned(Codec::MessagePack, "same_number", &number).to_bits(), number.to_bits());
        let as_text = returned_raw(Codec::Text, "same_number", number.to_string().as_bytes());
        prop_assert_eq!(String::from_utf8(as_text).unwrap(), number.to_string());
    }

    #[test]
    fn every_integer_of_64_bits_comes_back_as_one_of_128(number: u64) {
        for codec in BOTH {
            prop_assert_eq!(returned(codec, "same_integer", &number), number);
        }
    }

    #[test]
    fn every_integer_of_128_bits_comes_back_in_json(number: u128) {
        prop_assert_eq!(returned_raw(Codec::Json, "same_integer", format!("[{number}]").as_bytes()), number.to_string().into_bytes());
    }

    #[test]
    fn every_option_comes_back(number: Option<u8>) {
        for codec in BOTH {
            prop_assert_eq!(returned(codec, "perhaps", &number), number);
        }
    }
}
