//! The return type: whether it is a `Result`, and whether a `Reply` is in it.

use syn::{GenericArgument, PathArguments, PathSegment, ReturnType, Type};

use crate::attribute::Kind;
use crate::diagnostics::Diagnostics;
use crate::text::written;
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
    /// The types of what is returned and of the error as written, as far as the return type shows them.
    pub(crate) fn written(&self) -> (String, String) {
        let whole = || (written(&self.ty), String::new());
        let (output, error) = match (self.is_fallible, last_segment(&self.ty)) {
            (false, _) => (Some(&self.ty), None),
            (true, Some(result)) => {
                let mut arguments = type_arguments(result);
                (arguments.next(), arguments.next())
            }
            (true, None) => return whole(),
        };
        let Some(output) = output else { return whole() };
        let value =
            if self.is_replying { last_segment(output).and_then(first_argument).unwrap_or(output) } else { output };
        (written(value), error.map(written).unwrap_or_default())
    }

    pub(crate) fn validate(output: &ReturnType, kind: Option<&Kind>, diagnostics: &mut Diagnostics) -> Self {
        let ty = match output {
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
        let is_written = matches!(output, ReturnType::Type(..));
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
    type_arguments(segment).next()
}

fn type_arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
