//! What a schema allows, taken apart: a list of alternatives, each of one kind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One of the things that a schema allows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alternative<'a> {
    pub(super) kind: Kind<'a>,
    /// What else the schema asks for, in keywords that are compared as they stand.
    pub(super) extras: BTreeMap<&'a str, &'a Value>,
    /// The schema that it is all of, unless it is made of several.
    pub(super) origin: Option<&'a Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    /// Whatever there is.
    Any,
    Null,
    Boolean,
    /// This value only; never null.
    Constant(&'a Value),
    Integer(Integer),
    Number(Number),
    Text(Text<'a>),
    Array(Array<'a>),
    Object(Object<'a>),
}

/// Without a bound it reaches as far as integers travel, which is 128 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Integer {
    pub(super) minimum: Option<i128>,
    pub(super) maximum: Option<i128>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Number {
    /// Of 32 bits.
    pub(super) is_single: bool,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Text<'a> {
    pub(super) shortest: u64,
    pub(super) longest: Option<u64>,
    pub(super) pattern: Option<&'a str>,
    pub(super) format: Option<&'a str>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Array<'a> {
    /// The first items, each of a type of its own.
    pub(super) first: Vec<&'a Value>,
    /// All further items; `None`: anything.
    pub(super) items: Option<&'a Value>,
    pub(super) shortest: u64,
    pub(super) longest: Option<u64>,
    pub(super) is_set: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object<'a> {
    pub(super) properties: BTreeMap<&'a str, &'a Value>,
    /// Sorted, for comparing; [`Object::tag`] needs the order.
    pub(super) required: BTreeSet<&'a str>,
    /// The names in `required`, in their order: a tag is the first.
    pub(super) order: Vec<&'a str>,
    pub(super) patterns: BTreeMap<&'a str, &'a Value>,
    pub(super) rest: Rest<'a>,
}

/// What an object has beside the properties that it names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Rest<'a> {
    /// It is written with nothing else, and what else is there is not read.
    #[default]
    Ignored,
    /// Nothing else may be there.
    Refused,
    /// Anything else is of this type.
    Typed(&'a Value),
}

/// By what one variant of an enum is told from another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Variant<'a> {
    /// A text, or the only property of an object.
    External(&'a str),
    /// A property with a constant text.
    Tagged { tag: &'a str, name: &'a str },
    /// By nothing but its type.
    Untagged,
}

impl<'a> Alternative<'a> {
    pub(super) fn of(kind: Kind<'a>) -> Self {
        Alternative { kind, extras: BTreeMap::new(), origin: None }
    }

    pub(super) fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    pub(super) fn variant(&self) -> Variant<'a> {
        match &self.kind {
            Kind::Constant(Value::String(name)) => Variant::External(name),
            Kind::Object(object) => match (object.tag(), object.only()) {
                (Some((tag, name)), _) => Variant::Tagged { tag, name },
                (None, Some((name, _))) => Variant::External(name),
                (None, None) => Variant::Untagged,
            },
            _ => Variant::Untagged,
        }
    }
}

impl<'a> Variant<'a> {
    pub(super) fn name(self) -> Option<&'a str> {
        match self {
            Variant::External(name) | Variant::Tagged { name, .. } => Some(name),
            Variant::Untagged => None,
        }
    }
}

impl<'a> Object<'a> {
    /// The property that names the variant, with the name.
    fn tag(&self) -> Option<(&'a str, &'a str)> {
        self.order.iter().find_map(|name| Some((*name, self.properties.get(name)?.get("const")?.as_str()?)))
    }

    /// Its only property, if it is an externally tagged variant.
    pub(super) fn only(&self) -> Option<(&'a str, &'a Value)> {
        let mut properties = self.properties.iter();
        match (properties.next(), properties.next()) {
            (Some((name, schema)), None)
                if self.required.contains(name) && self.patterns.is_empty() && self.rest == Rest::Refused =>
            {
                Some((name, schema))
            }
            _ => None,
        }
    }
}

impl<'a> Array<'a> {
    /// The type of the item at this place; `None`: anything.
    pub(super) fn item(&self, at: usize) -> Option<&'a Value> {
        self.first.get(at).copied().or(self.items)
    }
}

impl Integer {
    /// The integers that a format stands for, if it is one of integers.
    pub(super) fn of_format(format: &str) -> Option<Integer> {
        let range = |minimum: i128, maximum: i128| Integer { minimum: Some(minimum), maximum: Some(maximum) };
        Some(match format {
            "int8" => range(i8::MIN.into(), i8::MAX.into()),
            "int16" => range(i16::MIN.into(), i16::MAX.into()),
            "int32" => range(i32::MIN.into(), i32::MAX.into()),
            "int64" | "int" => range(i64::MIN.into(), i64::MAX.into()),
            "int128" => range(i128::MIN, i128::MAX),
            "uint8" => range(0, u8::MAX.into()),
            "uint16" => range(0, u16::MAX.into()),
            "uint32" => range(0, u32::MAX.into()),
            "uint64" | "uint" => range(0, u64::MAX.into()),
            "uint128" => Integer { minimum: Some(0), maximum: None },
            _ => return None,
        })
    }

    pub(super) fn intersect(self, other: Integer) -> Integer {
        let minimum = self.minimum.into_iter().chain(other.minimum).max();
        let maximum = self.maximum.into_iter().chain(other.maximum).min();
        Integer { minimum, maximum }
    }

    /// Whether all of these are within the other's.
    pub(super) fn is_within(self, other: Integer) -> bool {
        let above = other.minimum.is_none_or(|bound| self.minimum.is_some_and(|minimum| minimum >= bound));
        above && other.maximum.is_none_or(|bound| self.maximum.is_some_and(|maximum| maximum <= bound))
    }
}
