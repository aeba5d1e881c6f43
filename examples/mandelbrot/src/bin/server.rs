//! Computes tiles: `cargo run --release -p mandelbrot --bin server`, on as many machines as there are.

// The functions are in the library; a crate that no path mentions is not linked.
use mandelbrot as _;

guirpc::main!();
