/// Counts; called by the Python package of the same name too.
#[guirpc::function(service = "text", python(request = "text", response = "text", response_codec = "utf-8"))]
pub fn count(sentence: &str) -> usize {
    sentence.len()
}

/// Adds; served by a Python program.
#[guirpc::function(service = "my_queue", dialect = "python", python(response = "binary"))]
pub fn foobar_sum(foo: i64, bar: i64) -> i64;
