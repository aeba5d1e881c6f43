//! What a stub sends is what the function gets, and what the function returns is what the stub yields.
//!
//! A codec that cannot carry a value fails when it is sent, never afterwards.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Codec, Format};
use crate::arguments::{BytesArgument, TextArgument, UnknownNames};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: Option<u8>,
    picture: Vec<u8>,
}

#[guirpc::function(service = "guirpc")]
fn everything(text: &str, bytes: &[u8], user: User, counts: BTreeMap<String, Vec<i32>>);
#[guirpc::function(service = "guirpc")]
fn say(text: &str);
#[guirpc::function(service = "guirpc")]
fn sum(bytes: &[u8]);
#[guirpc::function(service = "guirpc")]
fn sleep(milliseconds: u64);

const ALL: [Codec; 4] = Codec::ALL;

/// Floats that are the same if their bits are, save those that tell one NaN from another.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bits(f64);
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bits32(f32);

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits() || (self.0.is_nan() && other.0.is_nan())
    }
}

impl PartialEq for Bits32 {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits() || (self.0.is_nan() && other.0.is_nan())
    }
}

/// The value comes back, or cannot be sent.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(codec: Codec, value: &T) -> Result<bool, TestCaseError> {
    let Ok(encoded) = codec.encode_value(value) else { return Ok(false) };
    let decoded = codec.decode::<T>(&encoded).map_err(|error| TestCaseError::fail(format!("{codec:?}: {error}")))?;
    prop_assert_eq!(&decoded, value, "{:?}: {:?}", codec, encoded);
    Ok(true)
}

proptest! {
    #[test]
    fn arguments(text: String, bytes: Vec<u8>, age: Option<u8>, counts: BTreeMap<String, Vec<i32>>) {
        let user = User { name: text.clone(), age, picture: bytes.clone() };
        let sent = (TextArgument::new(&text), BytesArgument::new(&bytes), user, counts);
        for codec in [Codec::MessagePack, Codec::Json] {
            let body = codec.encode_arguments::<everything>(&sent).unwrap();
            prop_assert_eq!(&codec.decode_arguments::<everything>(&body, &mut UnknownNames::default()).unwrap(), &sent);
        }
    }

    #[test]
    fn a_single_argument(text: String, bytes: Vec<u8>, number: u64) {
        for codec in [Codec::MessagePack, Codec::Json, Codec::Text] {
            let body = codec.encode_arguments::<say>(&(TextArgument::new(&text),)).unwrap();
            prop_assert_eq!(&*codec.decode_arguments::<say>(&body, &mut UnknownNames::default()).unwrap().0, text.as_str());
            let body = codec.encode_arguments::<sleep>(&(number,)).unwrap();
            prop_assert_eq!(codec.decode_arguments::<sleep>(&body, &mut UnknownNames::default()).unwrap(), (number,));
        }
        for codec in [Codec::MessagePack, Codec::Json, Codec::OctetStream] {
            let body = codec.encode_arguments::<sum>(&(BytesArgument::new(&bytes),)).unwrap();
            prop_assert_eq!(&*codec.decode_arguments::<sum>(&body, &mut UnknownNames::default()).unwrap().0, bytes.as_slice());
        }
    }

    #[test]
    fn outputs(
        text: String, bytes: Vec<u8>, numbers: Vec<i64>, pair: (u128, char), option: Option<String>,
        nested: Vec<Option<Vec<u8>>>, large: (i128, u128), four: [u8; 4],
    ) {
        for codec in ALL {
            check(codec, &text)?;
            check(codec, &bytes)?;
            check(codec, &numbers)?;
            check(codec, &pair)?;
            check(codec, &option)?;
            check(codec, &nested)?;
            check(codec, &pair.1)?;
            check(codec, &large.0)?;
            check(codec, &large.1)?;
            check(codec, &four)?;
            check(codec, &(four[0] < 100))?;
            check(codec, &option.clone().map(String::into_bytes))?;
        }
    }

    #[test]
    fn numbers(number in prop::num::f64::ANY, ratio in prop::num::f32::ANY) {
        for codec in ALL {
            // NaN is not even equal to itself.
            check(codec, &Bits(number))?;
            check(codec, &Bits32(ratio))?;
        }
    }
}

#[test]
fn every_codec_can_carry_what_it_is_for() {
    for codec in [Codec::MessagePack, Codec::Json, Codec::Text] {
        assert!(check(codec, &"text".to_owned()).unwrap() && check(codec, &-1_i64).unwrap());
    }
    for codec in [Codec::MessagePack, Codec::Json, Codec::OctetStream] {
        assert!(check(codec, &vec![1_u8, 255]).unwrap() && check(codec, &[1_u8, 255]).unwrap());
        assert!(check(codec, &Vec::<u8>::new()).unwrap());
    }
    for codec in ALL {
        assert!(check(codec, &()).unwrap());
    }
}

#[test]
fn failures() {
    use super::{decode_failure, failure_message, fault, refusal};
    use crate::error::{CallError, Fault, Refusal};

    let plain = Fault::new(404, "none: \"ü\"");
    let with_details = Fault::new(409, "taken").with_details(serde_json::json!({ "by": [null, 1.5, "ada"] }));
    let refused = Refusal::new(415, "not so".to_owned());
    for codec in ALL {
        assert_eq!(
            decode_failure::<()>(&fault(Format::Native(codec), &plain)),
            CallError::Fault(Fault::new(404, "none: \"ü\""))
        );
        assert_eq!(
            decode_failure::<()>(&refusal(Format::Native(codec), &refused)),
            CallError::Refused(refused.clone())
        );
        let CallError::Fault(decoded) = decode_failure::<()>(&fault(Format::Native(codec), &with_details)) else {
            panic!("a fault is a fault")
        };
        // A text has room for the message only.
        let details = with_details.details().filter(|_| codec == Codec::MessagePack || codec == Codec::Json);
        assert_eq!((decoded.status(), decoded.message(), decoded.details()), (409, "taken", details));
        assert_eq!(failure_message(&fault(Format::Native(codec), &with_details)), "taken");
    }
}
