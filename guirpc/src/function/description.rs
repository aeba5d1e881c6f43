//! What the attribute reads off a function for those who call it: text, and how its types describe themselves.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

use super::Function;

/// A function that says what it is: everything that `#[guirpc::function]` is put on.
#[doc(hidden)]
pub trait Described: Function {
    /// What it is.
    const DESCRIPTION: Description;
}

/// A function, as its signature and its doc comment have it.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its arguments, in order; state and context are none.
    pub parameters: &'static [Parameter],
    /// Which of them have to be there.
    pub required: fn() -> Vec<bool>,
    /// The return type, as written.
    pub output: &'static str,
    /// What it returns, as it travels.
    pub returns: TypeDescription,
    /// The error that it may return.
    pub error: TypeDescription,
    /// The whole signature, as written, on one line.
    pub signature: &'static str,
    /// Its doc comment.
    pub docs: &'static str,
    /// Why it is deprecated, if it is.
    pub deprecated: Option<&'static str>,
    /// Where it was written.
    pub place: Place,
}

impl Description {
    /// One that says nothing but where it is.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) const fn empty(place: Place) -> Self {
        const NOTHING: TypeDescription = TypeDescription::of::<()>("", <DescriptionOf<()> as Undescribed>::SCHEMA);
        Description {
            parameters: &[],
            required: Vec::new,
            output: "",
            returns: NOTHING,
            error: NOTHING,
            signature: "",
            docs: "",
            deprecated: None,
            place,
        }
    }
}

#[cfg(all(feature = "schema", feature = "main"))]
impl Description {
    /// The types that do not describe themselves, as written.
    pub(crate) fn undescribed(&self) -> Vec<&'static str> {
        let parameters = self.parameters.iter().map(|parameter| &parameter.ty);
        let error = Some(&self.error).filter(|error| error.is_own_error());
        let undescribed = parameters.chain([&self.returns]).chain(error).filter(|ty| ty.schema.schema.is_none());
        let mut names: Vec<_> = undescribed.map(|ty| ty.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// An argument of a function: its name on the wire and its type.
#[derive(Debug)]
pub struct Parameter {
    /// The parameter's name.
    pub name: &'static str,
    /// The type.
    pub ty: TypeDescription,
}

/// A type: as written, and how it describes itself.
#[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "contracts are made with that feature"))]
#[derive(Clone, Copy)]
pub struct TypeDescription {
    /// As written.
    pub name: &'static str,
    pub(crate) schema: SelfDescription,
    id: fn() -> TypeId,
}

impl TypeDescription {
    /// The type `T`.
    pub const fn of<T: 'static>(name: &'static str, schema: SelfDescription) -> Self {
        TypeDescription { name, schema, id: TypeId::of::<T> }
    }

    /// Whether it is bytes, as a whole.
    #[cfg(feature = "schema")]
    pub(crate) fn is_bytes(&self) -> bool {
        (self.id)() == TypeId::of::<Vec<u8>>()
    }

    /// Whether it is an error that travels as such: a fault is told as one, and some functions have none.
    #[cfg(feature = "schema")]
    pub(crate) fn is_own_error(&self) -> bool {
        let id = (self.id)();
        [TypeId::of::<crate::error::Fault>(), TypeId::of::<std::convert::Infallible>()].iter().all(|other| *other != id)
    }
}

impl fmt::Debug for TypeDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypeDescription").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A place in the source code.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The file, as `file!()` names it.
    pub file: &'static str,
    /// The line, as `line!()` counts it.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a `&str` is, as it travels.
pub type TextDescription = String;

/// What a `&[u8]` is, as it travels.
pub type BytesDescription = Vec<u8>;

/// How a type describes itself, if it does and somebody may ask.
#[derive(Clone, Copy)]
pub struct SelfDescription {
    #[cfg(feature = "schema")]
    pub(crate) schema: Option<fn(&mut schemars::SchemaGenerator) -> schemars::Schema>,
}

/// Asks a concrete type whether it describes itself, without a bound that those which do not would break.
///
/// The constant in its own implementation is preferred over that of the trait [`Undescribed`].
pub struct DescriptionOf<T>(PhantomData<T>);

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> DescriptionOf<T> {
    /// By its JSON Schema.
    pub const SCHEMA: SelfDescription = SelfDescription { schema: Some(schemars::SchemaGenerator::subschema_for::<T>) };
}

/// The other half of [`DescriptionOf`]: what holds for all types for which nothing else is said.
pub trait Undescribed {
    /// It does not.
    const SCHEMA: SelfDescription = SelfDescription {
        #[cfg(feature = "schema")]
        schema: None,
    };
}

impl<T> Undescribed for DescriptionOf<T> {}
