//! Reading a list of arguments, whatever the codec, and saying what is wrong with it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::{Path, Segment, Track};

use super::{Argument, Arguments, ArgumentsOf, Signature, UnknownNames};

/// Reads the arguments of `F`: a map by name, or a sequence in order.
pub(crate) struct NamedSeed<'u, F> {
    unknown: &'u mut UnknownNames,
    function: PhantomData<F>,
}

impl<'u, F> NamedSeed<'u, F> {
    /// Notes what is not one of the function's arguments.
    pub(crate) fn new(unknown: &'u mut UnknownNames) -> Self {
        NamedSeed { unknown, function: PhantomData }
    }
}

impl<'de, F: Signature> DeserializeSeed<'de> for NamedSeed<'_, F> {
    type Value = ArgumentsOf<'de, F>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Signature> Visitor<'de> for NamedSeed<'_, F> {
    type Value = ArgumentsOf<'de, F>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map of the arguments `{}`, or a list of them", F::PARAMETERS.join("`, `"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        F::Arity::receive_map(map, self.unknown)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        F::Arity::receive_seq(sequence)
    }
}

/// Reads the only argument of `F`, from a content type that carries single values.
pub(crate) struct AloneSeed<F>(PhantomData<F>);

impl<F> Default for AloneSeed<F> {
    fn default() -> Self {
        AloneSeed(PhantomData)
    }
}

impl<'de, F: Signature> DeserializeSeed<'de> for AloneSeed<F> {
    type Value = ArgumentsOf<'de, F>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        F::Arity::receive_alone(deserializer)
    }
}

/// Reads what [`NamedSeed`] reads, slowly, to say in which argument and where in it the mistake is.
///
/// It says so beside the error and not in it: only the codec knows what its errors mean to those who sent the message.
pub(crate) struct TrackedSeed<'p, F> {
    place: &'p mut Option<String>,
    function: PhantomData<F>,
}

impl<'p, F> TrackedSeed<'p, F> {
    pub(crate) fn new(place: &'p mut Option<String>) -> Self {
        TrackedSeed { place, function: PhantomData }
    }
}

impl<'de, F: Signature> DeserializeSeed<'de> for TrackedSeed<'_, F> {
    type Value = ArgumentsOf<'de, F>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut track = Track::new();
        let mut unknown = UnknownNames::default();
        let seed = NamedSeed::<F>::new(&mut unknown);
        let result = seed.deserialize(serde_path_to_error::Deserializer::new(deserializer, &mut track));
        if result.is_err() {
            *self.place = place(&track.path(), F::PARAMETERS);
        }
        result
    }
}

/// The argument, and the place inside it, that a path from the root leads to.
fn place(path: &Path, parameters: &[&str]) -> Option<String> {
    let mut segments = path.iter();
    let argument = match segments.next()? {
        Segment::Map { key } => key.clone(),
        Segment::Seq { index } => (*parameters.get(*index)?).to_owned(),
        Segment::Enum { .. } | Segment::Unknown => return None,
    };
    let mut inside = String::new();
    for segment in segments {
        if !inside.is_empty() && !matches!(segment, Segment::Seq { .. }) {
            inside.push('.');
        }
        inside.push_str(&segment.to_string());
    }
    Some(argument_place(&argument, &inside))
}

/// An argument, and the place inside it if there is one.
pub(crate) fn argument_place(argument: &str, inside: &str) -> String {
    if inside.is_empty() { format!("argument `{argument}`") } else { format!("argument `{argument}`: `{inside}`") }
}

/// Reads one argument.
pub(super) struct Receive<A>(PhantomData<A>);

impl<A> Receive<A> {
    pub(super) fn new() -> Self {
        Receive(PhantomData)
    }
}

impl<'de, A: Argument<'de>> DeserializeSeed<'de> for Receive<A> {
    type Value = A;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<A, D::Error> {
        A::receive(deserializer)
    }
}

/// Finds the place of a parameter by its name, without copying the name.
pub(super) struct Name<'u> {
    pub(super) parameters: &'static [&'static str],
    pub(super) unknown: &'u mut UnknownNames,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an argument")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        let position = self.parameters.iter().position(|parameter| *parameter == name);
        if position.is_none() {
            self.unknown.add(name, self.parameters);
        }
        Ok(position)
    }
}

pub(super) fn duplicate<E: Error>(parameter: &str) -> E {
    E::custom(format_args!("argument `{parameter}` is there twice"))
}

pub(super) fn too_many<E: Error>(parameters: &[&str]) -> E {
    E::custom(format_args!("too many arguments: the function takes {}", parameters.len()))
}

/// What is said of an argument that is not there.
pub(crate) fn missing_text(parameter: &str) -> String {
    format!("argument `{parameter}` is missing")
}

/// What stands for an argument that is not there: `None` for an `Option`, else an error.
pub(super) fn missing<'de, A: Argument<'de>, E: Error>(parameter: &'static str) -> Result<A, E> {
    struct Missing<E>(&'static str, PhantomData<E>);

    impl<'de, E: Error> Deserializer<'de> for Missing<E> {
        type Error = E;

        fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, E> {
            Err(E::custom(missing_text(self.0)))
        }

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
            visitor.visit_none()
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    A::receive(Missing(parameter, PhantomData))
}
