//! Traces: what goes on from a call to the calls that its function makes.

mod propagation;

pub(crate) use propagation::TraceContext;
