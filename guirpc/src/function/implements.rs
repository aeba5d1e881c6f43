//! What the compiler holds a function to that implements one without a body.

/// An argument that has the type with which it is declared.
#[diagnostic::on_unimplemented(
    message = "this argument is a `{Self}`, and a `{Declared}` in the function that is implemented",
    label = "declared as `{Declared}`",
    note = "callers send what is declared: change the one or the other"
)]
pub trait ArgumentAs<Declared> {}

impl<T> ArgumentAs<T> for T {}

/// An output that has the type with which it is declared.
#[diagnostic::on_unimplemented(
    message = "this function returns a `{Self}`, and the function that is implemented a `{Declared}`",
    label = "declared as `{Declared}`",
    note = "callers expect what is declared: change the one or the other"
)]
pub trait OutputAs<Declared> {}

impl<T> OutputAs<T> for T {}

/// An error that has the type with which it is declared.
#[diagnostic::on_unimplemented(
    message = "the error of this function is a `{Self}`, and a `{Declared}` in the function that is implemented",
    label = "declared as `{Declared}`",
    note = "callers expect what is declared: change the one or the other; `Infallible` is that of a function that \
            has no error"
)]
pub trait ErrorAs<Declared> {}

impl<T> ErrorAs<T> for T {}

/// Asks for the one bound.
pub const fn same_argument<T: ArgumentAs<Declared>, Declared>() {}

/// Asks for the one bound.
pub const fn same_output<T: OutputAs<Declared>, Declared>() {}

/// Asks for the one bound.
pub const fn same_error<T: ErrorAs<Declared>, Declared>() {}

/// Whether the arguments of two functions have the same names, in the same order.
pub const fn same_names(declared: &[&str], here: &[&str]) -> bool {
    if declared.len() != here.len() {
        return false;
    }
    let mut at = 0;
    while at < here.len() {
        if !same_text(declared[at].as_bytes(), here[at].as_bytes()) {
            return false;
        }
        at += 1;
    }
    true
}

const fn same_text(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Stops the compilation of a function whose arguments are not those of the one that it implements.
///
/// # Panics
/// If they are not: at compile time, with what to do about it.
#[track_caller]
pub const fn refuse_other_arguments(are_the_same: bool) {
    assert!(
        are_the_same,
        "the arguments are not those of the function that is implemented: their number, names and order are what \
         callers send, so they have to be the same"
    );
}
