//! A function's arguments and the one object that the original sends.

use serde::Serialize;
use serde::de::DeserializeSeed;

use super::PythonSerializer;
use super::error::{Error, Unreadable};
use super::send::ToValue;
use super::text::Plain;
use super::value::Value;
use crate::arguments::{
    Alone, AloneSeed, ArgumentsOf, Named, NamedSeed, Signature, UnknownNames, missing_text, not_one,
};
use crate::codec::Bounds;

/// The object that stands for these arguments: the only one is it, several are in it by name.
pub(super) fn value<F: Signature>(arguments: &ArgumentsOf<'_, F>) -> Result<Value, String> {
    let value = match F::PARAMETERS.len() {
        1 => Alone::<F>(arguments).serialize(ToValue::default()),
        _ => Named::<F>::new(arguments).serialize(ToValue::default()),
    };
    value.map_err(|error| error.to_string())
}

/// The arguments that an object from so many bytes stands for.
pub(super) fn read<'a, F: Signature>(
    serializer: PythonSerializer,
    value: &Value,
    bytes: usize,
) -> Result<ArgumentsOf<'a, F>, Unreadable> {
    let invalid = |error: Error| Unreadable::Invalid(error.to_string());
    let bounds = Bounds::new(bytes);
    match (F::PARAMETERS, serializer, value) {
        // In Python every function is sent something, whether it looks at it or not.
        ([], ..) => by_name::<F>(&Value::Dict(Vec::new()), bytes).map_err(invalid),
        ([only], PythonSerializer::Text, Value::Str(text)) => AloneSeed::<F>::default()
            .deserialize(bounds.around(Plain(text)))
            .map_err(|error| invalid(error.within(only))),
        ([only], ..) => alone::<F>(only, value, bytes).map_err(invalid),
        (_, PythonSerializer::Text, _) => {
            Err(Unreadable::Invalid(format!("a text cannot be several arguments: {}.", not_one(F::PARAMETERS))))
        }
        (_, _, Value::Dict(_)) => by_name::<F>(value, bytes).map_err(invalid),
        _ => Err(Unreadable::new("TypeError", format!("'{}' object is not a mapping", value.type_name()))),
    }
}

/// The whole object if it fits, else what it holds by the parameter's name.
fn alone<'a, F: Signature>(parameter: &'static str, value: &Value, bytes: usize) -> Result<ArgumentsOf<'a, F>, Error> {
    let error = match AloneSeed::<F>::default().deserialize(Bounds::new(bytes).around(value)) {
        Ok(arguments) => return Ok(arguments),
        Err(error) => error,
    };
    if value.get(parameter).is_some() {
        return by_name::<F>(value, bytes);
    }
    Err(match value {
        Value::Dict(_) if error.is_of_the_whole() => Error::missing(parameter),
        Value::Dict(_) => error,
        _ => error.within(parameter),
    })
}

fn by_name<'a, F: Signature>(value: &Value, bytes: usize) -> Result<ArgumentsOf<'a, F>, Error> {
    let bounds = Bounds::new(bytes);
    NamedSeed::<F>::new(&mut UnknownNames::default()).deserialize(bounds.around(value)).map_err(|error| {
        let missing = F::PARAMETERS.iter().find(|parameter| error.says(&missing_text(parameter)));
        missing.map_or(error, |parameter| Error::missing(parameter))
    })
}
