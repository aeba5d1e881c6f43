/// Subtracts; served by another program.
#[guirpc::function(service = "math")]
pub fn subtract(a: i64, b: i64) -> i64;

#[guirpc::function(service = "math", lane = "slow")]
pub fn reset();
