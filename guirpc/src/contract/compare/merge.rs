//! What two schemas allow together: an object with the tag of its variant, a struct with what is flattened into it.

use super::normalize::Unprovable;
use super::shape::{Alternative, Kind, Object, Rest};

/// What both allow, if there is anything.
pub(super) fn merge<'a>(one: &Alternative<'a>, other: &Alternative<'a>) -> Result<Option<Alternative<'a>>, Unprovable> {
    let kind = match (&one.kind, &other.kind) {
        (Kind::Any, kind) | (kind, Kind::Any) => kind.clone(),
        (one, other) if one == other => one.clone(),
        (Kind::Object(one), Kind::Object(other)) => Kind::Object(objects(one, other)?),
        (Kind::Integer(one), Kind::Integer(other)) => Kind::Integer(one.intersect(*other)),
        (one, other) if std::mem::discriminant(one) != std::mem::discriminant(other) && !is_constant(one, other) => {
            return Ok(None);
        }
        _ => return Err(Unprovable("two schemas for one value, by `allOf` or beside a `$ref`".to_owned())),
    };
    let mut extras = one.extras.clone();
    for (keyword, value) in &other.extras {
        if extras.insert(keyword, value).is_some_and(|known| known != *value) {
            return Err(Unprovable(format!("`{keyword}` twice for one value")));
        }
    }
    let origin = match (&one.kind, &other.kind) {
        (Kind::Any, _) => other.origin,
        (_, Kind::Any) => one.origin,
        _ => None,
    };
    Ok(Some(Alternative { kind, extras, origin }))
}

fn is_constant(one: &Kind<'_>, other: &Kind<'_>) -> bool {
    matches!(one, Kind::Constant(_)) || matches!(other, Kind::Constant(_))
}

fn objects<'a>(one: &Object<'a>, other: &Object<'a>) -> Result<Object<'a>, Unprovable> {
    let mut merged = one.clone();
    let known = [(&mut merged.properties, &other.properties), (&mut merged.patterns, &other.patterns)];
    for (members, others) in known {
        for (name, schema) in others {
            if members.insert(name, schema).is_some_and(|known| known != *schema) {
                return Err(Unprovable(format!("the property `{name}` twice in one object, as two types")));
            }
        }
    }
    merged.required.extend(&other.required);
    merged.order.extend(&other.order);
    merged.rest = match (one.rest, other.rest) {
        (Rest::Ignored, rest) | (rest, Rest::Ignored) => rest,
        (one, other) if one == other => one,
        _ => return Err(Unprovable("two kinds of further properties in one object".to_owned())),
    };
    Ok(merged)
}
