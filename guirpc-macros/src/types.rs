//! What may stand in the types of a served function.

use syn::visit::{self, Visit};
use syn::{Lifetime, Type, TypeImplTrait, TypeInfer, TypeNever, TypeReference};

use crate::diagnostics::Diagnostics;

/// How an argument is taken from the message that carries it.
pub(crate) enum Passing {
    /// Decoded into a value of its own.
    Owned,
    /// `&str`, borrowed from the message where possible.
    Text,
    /// `&[u8]`, likewise.
    Bytes,
}

impl Passing {
    /// How an argument of this type is passed, noting what cannot be passed at all.
    pub(crate) fn of(ty: &Type, diagnostics: &mut Diagnostics) -> Self {
        let Type::Reference(reference) = bare(ty) else {
            refuse_borrows(ty, diagnostics);
            return Passing::Owned;
        };
        refuse_mut(reference, diagnostics);
        if let Some(lifetime) = unreported(reference.lifetime.as_ref()) {
            diagnostics.error(lifetime, "an argument is borrowed for the time of the call: leave the lifetime out");
        }
        match bare(&reference.elem) {
            Type::Path(path) if path.path.is_ident("str") => Passing::Text,
            Type::Slice(slice) if is_byte(&slice.elem) => Passing::Bytes,
            elem => {
                diagnostics.error(
                    reference.and_token,
                    "only `&str` and `&[u8]` can be borrowed from a message: take the argument by value, or mark \
                     the parameter with `#[state]`",
                );
                refuse_borrows(elem, diagnostics);
                Passing::Owned
            }
        }
    }
}

/// Notes every reference, lifetime and unnamed type inside a type that has to be named and owned.
pub(crate) fn refuse_borrows(ty: &Type, diagnostics: &mut Diagnostics) {
    Borrows { diagnostics }.visit_type(ty);
}

/// The type that a marked parameter refers to.
pub(crate) fn referent(ty: &Type, marker: &str, diagnostics: &mut Diagnostics) -> Option<Type> {
    let Type::Reference(reference) = bare(ty) else {
        diagnostics.error(ty, format!("a parameter marked `#[{marker}]` is a reference: put `&` before its type"));
        return None;
    };
    refuse_mut(reference, diagnostics);
    if let Some(lifetime) = unreported(reference.lifetime.as_ref()) {
        diagnostics.error(lifetime, "it is borrowed for the time of the call: leave the lifetime out");
    }
    if let Type::TraitObject(_) | Type::ImplTrait(_) = bare(&reference.elem) {
        diagnostics.error(&reference.elem, "state is found by its type, which has to be named: wrap it in a struct");
    }
    Some((*reference.elem).clone())
}

/// A lifetime that is not declared by the function: one that is has been reported there, once for all its uses.
fn unreported(lifetime: Option<&Lifetime>) -> Option<&Lifetime> {
    lifetime.filter(|lifetime| lifetime.ident == "static" || lifetime.ident == "_")
}

fn refuse_mut(reference: &TypeReference, diagnostics: &mut Diagnostics) {
    if let Some(mutability) = &reference.mutability {
        diagnostics.error(
            mutability,
            "nothing can be changed through a call: return what is new; state that changes goes behind a `Mutex`",
        );
    }
}

/// The type inside parentheses, and inside the invisible ones of a macro.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => bare(&inner.elem),
        Type::Group(inner) => bare(&inner.elem),
        ty => ty,
    }
}

fn is_byte(ty: &Type) -> bool {
    matches!(bare(ty), Type::Path(path) if path.path.is_ident("u8"))
}

struct Borrows<'m> {
    diagnostics: &'m mut Diagnostics,
}

impl<'ast> Visit<'ast> for Borrows<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.diagnostics.error(
            reference.and_token,
            "nothing can be borrowed here: a message carries values, so name an owned type such as `String`",
        );
        self.visit_type(&reference.elem);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if let Some(lifetime) = unreported(Some(lifetime)) {
            self.diagnostics.error(lifetime, "a served function cannot name lifetimes: use owned types");
        }
    }

    fn visit_type_impl_trait(&mut self, unnamed: &'ast TypeImplTrait) {
        self.diagnostics
            .error(unnamed, "`impl Trait` leaves the type open, and a message has to be decoded into one: name it");
    }

    fn visit_type_infer(&mut self, unnamed: &'ast TypeInfer) {
        self.diagnostics.error(unnamed, "the type has to be named");
    }

    fn visit_type_never(&mut self, never: &'ast TypeNever) {
        self.diagnostics.error(never, "a call ends with a reply, so a served function has to return");
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.first().is_some_and(|segment| segment.ident == "Self") {
            self.diagnostics.error(path, "an associated function cannot be served: move it out of its `impl` block");
        }
        visit::visit_path(self, path);
    }

    fn visit_expr(&mut self, _length: &'ast syn::Expr) {
        // The `&` in the length of an array is an operator.
    }
}
