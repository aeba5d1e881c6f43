//! A stand-in has the signature of its function: what the compiler checks, and how arguments reach it.

use crate::arguments::{Arguments, Arity, BytesArgument, Takes, TextArgument};
use crate::function::{Function, Return};

/// That `S` takes what `F` takes, and returns what `F` returns.
///
/// An implementation for each number of arguments is chosen by `F` alone, so the types of a closure need not be written.
pub trait Signature<F: Function, S>: Arguments<F> {
    /// Calls it.
    fn call(stand_in: &S, arguments: Self::Values<'_>) -> <F::Return as Return>::Value;
}

/// A parameter as a function takes it: the argument that came, or borrowed from that.
pub trait Taken<'v, A>: Sized {
    /// Takes the argument from where it is kept for the time of the call, or borrows from it.
    fn take(kept: &'v mut Option<A>) -> Self;
}

const KEPT: &str = "every argument is kept until the one parameter that it is for takes it";

impl<'v, T> Taken<'v, T> for T {
    fn take(kept: &'v mut Option<T>) -> T {
        kept.take().expect(KEPT)
    }
}

impl<'v, 'm> Taken<'v, TextArgument<'m>> for &'v str {
    fn take(kept: &'v mut Option<TextArgument<'m>>) -> &'v str {
        kept.as_ref().expect(KEPT)
    }
}

impl<'v, 'm> Taken<'v, BytesArgument<'m>> for &'v [u8] {
    fn take(kept: &'v mut Option<BytesArgument<'m>>) -> &'v [u8] {
        kept.as_ref().expect(KEPT)
    }
}

macro_rules! signature {
    ($count:literal: $($argument:ident $position:tt),*) => {
        impl<F: Function $(+ Takes<$position>)*, S> Signature<F, S> for Arity<$count>
        where
            S: for<'v> Fn($(<F as Takes<$position>>::Parameter<'v>),*) -> <F::Return as Return>::Value,
            $(for<'v, 'm> <F as Takes<$position>>::Parameter<'v>: Taken<'v, <F as Takes<$position>>::Argument<'m>>,)*
        {
            fn call(stand_in: &S, arguments: Self::Values<'_>) -> <F::Return as Return>::Value {
                let ($($argument,)*) = arguments;
                $(let mut $argument = Some($argument);)*
                stand_in($(Taken::take(&mut $argument)),*)
            }
        }
    };
}

signature!(0:);
signature!(1: a 0);
signature!(2: a 0, b 1);
signature!(3: a 0, b 1, c 2);
signature!(4: a 0, b 1, c 2, d 3);
signature!(5: a 0, b 1, c 2, d 3, e 4);
signature!(6: a 0, b 1, c 2, d 3, e 4, f 5);
signature!(7: a 0, b 1, c 2, d 3, e 4, f 5, g 6);
signature!(8: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7);
signature!(9: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8);
signature!(10: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9);
signature!(11: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10);
signature!(12: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11);
signature!(13: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12);
signature!(14: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12, n 13);
signature!(15: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12, n 13, o 14);
signature!(16: a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11, m 12, n 13, o 14, p 15);
