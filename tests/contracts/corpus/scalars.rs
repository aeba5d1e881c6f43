//! Numbers, texts and truth values, as arguments.

use super::pairs;

pairs! {
    integer_widened: ["integer-widened .n safe breaks"] {
        old { fn(n: i32) -> [String] { n.to_string() } (-7) }
        new { fn(n: i64) -> [String] { n.to_string() } (1 << 40) }
    }
    integer_narrowed: ["integer-narrowed .n breaks safe"] {
        old { fn(n: u64) -> [String] { n.to_string() } (1 << 40) }
        new { fn(n: u32) -> [String] { n.to_string() } (7) }
    }
    integer_signed: ["integer-narrowed .n breaks safe", "integer-widened .n safe breaks"] {
        old { fn(n: u32) -> [String] { n.to_string() } (u32::MAX) }
        new { fn(n: i32) -> [String] { n.to_string() } (-1) }
    }
    unsigned_in_a_wider_signed: ["integer-widened .n safe breaks"] {
        old { fn(n: u8) -> [String] { n.to_string() } (255) }
        new { fn(n: i16) -> [String] { n.to_string() } (-1) }
    }
    pointer_sized: [] {
        old { fn(n: usize) -> [String] { n.to_string() } (7) }
        new { fn(n: u64) -> [String] { n.to_string() } (u64::MAX) }
    }
    integer_of_128_bits: ["integer-widened .n safe breaks"] {
        old { fn(n: i64) -> [String] { n.to_string() } (-7) }
        // In MessagePack it has to fit into 64 bits, and more of them are without a sign.
        new { fn(n: i128) -> [String] { n.to_string() } (1 << 63) }
    }
    not_zero: ["integer-narrowed .n breaks safe"] {
        old { fn(n: u8) -> [String] { n.to_string() } (0) }
        new { fn(n: std::num::NonZeroU8) -> [String] { n.to_string() } (std::num::NonZeroU8::MIN) }
    }
    not_zero_with_a_sign: ["constraint-tightened .n breaks safe"] {
        old { fn(n: i8) -> [String] { n.to_string() } (0) }
        new { fn(n: std::num::NonZeroI8) -> [String] { n.to_string() } (std::num::NonZeroI8::MIN) }
    }
    zero_after_all: ["integer-widened .n safe breaks"] {
        old { fn(n: std::num::NonZeroU16) -> [String] { n.to_string() } (std::num::NonZeroU16::MIN) }
        new { fn(n: u16) -> [String] { n.to_string() } (0) }
    }
    float_for_an_integer: ["type-changed .n safe breaks"] {
        old { fn(n: i32) -> [String] { f64::from(n).to_string() } (-7) }
        new { fn(n: f64) -> [String] { n.to_string() } (0.5) }
    }
    float_for_a_large_integer: ["type-changed .n risky breaks"] {
        old { fn(n: i64) -> [String] { n.to_string() } ((1 << 53) + 1) }
        new { fn(n: f64) -> [String] { n.to_string() } (0.5) }
    }
    integer_for_a_float: ["type-changed .n breaks safe"] {
        old { fn(n: f64) -> [String] { n.to_string() } (0.5) }
        new { fn(n: i32) -> [String] { f64::from(n).to_string() } (-7) }
    }
    float_widened: ["number-widened .n safe risky"] {
        old { fn(n: f32) -> [String] { f64::from(n).to_string() } (0.1) }
        new { fn(n: f64) -> [String] { n.to_string() } (0.1) }
    }
    float_narrowed: ["number-narrowed .n risky safe"] {
        old { fn(n: f64) -> [String] { n.to_string() } (0.1) }
        new { fn(n: f32) -> [String] { f64::from(n).to_string() } (0.1) }
    }
    text_for_an_integer: ["type-changed .n breaks breaks"] {
        old { fn(n: u8) -> [String] { n.to_string() } (7) }
        new { fn(n: &str) -> [String] { n.to_owned() } ("7") }
    }
    truth_value_for_an_integer: ["type-changed .n breaks breaks"] {
        old { fn(n: u8) -> [String] { n.to_string() } (1) }
        new { fn(n: bool) -> [String] { n.to_string() } (true) }
    }
    text_for_a_character: ["constraint-loosened .c safe breaks"] {
        old { fn(c: char) -> [String] { c.to_string() } ('x') }
        new { fn(c: &str) -> [String] { c.to_owned() } ("xy") }
    }
    character_for_a_text: ["constraint-tightened .c breaks safe"] {
        old { fn(c: &str) -> [String] { c.to_owned() } ("xy") }
        new { fn(c: char) -> [String] { c.to_string() } ('x') }
    }
    address_for_a_text: ["constraint-tightened .host breaks safe"] {
        old { fn(host: &str) -> [String] { host.to_owned() } ("localhost") }
        new { fn(host: std::net::IpAddr) -> [String] { host.to_string() } ([127, 0, 0, 1].into()) }
    }
    any_address_for_one_of_four_bytes: ["constraint-loosened .host safe breaks"] {
        old { fn(host: std::net::Ipv4Addr) -> [String] { host.to_string() } (std::net::Ipv4Addr::LOCALHOST) }
        new { fn(host: std::net::IpAddr) -> [String] { host.to_string() } (std::net::Ipv6Addr::LOCALHOST.into()) }
    }
    newtype_for_what_is_in_it: [] {
        old { fn(id: u64) -> [String] { id.to_string() } (7) }
        new { [struct Id(u64);] fn(id: Id) -> [String] { id.0.to_string() } (Id(7)) }
    }
    struct_for_what_is_in_it: ["type-changed .id breaks breaks"] {
        old { fn(id: u64) -> [String] { id.to_string() } (7) }
        new { [struct Id { id: u64 }] fn(id: Id) -> [String] { id.id.to_string() } (Id { id: 7 }) }
    }
    box_for_what_is_in_it: [] {
        old { fn(id: u64) -> [String] { id.to_string() } (7) }
        new { fn(id: Box<u64>) -> [String] { id.to_string() } (Box::new(7)) }
    }
}
