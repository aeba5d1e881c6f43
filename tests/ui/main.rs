//! What the attribute refuses, and in which words: one file for each mistake, beside it what the compiler prints.
//!
//! `TRYBUILD=overwrite cargo test -p guirpc-ui-tests` rewrites what the compiler prints.

#[test]
fn mistakes_are_refused_in_words() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}
