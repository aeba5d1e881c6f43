//! Pickles, as data: what would have to be run to be read is refused.
//!
//! The crate for them, serde-pickle 1.2, is not taken: 400 KB of nested lists overflow its stack, which ends the process,
//! it takes a list that is referred to twice for a recursion, and it does not write what Python writes.
//! A pickle that is data only needs few of the instructions anyway.

mod build;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::read;
pub(super) use write::write;
