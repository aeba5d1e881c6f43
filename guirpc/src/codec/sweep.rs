//! Every type in every position in every codec: what is sent arrives as itself, and what could not is refused.
//!
//! What is refused is a table on the page `types.md`; `GUIRPC_BLESS=1 cargo test -p guirpc --lib sweep` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Codec, Format, decode_failure, fault, function_error, output};
use crate::arguments::UnknownNames;
use crate::error::{CallError, Fault};
use crate::message::{Headers, status};

mod any;
mod samples;

use any::{Any, Sample};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/types.md");

#[guirpc::function(service = "guirpc")]
fn alone(value: Any);
#[guirpc::function(service = "guirpc")]
fn first_of_two(value: Any, other: u8);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Field {
    value: Any,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Variant {
    Value(Any),
    Values(Any, u8),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Value { value: Any },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "content")]
enum Adjacent {
    Value(Any),
}

/// The value is tried first; whatever else there is would take it if it could not be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Value(Any),
    Text(String),
    Float(f64),
    Bytes(Vec<u8>),
    Nothing(()),
    Other(serde_json::Value),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    field: Field,
}

/// What became of a value.
#[derive(Debug, PartialEq)]
enum Outcome {
    Arrived,
    Refused(String),
    /// It was sent, and did not arrive as itself.
    Wrong(String),
}

fn arrived<T: PartialEq + Debug>(
    value: &T,
    sent: Result<Vec<u8>, String>,
    read: impl Fn(&[u8]) -> Result<T, String>,
) -> Outcome {
    match sent {
        Err(error) => Outcome::Refused(error),
        Ok(body) => match read(&body) {
            Ok(read) if read == *value => Outcome::Arrived,
            Ok(read) => Outcome::Wrong(format!("{value:?} arrived as {read:?}")),
            Err(error) => Outcome::Wrong(format!("{value:?} could not be read: {error}")),
        },
    }
}

fn as_output<T: Serialize + DeserializeOwned + PartialEq + Debug>(codec: Codec, value: &T) -> Outcome {
    let format = Format::Native(codec);
    let sent = output(format, status::OK, Headers::new(), value).map(|reply| reply.body);
    arrived(value, sent.map_err(|error| error.to_string()), |body| {
        format.decode(body).map_err(|error| error.to_string())
    })
}

fn as_error(codec: Codec, value: &Any) -> Outcome {
    let format = Format::Native(codec);
    let sent = function_error(format, value).map(|reply| reply.body);
    arrived(value, sent.map_err(|error| error.to_string()), |body| {
        format.decode(body).map_err(|error| error.to_string())
    })
}

/// What `serde_json` makes of it is what is sent, if it makes anything of it.
fn as_details(codec: Codec, value: &Any) -> Outcome {
    let Ok(details) = serde_json::to_value(value) else { return Outcome::Arrived };
    let fault = fault(Format::Native(codec), &Fault::new(409, "no").with_details(details.clone()));
    match decode_failure::<()>(&fault) {
        CallError::Fault(fault) if fault.details() == Some(&details) => Outcome::Arrived,
        CallError::Fault(fault) if fault.message().contains("its details cannot be sent") => {
            Outcome::Refused(fault.message().to_owned())
        }
        other => Outcome::Wrong(format!("{value:?} arrived as {other:?}")),
    }
}

fn as_arguments(codec: Codec, value: &Any) -> [Outcome; 2] {
    let one = (value.clone(),);
    let two = (value.clone(), 7);
    let text = |error: super::EncodeError| error.to_string();
    [
        arrived(&one, codec.encode_arguments::<alone>(&one).map_err(text), |body| {
            codec.decode_arguments::<alone>(body, &mut UnknownNames::default()).map_err(|error| error.to_string())
        }),
        arrived(&two, codec.encode_arguments::<first_of_two>(&two).map_err(text), |body| {
            codec
                .decode_arguments::<first_of_two>(body, &mut UnknownNames::default())
                .map_err(|error| error.to_string())
        }),
    ]
}

const POSITIONS: [&str; 16] = [
    "the only argument",
    "the first of two",
    "an output",
    "an error",
    "the details of a fault",
    "`Option`",
    "`Vec`",
    "a tuple",
    "a map's value",
    "a field",
    "a variant",
    "a tuple variant",
    "`tag`",
    "`tag` and `content`",
    "`untagged`",
    "`flatten`",
];

fn everywhere(codec: Codec, any: &Any) -> [Outcome; POSITIONS.len()] {
    let value = || any.clone();
    let [alone, first] = as_arguments(codec, any);
    [
        alone,
        first,
        as_output(codec, any),
        as_error(codec, any),
        as_details(codec, any),
        as_output(codec, &Some(value())),
        as_output(codec, &vec![value(), value()]),
        as_output(codec, &(7_u8, value())),
        as_output(codec, &BTreeMap::from([("key".to_owned(), value())])),
        as_output(codec, &Field { value: value() }),
        as_output(codec, &Variant::Value(value())),
        as_output(codec, &Variant::Values(value(), 7)),
        as_output(codec, &Tagged::Value { value: value() }),
        as_output(codec, &Adjacent::Value(value())),
        as_output(codec, &Untagged::Value(value())),
        as_output(codec, &Flattened { id: 7, field: Field { value: value() } }),
    ]
}

/// Where samples are refused, and why: by the reason and the positions, the samples and the codecs.
type Refusals = BTreeMap<(String, String), BTreeMap<usize, BTreeSet<&'static str>>>;

fn sweep(codec: Codec, samples: &[Sample], refusals: &mut Refusals) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, sample) in samples.iter().enumerate() {
        let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (outcome, position) in sample.with(|any| everywhere(codec, any)).into_iter().zip(POSITIONS) {
            match outcome {
                Outcome::Arrived => {}
                Outcome::Refused(error) => reasons.entry(reason(codec, &error)).or_default().push(position),
                Outcome::Wrong(what) => wrong.push(format!("{codec:?}, {}, {position}: {what}", sample.name())),
            }
        }
        for (reason, positions) in reasons {
            let samples = refusals.entry((reason, shown(&positions))).or_default();
            samples.entry(number).or_default().insert(codec.content_type().trim_start_matches("application/"));
        }
    }
    wrong
}

/// The error without the place, and without the number that it is about.
fn reason(codec: Codec, error: &str) -> String {
    let (_, reason) = error.rsplit_once(&format!("cannot be sent as {}: ", codec.content_type())).expect("it says how");
    let reason = match reason.strip_prefix("argument ").unwrap_or(reason) {
        placed if placed.starts_with('`') && placed.contains("`: ") => placed.rsplit("`: ").next().unwrap_or_default(),
        reason => reason,
    };
    let is_number = |word: &str| word.len() > 4 && word.parse::<f64>().is_ok();
    let words = reason.trim_end_matches(')').split(' ').map(|word| if is_number(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// The positions, or those that are left if they are fewer; the details of a fault are what `serde_json` made of a value.
fn shown(positions: &[&str]) -> String {
    let others: Vec<&str> = POSITIONS.into_iter().filter(|position| !positions.contains(position)).collect();
    match others.as_slice() {
        [] | ["the details of a fault"] => "everywhere".to_owned(),
        others if others.len() < 4 => format!("everywhere but: {}", others.join(", ")),
        _ => positions.join(", "),
    }
}

fn table(refusals: &Refusals, samples: &[Sample]) -> String {
    let mut table = "| what is refused | as | where | why |\n|---|---|---|---|\n".to_owned();
    for ((reason, positions), refused) in refusals {
        let all: BTreeSet<&BTreeSet<&str>> = refused.values().collect();
        for codecs in all {
            let is_refused = |number: &usize| refused.get(number) == Some(codecs);
            let name = |number: usize| {
                let sample = &samples[number];
                let is_of_type = |number: &usize| samples[*number].type_name == sample.type_name;
                // All that there is of a type is the type.
                let is_all = (0..samples.len()).filter(is_of_type).all(|number| is_refused(&number));
                if is_all { sample.shown_type() } else { sample.name() }
            };
            let mut names: Vec<String> = Vec::new();
            for number in (0..samples.len()).filter(is_refused) {
                let name = format!("`{}`", name(number));
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            let codecs = codecs.iter().copied().collect::<Vec<_>>().join(", ");
            let cells = [&names.join(", "), &codecs, positions, reason];
            table.extend(["| ", &cells.map(String::as_str).join(" | "), " |\n"]);
        }
    }
    table
}

#[test]
fn every_value_arrives_as_itself_or_is_refused() {
    let samples = samples::samples();
    let types: BTreeSet<&str> = samples.iter().map(|sample| sample.type_name).collect();
    assert!(types.len() >= 150, "there are only {} types", types.len());
    let mut refusals = Refusals::new();
    let mut wrong = Vec::new();
    for codec in [Codec::MessagePack, Codec::Json] {
        wrong.extend(sweep(codec, &samples, &mut refusals));
    }
    // These are for single values, and refuse most; what they do not refuse arrives.
    for codec in [Codec::Text, Codec::OctetStream] {
        for sample in &samples {
            let [alone, _] = sample.with(|any| as_arguments(codec, any));
            for outcome in [
                alone,
                sample.with(|any| as_output(codec, any)),
                sample.with(|any| as_output(codec, &Some(any.clone()))),
            ] {
                if let Outcome::Wrong(what) = outcome {
                    wrong.push(format!("{codec:?}, {}: {what}", sample.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} values did not arrive as themselves:\n{}", wrong.len(), wrong.join("\n"));

    let page = std::fs::read_to_string(PAGE).unwrap();
    let start = page.find("| what is refused |").expect("the page has the table");
    let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
    let mut blessed = page.clone();
    blessed.replace_range(start..end, &table(&refusals, &samples));
    if std::env::var_os("GUIRPC_BLESS").is_some() {
        return std::fs::write(PAGE, blessed).unwrap();
    }
    assert!(
        page == blessed,
        "types.md differs from what is refused; write it by `GUIRPC_BLESS=1 cargo test -p guirpc --lib sweep`"
    );
}
