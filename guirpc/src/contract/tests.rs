//! What a contract says of a type is what travels, in MessagePack and in JSON, for any value of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use jsonschema::Validator;
use proptest::collection::{btree_map, btree_set, hash_map, vec};
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Contract, Type};
use crate::arguments::ArgumentsOf;
use crate::codec::{Codec, Format};
use crate::function::{Function, OutputOf};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct User {
    /// What others call them.
    name: String,
    #[serde(default)]
    age: Option<u8>,
    #[serde(rename = "loginCount")]
    logins: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
enum External {
    Nothing,
    One(i16),
    Pair(u8, char),
    Named { bytes: Vec<u8> },
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    GoneAway,
    Moved { to: String, times: u32 },
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    Nothing,
    Number(i64),
    Pair(bool, String),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Flag(bool),
    Text(String),
    List(Vec<u8>),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Tree {
    value: i32,
    children: Vec<Tree>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Newtype(u16);

/// It has no schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Undescribed(u16);

fn user() -> impl Strategy<Value = User> {
    (any::<String>(), any::<Option<u8>>(), any::<u64>(), any::<Option<String>>())
        .prop_map(|(name, age, logins, note)| User { name, age, logins, note })
}

fn external() -> impl Strategy<Value = External> {
    prop_oneof![
        Just(External::Nothing),
        any::<i16>().prop_map(External::One),
        any::<(u8, char)>().prop_map(|(number, letter)| External::Pair(number, letter)),
        any::<Vec<u8>>().prop_map(|bytes| External::Named { bytes }),
    ]
}

fn internal() -> impl Strategy<Value = Internal> {
    let moved = any::<(String, u32)>().prop_map(|(to, times)| Internal::Moved { to, times });
    prop_oneof![Just(Internal::GoneAway), moved]
}

fn adjacent() -> impl Strategy<Value = Adjacent> {
    prop_oneof![
        Just(Adjacent::Nothing),
        any::<i64>().prop_map(Adjacent::Number),
        any::<(bool, String)>().prop_map(|(flag, text)| Adjacent::Pair(flag, text)),
    ]
}

fn untagged() -> impl Strategy<Value = Untagged> {
    prop_oneof![
        any::<bool>().prop_map(Untagged::Flag),
        any::<String>().prop_map(Untagged::Text),
        any::<Vec<u8>>().prop_map(Untagged::List),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = any::<i32>().prop_map(|value| Tree { value, children: Vec::new() });
    leaf.prop_recursive(4, 16, 3, |inner| {
        (any::<i32>(), vec(inner, 0..3)).prop_map(|(value, children)| Tree { value, children })
    })
}

fn flattened() -> impl Strategy<Value = Flattened> {
    (any::<u8>(), btree_map("[a-h]{1,5}", any::<i64>(), 0..4)).prop_map(|(id, rest)| Flattened { id, rest })
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000_i64).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).expect("a time of our days"))
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("JSON has no other numbers", |number| number.is_finite())
}

fn duration() -> impl Strategy<Value = Duration> {
    any::<(u64, u32)>().prop_map(|(seconds, nanoseconds)| Duration::new(seconds, nanoseconds % 1_000_000_000))
}

macro_rules! travel {
    ($($name:ident: $ty:ty = $values:expr;)*) => {
        $(
            mod $name {
                #[allow(clippy::wildcard_imports, reason = "they are the same file")]
                use super::*;

                #[guirpc::function(service = "contract-tests")]
                fn $name(value: $ty) -> $ty;

                #[test]
                fn travels_as_its_contract_says() {
                    check::<$name, $ty>(&$values, |value| (value,));
                }
            }
        )*
    };
}

travel! {
    flag: bool = any::<bool>();
    small: u8 = any::<u8>();
    signed: i16 = any::<i16>();
    large: u64 = any::<u64>();
    least: i64 = any::<i64>();
    float: f64 = finite();
    single: f32 = any::<f32>().prop_filter("JSON has no other numbers", |number| number.is_finite());
    letter: char = any::<char>();
    text: String = any::<String>();
    bytes: Vec<u8> = any::<Vec<u8>>();
    nothing: () = Just(());
    optional: Option<u32> = any::<Option<u32>>();
    list: Vec<i64> = any::<Vec<i64>>();
    set: BTreeSet<String> = btree_set(any::<String>(), 0..5);
    array: [u16; 3] = any::<[u16; 3]>();
    tuple: (u8, String, bool) = any::<(u8, String, bool)>();
    bytes_in_a_list: Vec<Vec<u8>> = any::<Vec<Vec<u8>>>();
    by_text: HashMap<String, i32> = hash_map(any::<String>(), any::<i32>(), 0..5);
    by_number: BTreeMap<u32, String> = btree_map(any::<u32>(), any::<String>(), 0..5);
    by_signed_number: BTreeMap<i64, bool> = btree_map(any::<i64>(), any::<bool>(), 0..5);
    address: IpAddr = any::<IpAddr>();
    pause: Duration = duration();
    when: DateTime<Utc> = time();
    day: NaiveDate = time().prop_map(|time| time.date_naive());
    id: Uuid = any::<u128>().prop_map(Uuid::from_u128);
    newtype: Newtype = any::<u16>().prop_map(Newtype);
    users: Vec<User> = vec(user(), 0..3);
    external_enum: External = external();
    internal_enum: Internal = internal();
    adjacent_enum: Adjacent = adjacent();
    untagged_enum: Untagged = untagged();
    optional_enum: Option<External> = of(external());
    recursive: Tree = tree();
    open: Flattened = flattened();
    boxed: Box<Internal> = internal().prop_map(Box::new);
}

/// A schema, among those that it refers to.
fn validator(contract: &Contract, ty: &Type) -> Validator {
    let definitions = json!(contract.definitions);
    let schema = json!({ "allOf": [ty.schema], "definitions": definitions });
    jsonschema::draft202012::new(&schema).expect("a contract has schemas")
}

/// A message of this type is what the contract says, and not anything would be.
#[track_caller]
fn check<F, T>(values: &impl Strategy<Value = T>, arguments: impl Fn(T) -> ArgumentsOf<'static, F>)
where
    F: Function,
    T: Clone + Debug + Serialize + DeserializeOwned + 'static,
    OutputOf<F>: 'static,
{
    let contract = Contract::of_callers("contract-tests");
    let function = &contract.functions[F::NAME];
    let (taken, returned) = (&function.arguments[0].ty, &function.output.ty);
    assert!(taken.is_described() && returned.is_described());
    let (input, output) = (validator(&contract, taken), validator(&contract, returned));
    let nonsense = json!({ "\u{1}": [[{}]] });
    assert!(!input.is_valid(&nonsense) && !output.is_valid(&nonsense), "it says nothing: {}", taken.schema);
    let mut runner = TestRunner::new(Config { cases: 128, failure_persistence: None, ..Config::default() });
    let result = runner.run(values, |value| {
        for codec in [Codec::MessagePack, Codec::Json] {
            let read = |body: &[u8]| -> Value {
                let text = Format::Native(codec).decode_json_text(body).expect("it is of our own making");
                serde_json::from_str(&text).expect("it is JSON")
            };
            // What cannot travel is refused, and breaks no contract.
            let sent = codec.encode_arguments::<F>(&arguments(value.clone()));
            if let Ok(body) = sent {
                let arguments = read(&body);
                let error = input.validate(&arguments["value"]).err().map(|error| error.to_string());
                assert_eq!(error, None, "{codec:?}: {arguments} is not {}", taken.schema);
            }
            if let Ok(body) = codec.encode_value(&value) {
                let value = read(&body);
                let error = output.validate(&value).err().map(|error| error.to_string());
                assert_eq!(error, None, "{codec:?}: {value} is not {}", returned.schema);
            }
        }
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

#[guirpc::function(service = "contract-described")]
fn told(first: Undescribed, second: Option<u8>, data: &[u8], text: &str) -> Result<Vec<u8>, crate::Fault>;

#[test]
fn what_a_type_does_not_say_is_anything() {
    let contract = Contract::of_callers("contract-described");
    let told = &contract.functions["told"];
    let seen = told.arguments.iter().map(|argument| {
        (
            argument.name.as_str(),
            argument.required,
            argument.ty.rust.as_str(),
            argument.ty.is_described(),
            argument.ty.bytes,
        )
    });
    let expected = [
        ("first", true, "Undescribed", false, false),
        ("second", false, "Option<u8>", true, false),
        ("data", true, "&[u8]", true, true),
        ("text", true, "&str", true, false),
    ];
    assert!(seen.eq(expected));
    assert!(told.output.ty.bytes && told.output.ty.rust == "Vec<u8>");
    assert_eq!(told.error, None, "a fault is no error of the function's own");
}

#[test]
fn a_document_is_read_as_it_was_written() {
    let contract = Contract::of_callers("contract-tests");
    let text = contract.to_json();
    assert_eq!(Contract::from_json(&text).unwrap(), contract);
    assert_eq!(Contract::of_callers("contract-tests").to_json(), text);
    assert_eq!(contract.hash.len(), 32);
    assert_ne!(contract.hash, Contract::of_callers("contract-described").hash);
}

#[test]
fn what_is_no_contract_is_refused() {
    let text = Contract::of_callers("contract-described").to_json();
    let check = |text: &str, expected: &str| {
        let error = Contract::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "`{expected}` is not in: {error}");
    };
    check("{}", "missing field `contract`");
    check("[", "no contract, as `my-service contract` writes it");
    check(&text.replace("\"contract\": 1", "\"contract\": 2"), "version 2; this guirpc reads version 1");
    check(&text.replace("\"required\": true", "\"required\": 1"), "functions.told.arguments[0].required");
}

#[test]
fn callers_are_held_to_what_is_served() {
    let served = Contract::of_callers("contract-tests");
    assert_eq!(served.check_callers(), []);
    let mut more = served.clone();
    let another = more.functions["text"].clone();
    more.functions.insert("another".to_owned(), another);
    assert_eq!(more.check_callers(), [], "what nobody here calls breaks nobody here");
    let mut less = served.clone();
    less.functions.remove("text");
    let mut narrower = served;
    narrower.functions.get_mut("large").unwrap().arguments[0].ty.schema =
        json!({ "type": "integer", "format": "uint8" });
    for (changed, place) in [(less, "text"), (narrower, "large.value")] {
        let broken = changed.check_callers();
        assert!(broken.len() == 1 && broken[0].place == place, "{broken:?}");
    }
}
