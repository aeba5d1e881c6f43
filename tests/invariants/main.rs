//! The invariants of ARCHITECTURE.md: mostly of what the source does not contain.
//!
//! Some are held elsewhere: that dispatch answers anything, in `tests/dispatch`; what an expansion may name, beside
//! the expansions in `guirpc-macros`; that nothing is `unsafe`, by the workspace's lints.

mod layers;
mod library;
mod project;
mod source;
