//! The arguments of a function: a tuple, written as a map from parameter name to argument.

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, value};
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};

use super::argument::compact;
use super::receive::{Name, Receive, duplicate, missing, too_many};
use super::{Argument, ArgumentsOf, Signature, UnknownNames};

/// That a function takes an argument of this type in this place.
///
/// Each argument has an implementation of its own, so that what is wrong with its type is said once, and there:
/// code that goes through a tuple of arguments then asks for `Takes`, and no longer for what an argument must do.
#[diagnostic::on_unimplemented(
    message = "the function has no argument number {POSITION}, counted from 0",
    label = "no such argument"
)]
pub trait Takes<const POSITION: usize> {
    /// The argument's type, as it travels.
    type Argument<'a>: Argument<'a>;
    /// The parameter's type, as the function takes it.
    type Parameter<'a>;
}

/// The number of arguments.
pub enum Arity<const COUNT: usize> {}

/// How a list of arguments is written and read; implemented for up to 16 of them.
pub trait Arguments<F: Signature> {
    /// The tuple of them.
    type Values<'a>;

    /// Which of them have to be there.
    fn required() -> Vec<bool>;

    /// Writes a map from parameter name to argument; if `compact`, what is exactly a `Vec<u8>` as bytes.
    fn serialize_named<S: Serializer>(
        values: &Self::Values<'_>,
        compact: bool,
        serializer: S,
    ) -> Result<S::Ok, S::Error>;

    /// Writes the only argument by itself, for content types that carry no more.
    fn serialize_alone<S: Serializer>(values: &Self::Values<'_>, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a map from parameter name to argument; what the function does not take is skipped, and its name noted.
    fn receive_map<'de, A: MapAccess<'de>>(map: A, unknown: &mut UnknownNames) -> Result<Self::Values<'de>, A::Error>;

    /// Reads all arguments in order.
    fn receive_seq<'de, A: SeqAccess<'de>>(sequence: A) -> Result<Self::Values<'de>, A::Error>;

    /// Reads the only argument by itself.
    fn receive_alone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Values<'de>, D::Error>;
}

/// Arguments as a map from parameter name to argument.
pub(crate) struct Named<'v, 'a, F: Signature> {
    arguments: &'v ArgumentsOf<'a, F>,
    compact: bool,
}

impl<'v, 'a, F: Signature> Named<'v, 'a, F> {
    /// As serde has them.
    pub(crate) fn new(arguments: &'v ArgumentsOf<'a, F>) -> Self {
        Named { arguments, compact: false }
    }

    /// With what is exactly a `Vec<u8>` as bytes.
    pub(crate) fn compact(arguments: &'v ArgumentsOf<'a, F>) -> Self {
        Named { arguments, compact: true }
    }
}

impl<F: Signature> Serialize for Named<'_, '_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::Arity::serialize_named(self.arguments, self.compact, serializer)
    }
}

/// The only argument of a function, by itself.
pub(crate) struct Alone<'v, 'a, F: Signature>(pub(crate) &'v ArgumentsOf<'a, F>);

impl<F: Signature> Serialize for Alone<'_, '_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::Arity::serialize_alone(self.0, serializer)
    }
}

/// One argument, as it is written into a map.
struct Sent<'v, A> {
    argument: &'v A,
    compact: bool,
}

impl<'a, A: Argument<'a>> Serialize for Sent<'_, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let send = |serializer| self.argument.send(serializer);
        if self.compact { compact(self.argument, serializer, send) } else { send(serializer) }
    }
}

/// Why a content type for single values cannot carry these arguments.
pub(crate) fn not_one(parameters: &[&str]) -> String {
    format!("it carries a single argument, and the function takes {}: {}", parameters.len(), parameters.join(", "))
}

macro_rules! arguments {
    ($count:literal: $($argument:ident $position:tt),*) => {
        impl<F: Signature $(+ Takes<$position>)*> Arguments<F> for Arity<$count> {
            type Values<'a> = ($(<F as Takes<$position>>::Argument<'a>,)*);

            fn required() -> Vec<bool> {
                vec![$(missing::<<F as Takes<$position>>::Argument<'static>, value::Error>("").is_err()),*]
            }

            #[allow(unused_mut, unused_variables, reason = "nothing is added to the map of no arguments")]
            fn serialize_named<S: Serializer>(
                values: &Self::Values<'_>,
                compact: bool,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let ($($argument,)*) = values;
                let mut map = serializer.serialize_map(Some($count))?;
                $(map.serialize_entry(F::PARAMETERS[$position], &Sent { argument: $argument, compact })?;)*
                map.end()
            }

            fn serialize_alone<S: Serializer>(values: &Self::Values<'_>, serializer: S) -> Result<S::Ok, S::Error> {
                arguments!(@serialize_alone F values serializer $($argument),*)
            }

            fn receive_map<'de, A: MapAccess<'de>>(
                mut map: A,
                unknown: &mut UnknownNames,
            ) -> Result<Self::Values<'de>, A::Error> {
                $(let mut $argument: Option<<F as Takes<$position>>::Argument<'de>> = None;)*
                while let Some(position) = map.next_key_seed(Name { parameters: F::PARAMETERS, unknown })? {
                    match position {
                        $(Some($position) => {
                            if $argument.replace(map.next_value_seed(Receive::new())?).is_some() {
                                return Err(duplicate(F::PARAMETERS[$position]));
                            }
                        })*
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(($(match $argument {
                    Some(argument) => argument,
                    None => missing(F::PARAMETERS[$position])?,
                },)*))
            }

            fn receive_seq<'de, A: SeqAccess<'de>>(mut sequence: A) -> Result<Self::Values<'de>, A::Error> {
                let values = ($(match sequence.next_element_seed(Receive::new())? {
                    Some(argument) => argument,
                    None => missing(F::PARAMETERS[$position])?,
                },)*);
                match sequence.next_element::<IgnoredAny>()? {
                    None => Ok(values),
                    Some(_) => Err(too_many(F::PARAMETERS)),
                }
            }

            fn receive_alone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Values<'de>, D::Error> {
                arguments!(@receive_alone F D deserializer $($argument),*)
            }
        }
    };
    (@serialize_alone $function:ident $values:ident $serializer:ident) => {{
        let () = $values;
        $serializer.serialize_unit()
    }};
    (@serialize_alone $function:ident $values:ident $serializer:ident $only:ident) => {
        $values.0.send($serializer)
    };
    (@serialize_alone $function:ident $values:ident $serializer:ident $($several:ident),+) => {{
        let _ = ($values, $serializer);
        Err(S::Error::custom(not_one($function::PARAMETERS)))
    }};
    (@receive_alone $function:ident $d:ident $deserializer:ident) => {
        serde::Deserialize::deserialize($deserializer)
    };
    (@receive_alone $function:ident $d:ident $deserializer:ident $only:ident) => {
        Ok((Argument::receive($deserializer)?,))
    };
    (@receive_alone $function:ident $d:ident $deserializer:ident $($several:ident),+) => {{
        let _ = $deserializer;
        Err($d::Error::custom(not_one($function::PARAMETERS)))
    }};
}

arguments!(0:);
arguments!(1: a 0);
arguments!(2: a 0, b 1);
arguments!(3: a 0, b 1, c 2);
arguments!(4: a 0, b 1, c 2, d 3);
arguments!(5: a 0, b 1, c 2, d 3, e 4);
arguments!(6: a 0, b 1, c 2, d 3, e 4, f 5);
arguments!(7: a 0, b 1, c 2, d 3, e 4, f 5, g 6);
arguments!(8: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7);
arguments!(9: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8);
arguments!(10: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9);
arguments!(11: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10);
arguments!(12: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11);
arguments!(13: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12);
arguments!(14: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12, n 13);
arguments!(15: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12, n 13, o 14);
arguments!(16: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12, n 13, o 14, p 15);
