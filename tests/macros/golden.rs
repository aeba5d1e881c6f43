//! The golden expansions of guirpc-macros, compiled: what stands there is what the compiler takes.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::pedantic, reason = "not written by hand")]

#[rustfmt::skip]
#[path = "../../guirpc-macros/golden/add.expanded.rs"]
mod add;
#[rustfmt::skip]
#[path = "../../guirpc-macros/golden/elsewhere.expanded.rs"]
mod elsewhere;
#[rustfmt::skip]
#[path = "../../guirpc-macros/golden/find.expanded.rs"]
mod find;
#[rustfmt::skip]
#[path = "../../guirpc-macros/golden/store.expanded.rs"]
mod store;

#[test]
#[allow(deprecated, reason = "one of them is")]
fn an_expansion_does_what_the_attribute_does() {
    use guirpc::Function;

    assert_eq!(add::add(1, 2), 3);
    assert_eq!(add::add::PARAMETERS, ["a", "b"]);
    assert_eq!((find::find::SERVICE, find::find::NAME), ("directory", "find-number"));
    assert_eq!(store::store_call::PARAMETERS, ["type", "bytes", "copies"]);
    assert_eq!(elsewhere::subtract::SERVICE, "math");
    assert_eq!(elsewhere::reset::PARAMETERS, [""; 0]);
}
