//! Scalars, lists and maps: what needs no class.

use serde_json::Value;

use super::{Direction, Model, types};
use crate::commands::contract::python::schema::Members;
use crate::commands::contract::python::shape::Shape;
use crate::failure::Failure;

impl Model<'_> {
    pub(super) fn plain(&mut self, members: &Members, direction: Direction, hint: &str) -> Result<Shape, Failure> {
        if let Some(value) = members.get("const") {
            return Ok(if value.is_null() { Shape::Null } else { Shape::Literals(vec![value.clone()]) });
        }
        if let Some(values) = members.get("enum").and_then(Value::as_array) {
            return Ok(Shape::Literals(values.clone()));
        }
        let names = types(members);
        let others: Vec<&str> = names.iter().copied().filter(|name| *name != "null").collect();
        let shape = match others[..] {
            [] if names.is_empty() && members.contains_key("items") => self.list(members, direction, hint)?,
            [] if names.is_empty() => return Ok(Shape::Any),
            [] => return Ok(Shape::Null),
            [only] => self.typed(only, members, direction, hint)?,
            // Of several types: whatever has none of the others' names is decided when it is there.
            _ => Shape::Any,
        };
        Ok(if names.len() > others.len() { shape.nullable() } else { shape })
    }

    fn typed(&mut self, name: &str, members: &Members, direction: Direction, hint: &str) -> Result<Shape, Failure> {
        match name {
            "boolean" => Ok(Shape::Boolean),
            "integer" => Ok(integer(members)),
            "number" => Ok(Shape::Number { single: members.get("format").and_then(Value::as_str) == Some("float") }),
            "string" => Ok(Shape::Text {
                least: count(members, "minLength").unwrap_or_default(),
                most: count(members, "maxLength"),
            }),
            "array" => self.list(members, direction, hint),
            "object" => self.map(members, direction, hint),
            other => Err(Failure::usage(format!("the contract has a schema of the unknown type `{other}`"))),
        }
    }

    fn list(&mut self, members: &Members, direction: Direction, hint: &str) -> Result<Shape, Failure> {
        if let Some(places) = members.get("prefixItems").and_then(Value::as_array) {
            let shapes =
                (1..).zip(places).map(|(number, place)| self.shape(place, direction, &format!("{hint}{number}")));
            return Ok(Shape::Tuple(shapes.collect::<Result<_, _>>()?));
        }
        let (least, most) = (count(members, "minItems").unwrap_or_default(), count(members, "maxItems"));
        let inner = match members.get("items") {
            None => Shape::Any,
            Some(items) => self.shape(items, direction, &format!("{hint}Item"))?,
        };
        // A tuple of nothing.
        if most == Some(0) {
            return Ok(Shape::Tuple(Vec::new()));
        }
        Ok(Shape::Items { inner: Box::new(inner), least, most })
    }

    fn map(&mut self, members: &Members, direction: Direction, hint: &str) -> Result<Shape, Failure> {
        let by_pattern = members.get("patternProperties").and_then(Value::as_object).and_then(|all| all.iter().next());
        if let Some((pattern, schema)) = by_pattern {
            let inner = Box::new(self.shape(schema, direction, &format!("{hint}Value"))?);
            return Ok(match pattern.as_str() {
                r"^\d+$" => Shape::IntegerEntries { inner, signed: false },
                r"^-?\d+$" => Shape::IntegerEntries { inner, signed: true },
                _ => Shape::Entries(inner),
            });
        }
        let inner = match members.get("additionalProperties") {
            None => Shape::Any,
            Some(schema) => self.shape(schema, direction, &format!("{hint}Value"))?,
        };
        Ok(Shape::Entries(Box::new(inner)))
    }
}

fn count(members: &Members, name: &str) -> Option<u64> {
    members.get(name)?.as_u64()
}

/// An integer within its format and its bounds; MessagePack has none of more than 64 bits.
fn integer(members: &Members) -> Shape {
    let (least, most): (i128, i128) = match members.get("format").and_then(Value::as_str) {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int64" | "int") => (i64::MIN.into(), i64::MAX.into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint" | "uint128") => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), u64::MAX.into()),
    };
    let bound = |name: &str| {
        let number = members.get(name)?;
        number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
    };
    Shape::Integer {
        least: bound("minimum").map_or(least, |bound| bound.max(least)),
        most: bound("maximum").map_or(most, |bound| bound.min(most)),
    }
}
