//! Types that contain themselves: a pointer at each place where they do.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Data, Definition, Shape, Type};

/// Boxes what would make a type infinitely large.
pub(super) fn insert(definitions: &mut BTreeMap<String, Definition>) {
    let mut contained: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, definition) in definitions.iter_mut() {
        let names = contained.entry(name.clone()).or_default();
        each_type(definition, &mut |ty| {
            direct(ty, &mut |inner| {
                if let Type::Named(name) = inner {
                    names.insert(name.clone());
                }
            });
        });
    }
    for (name, definition) in definitions.iter_mut() {
        each_type(definition, &mut |ty| {
            direct(ty, &mut |inner| {
                if let Type::Named(other) = inner
                    && reaches(&contained, other, name)
                {
                    *inner = Type::Boxed(other.clone());
                }
            });
        });
    }
}

fn reaches(contained: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(name) = next.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            next.extend(contained.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

fn each_type(definition: &mut Definition, see: &mut dyn FnMut(&mut Type)) {
    match &mut definition.shape {
        Shape::Struct(fields) => fields.iter_mut().for_each(|field| see(&mut field.ty)),
        Shape::Newtype(ty) => see(ty),
        Shape::Enum(_, variants) => variants.iter_mut().for_each(|variant| match &mut variant.data {
            Data::Unit => {}
            Data::Tuple(types) => types.iter_mut().for_each(&mut *see),
            Data::Struct(fields) => fields.iter_mut().for_each(|field| see(&mut field.ty)),
        }),
    }
}

/// The type and what is in it without a pointer; lists and maps are such.
fn direct(ty: &mut Type, see: &mut dyn FnMut(&mut Type)) {
    match ty {
        Type::Option(inner) | Type::Array(inner, _) => direct(inner, see),
        Type::Tuple(types) => types.iter_mut().for_each(|ty| direct(ty, see)),
        ty => see(ty),
    }
}
