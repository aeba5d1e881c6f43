//! The return type: whether it is a `Result`, and whether a `Reply` is in it.

use syn::{GenericArgument, PathArguments, PathSegment, ReturnType, Type};

use crate::attribute::Kind;
use crate::diagnostics::Diagnostics;
use crate::types::{bare, refuse_borrows};

/// The return type of a served function.
pub(crate) struct Returns {
    /// As written; `()` if it was not.
    pub(crate) ty: Type,
    /// Whether the type was written at all.
    pub(crate) is_written: bool,
    /// Whether it is a `Result`, under any name.
    pub(crate) is_fallible: bool,
    /// Whether the value is in a `guirpc::Reply`.
    pub(crate) is_replying: bool,
}

impl Returns {
    pub(crate) fn validate(written: &ReturnType, kind: Option<&Kind>, diagnostics: &mut Diagnostics) -> Self {
        let ty = match written {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        refuse_borrows(&ty, diagnostics);
        let last = last_segment(&ty);
        let is_fallible = match kind {
            Some(Kind::Fallible(_)) => true,
            Some(Kind::Infallible) => false,
            None => last.is_some_and(|segment| segment.ident.to_string().ends_with("Result")),
        };
        let is_written = matches!(written, ReturnType::Type(..));
        if let (Some(Kind::Fallible(option)), false) = (kind, is_written) {
            diagnostics.error(option, "the function returns nothing that could be a `Result`");
        }
        let is_replying = match (is_fallible, last) {
            (true, Some(result)) => first_argument(result).and_then(last_segment).is_some_and(is_reply),
            (false, Some(output)) => is_reply(output),
            (_, None) => false,
        };
        Returns { ty, is_written, is_fallible, is_replying }
    }
}

/// `Reply<T>`, by any path; a type of the user's own of that name without the `T` is another thing.
fn is_reply(segment: &PathSegment) -> bool {
    segment.ident == "Reply" && first_argument(segment).is_some()
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn first_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
