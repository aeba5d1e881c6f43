//! guirpc
pub use guirpc_macros::function;
