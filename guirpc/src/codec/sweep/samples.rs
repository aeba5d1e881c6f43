//! Values of all the types that are tried.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::CString;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroU128, NonZeroUsize, Saturating, Wrapping,
};
use std::ops::{Bound, Range, RangeFrom, RangeInclusive, RangeTo};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use serde_json::{Map, Number, Value, json};
use uuid::Uuid;

use super::any::Sample;

macro_rules! samples {
    ($($type:ty: $($value:expr),+;)*) => {
        vec![$($(sample::<$type>(stringify!($type), stringify!($value), $value),)+)*]
    };
}

mod standard;

/// A float that is the same if its bits are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Float(f64);

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Float32(f32);

impl PartialEq for Float32 {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// What is left alone, taken away, or set.
#[allow(clippy::option_option, reason = "its `Some(None)` is told from its `None`")]
type Change = Option<Option<u8>>;

macro_rules! data {
    ($($item:item)*) => {
        $(#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)] $item)*
    };
}

data! {
    struct Unit;
    struct Empty {}
    struct Meters(f64);
    struct Id(u64);
    struct Wide(u128);
    struct Pair(i8, String);
    struct Generic<T> { inner: T }
    struct User { name: String, age: Option<u8>, picture: Vec<u8> }
    struct Renamed { #[serde(rename = "type")] kind: String, #[serde(rename = "a b")] space: u8 }
    struct Skipping { #[serde(default, skip_serializing_if = "Option::is_none")] perhaps: Option<u8>, rest: u8 }
    struct Defaulted { #[serde(default)] perhaps: Vec<u8> }
    struct Compact { #[serde(with = "serde_bytes")] bytes: Vec<u8> }
    #[serde(transparent)]
    struct Transparent { inner: Vec<u8> }
    #[serde(from = "u8", into = "u8")]
    struct Through(u8);
    struct Patch { #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")] age: Change }
    struct Nested { user: User, others: Vec<User>, tree: Tree }
    enum Shape { Point, Circle(u8), Line(i8, i8), Named { name: String }, Nothing(()), Wide(u128) }
    #[serde(rename_all = "kebab-case")]
    enum Kebab { FirstOne, SecondOne(u8) }
    enum Tree { Leaf, Not(Box<Tree>), Of(Vec<Tree>) }
    #[serde(tag = "kind")]
    enum Tagged { Point, Circle { radius: u8 }, User(User), Address { at: IpAddr }, Wide { number: u128 }, Bytes { bytes: Vec<u8> } }
    #[serde(tag = "t", content = "c")]
    enum Adjacent { Point, Circle(u8), Line(i8, i8), Named { name: String }, Bytes(Vec<u8>) }
    #[serde(untagged)]
    enum BytesOrText { Bytes(Vec<u8>), Text(String) }
    #[serde(untagged)]
    enum TextOrBytes { Text(String), Bytes(ByteBuf) }
    #[serde(untagged)]
    enum IntTextList { Int(u8), Text(String), List(Vec<IntTextList>) }
    #[serde(untagged)]
    enum BigOrText { Big(u128), Text(String) }
    #[serde(untagged)]
    enum BigOrFloat { Big(i128), Float(f64) }
    #[serde(untagged)]
    enum IntOrFloat { Int(i64), Float(f64) }
    #[serde(untagged)]
    enum AddressOrMap { Address(IpAddr), Map(BTreeMap<String, u8>) }
    #[serde(untagged)]
    enum Records { User(User), Id { id: Uuid }, Nothing }
    #[serde(untagged)]
    enum Keys { Numbers(BTreeMap<u32, u8>), Texts(BTreeMap<String, u8>) }
    struct Flat { id: u8, #[serde(flatten)] user: User }
    struct Extra { id: u8, #[serde(flatten)] extra: BTreeMap<String, Value> }
    struct FlatAddress { #[serde(flatten)] at: Generic<IpAddr> }
    struct FlatBytes { #[serde(flatten)] bytes: Generic<ByteBuf> }
    struct FlatNumbers { #[serde(flatten)] numbers: BTreeMap<u16, u8> }
    struct FlatTagged { id: u8, #[serde(flatten)] tagged: Tagged }
}

/// What `serde_json` passes on for a number if its feature `arbitrary_precision` is on.
#[derive(Clone, Debug)]
struct JsonNumber(&'static str);

impl Serialize for JsonNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut number = serializer.serialize_struct("$serde_json::private::Number", 1)?;
        number.serialize_field("$serde_json::private::Number", self.0)?;
        number.end()
    }
}

/// It is the number, or it is none.
impl<'de> Deserialize<'de> for JsonNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| JsonNumber(value.to_string().leak()))
    }
}

impl PartialEq for JsonNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// An integer of theirs that a function takes as one of 128 bits.
#[derive(Clone, Debug, PartialEq)]
struct JsonInteger(&'static str);

impl Serialize for JsonInteger {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonNumber(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonInteger {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u128::deserialize(deserializer).map(|integer| JsonInteger(integer.to_string().leak()))
    }
}

/// A type that only its own format reads, as `toml::value::Datetime` is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "$__private_datetime")]
struct Private {
    datetime: String,
}

impl From<u8> for Through {
    fn from(byte: u8) -> Self {
        Through(byte)
    }
}

impl From<Through> for u8 {
    fn from(through: Through) -> u8 {
        through.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Colour {
    Red,
    Green,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Key(u64);

fn some<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn sample<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(
    type_name: &'static str,
    value_name: &'static str,
    value: T,
) -> Sample {
    Sample::new(type_name, value_name, value)
}

fn text() -> String {
    "ada \"ü\"\n".to_owned()
}

fn user() -> User {
    User { name: text(), age: Some(36), picture: vec![1, 200] }
}

fn tree() -> Tree {
    Tree::Of(vec![Tree::Leaf, Tree::Not(Box::new(Tree::Leaf))])
}

fn deep(levels: u8) -> Tree {
    (0..levels).fold(Tree::Leaf, |tree, _| Tree::Not(Box::new(tree)))
}

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = standard::numbers();
    samples.extend(standard::texts_and_bytes());
    samples.extend(standard::containers());
    samples.extend(standard::maps());
    samples.extend(standard::the_standard_librarys());
    samples.extend(structs_and_enums());
    samples.extend(jsons());
    samples
}

fn structs_and_enums() -> Vec<Sample> {
    samples! {
        Unit: Unit;
        Empty: Empty {};
        Pair: Pair(-1, text());
        Generic<u8>: Generic { inner: 1 };
        Generic<Option<()>>: Generic { inner: None }, Generic { inner: Some(()) };
        Generic<Generic<u128>>: Generic { inner: Generic { inner: u128::MAX } };
        User: user(), User { age: None, ..user() };
        Renamed: Renamed { kind: text(), space: 1 };
        Skipping: Skipping { perhaps: None, rest: 1 }, Skipping { perhaps: Some(2), rest: 1 };
        Defaulted: Defaulted { perhaps: vec![] };
        Patch: Patch { age: None }, Patch { age: Some(None) }, Patch { age: Some(Some(1)) };
        Nested: Nested { user: user(), others: vec![user()], tree: tree() };
        Colour: Colour::Red;
        Kebab: Kebab::FirstOne, Kebab::SecondOne(2);
        Shape: Shape::Point, Shape::Circle(2), Shape::Line(1, -1), Shape::Named { name: text() }, Shape::Nothing(()), Shape::Wide(7), Shape::Wide(u128::MAX);
        Vec<Shape>: vec![Shape::Point, Shape::Circle(2)];
        Option<Shape>: Some(Shape::Point), Some(Shape::Nothing(()));
        Tree: tree(), deep(120), deep(127);
        Tagged: Tagged::Point, Tagged::Circle { radius: 2 }, Tagged::User(user()), Tagged::Address { at: Ipv4Addr::LOCALHOST.into() }, Tagged::Wide { number: 1 }, Tagged::Bytes { bytes: b"hi".to_vec() };
        Adjacent: Adjacent::Point, Adjacent::Circle(1), Adjacent::Line(1, 2), Adjacent::Named { name: text() }, Adjacent::Bytes(b"hi".to_vec());
        Vec<Tagged>: vec![Tagged::Point, Tagged::Circle { radius: 2 }];
        BytesOrText: BytesOrText::Bytes(b"hi".to_vec()), BytesOrText::Text("hi".to_owned()), BytesOrText::Bytes(vec![]);
        TextOrBytes: TextOrBytes::Bytes(ByteBuf::from(b"hi")), TextOrBytes::Text("hi".to_owned());
        Vec<BytesOrText>: vec![BytesOrText::Bytes(b"hi".to_vec()), BytesOrText::Text("hi".to_owned())];
        IntTextList: IntTextList::Int(1), IntTextList::Text(text()), IntTextList::List(vec![IntTextList::Int(1), IntTextList::Int(2)]), IntTextList::List(vec![]);
        Vec<IntTextList>: vec![IntTextList::Int(1), IntTextList::Text(text())];
        BigOrText: BigOrText::Big(5), BigOrText::Big(u128::MAX), BigOrText::Text("5".to_owned());
        BigOrFloat: BigOrFloat::Big(5), BigOrFloat::Big(i128::MIN), BigOrFloat::Float(0.5);
        IntOrFloat: IntOrFloat::Int(5), IntOrFloat::Float(5.0), IntOrFloat::Float(0.5);
        AddressOrMap: AddressOrMap::Address(Ipv4Addr::LOCALHOST.into()), AddressOrMap::Map(BTreeMap::from([(text(), 1)]));
        Records: Records::User(user()), Records::Id { id: Uuid::nil() }, Records::Nothing;
        Keys: Keys::Numbers(BTreeMap::from([(1, 2)])), Keys::Texts(BTreeMap::from([(text(), 2)]));
        Flat: Flat { id: 1, user: user() };
        Extra: Extra { id: 1, extra: BTreeMap::from([("more".to_owned(), json!({"a": [1, null]}))]) };
        FlatAddress: FlatAddress { at: Generic { inner: Ipv6Addr::LOCALHOST.into() } };
        FlatBytes: FlatBytes { bytes: Generic { inner: ByteBuf::from(b"hi") } };
        FlatNumbers: FlatNumbers { numbers: BTreeMap::from([(1, 2)]) };
        FlatTagged: FlatTagged { id: 1, tagged: Tagged::Circle { radius: 1 } };
        Private: Private { datetime: text() };
    }
}

fn jsons() -> Vec<Sample> {
    samples! {
        Value: Value::Null, json!(true), json!(-1), json!(u64::MAX), json!(0.1), json!("text"), json!([1, 2]), json!({"a": {"b": []}});
        Number: Number::from(u64::MAX), Number::from_f64(0.5).unwrap();
        Map<String, Value>: Map::new(), Map::from_iter([("a".to_owned(), json!(1))]);
        Vec<Value>: vec![json!(1), json!("a"), Value::Null];
        JsonNumber: JsonNumber("1"), JsonNumber("-5"), JsonNumber("0.5"), JsonNumber("0.12345678901234567890123");
        JsonInteger: JsonInteger("340282366920938463463374607431768211455");
    }
}
