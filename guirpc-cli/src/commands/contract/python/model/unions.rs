//! Enums: what tells their variants apart.

use serde_json::Value;

use super::{Body, Direction, Model, is_class};
use crate::commands::contract::python::names;
use crate::commands::contract::python::schema::{self, Members, Variant};
use crate::commands::contract::python::shape::Shape;
use crate::failure::Failure;

impl Model<'_> {
    /// A union whose variants all have the members `base`, too.
    pub(super) fn union(
        &mut self,
        variants: &[Value],
        base: &Members,
        direction: Direction,
        name: &str,
    ) -> Result<Body, Failure> {
        if base.is_empty()
            && let Some(body) = self.keyed(variants, direction, name)?
        {
            return Ok(body);
        }
        let resolved = variants.iter().map(|variant| {
            let variant = self.resolved(variant)?;
            Ok(schema::merged(base.clone(), variant))
        });
        let resolved = resolved.collect::<Result<Vec<Members>, Failure>>()?;
        if let Some((tag, values)) = schema::tag(&resolved) {
            let mut tagged = Vec::new();
            for ((members, value), variant) in resolved.iter().zip(values).zip(variants) {
                let hint = format!("{name}{}", names::class(&value));
                let constants = [(tag.clone(), value.clone())];
                let make = |model: &mut Self, name: &str| model.class(members, &constants, direction, name);
                tagged.push((value.clone(), self.anonymous(&hint, schema::description(variant), make)?));
            }
            return Ok(Body::Tagged { tag, variants: tagged });
        }
        let mut shapes = Vec::new();
        for (number, (variant, members)) in (1..).zip(variants.iter().zip(resolved)) {
            let title = variant.get("title").and_then(Value::as_str);
            let hint = format!("{name}{}", title.map_or_else(|| format!("Variant{number}"), names::class));
            let merged = Value::Object(members);
            shapes.push(self.shape(if base.is_empty() { variant } else { &merged }, direction, &hint)?);
        }
        Ok(Body::OneOf(shapes))
    }

    /// The union, if it is externally tagged.
    fn keyed(&mut self, variants: &[Value], direction: Direction, name: &str) -> Result<Option<Body>, Failure> {
        let kinds: Vec<Variant<'_>> = variants.iter().map(Variant::of).collect();
        if kinds.iter().any(|kind| matches!(kind, Variant::Other)) {
            return Ok(None);
        }
        let (mut units, mut keyed) = (Vec::new(), Vec::new());
        for (kind, variant) in kinds.into_iter().zip(variants) {
            let Variant::Keyed(key, data) = kind else {
                if let Variant::Units(texts) = kind {
                    units.extend(texts);
                }
                continue;
            };
            let hint = format!("{name}{}", names::class(key));
            let docs = schema::description(variant);
            let members = data.as_object().map(schema::essence).unwrap_or_default();
            let is_struct = !members.contains_key("$ref") && is_class(&members);
            let shape = self.anonymous(&hint, docs, |model, name| {
                if is_struct {
                    return model.class(&members, &[], direction, name);
                }
                Ok(Body::Wrapper(model.shape(data, direction, &format!("{name}Value"))?))
            })?;
            keyed.push((key.to_owned(), shape));
        }
        if keyed.is_empty() {
            return Ok(Some(Body::Alias(Shape::Literals(units.into_iter().map(Value::String).collect()))));
        }
        Ok(Some(Body::Keyed { units, variants: keyed }))
    }
}
