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
#[path = "../../guirpc-macros/golden/python.expanded.rs"]
mod python;
#[rustfmt::skip]
#[path = "../../guirpc-macros/golden/store.expanded.rs"]
mod store;

#[test]
#[allow(deprecated, reason = "one of them is")]
fn an_expansion_does_what_the_attribute_does() {
    use guirpc::{Dialect, Function, PythonOptions, PythonSerializer, PythonTextCodec, Signature};

    assert_eq!(add::add(1, 2), 3);
    assert_eq!(add::add::PARAMETERS, ["a", "b"]);
    assert_eq!((find::find::SERVICE, find::find::NAME), ("directory", "find-number"));
    assert_eq!(store::store_call::PARAMETERS, ["type", "bytes", "copies"]);
    assert_eq!(elsewhere::subtract::SERVICE, "math");
    assert_eq!([elsewhere::reset::LANE, elsewhere::subtract::LANE], [Some("slow"), None]);
    assert_eq!(elsewhere::reset::PARAMETERS, [""; 0]);
    assert_eq!((elsewhere::reset::DIALECT, elsewhere::reset::PYTHON), (Dialect::Native, PythonOptions::new()));
    let (text, utf8) = (PythonSerializer::Text, PythonTextCodec::Utf8);
    let expected = PythonOptions { request: text, response: text, response_codec: utf8, ..PythonOptions::new() };
    assert_eq!((python::count::DIALECT, python::count::PYTHON), (Dialect::Native, expected));
    let expected = PythonOptions { response: PythonSerializer::Binary, ..PythonOptions::new() };
    assert_eq!((python::foobar_sum::DIALECT, python::foobar_sum::PYTHON), (Dialect::Python, expected));
}
