//! Lists, sets, tuples and maps, in both directions.

use super::pairs;

pairs! {
    items_widened: ["integer-widened .list[] safe breaks"] {
        old { fn(list: Vec<i8>) -> [String] { format!("{list:?}") } (vec![-1]) }
        new { fn(list: Vec<i16>) -> [String] { format!("{list:?}") } (vec![300]) }
    }
    bytes_widened: ["integer-widened .list[] safe breaks"] {
        old { fn(list: Vec<u8>) -> [String] { format!("{list:?}") } (vec![1, 200]) }
        new { fn(list: Vec<u16>) -> [String] { format!("{list:?}") } (vec![300]) }
    }
    bytes_in_a_deque: [] {
        old { fn(list: Vec<u8>) -> [String] { format!("{list:?}") } (vec![1, 200]) }
        new { fn(list: std::collections::VecDeque<u8>) -> [String] { format!("{list:?}") } ([1, 200].into()) }
    }
    text_for_bytes: ["type-changed .data breaks breaks"] {
        old { fn(data: &[u8]) -> [usize] { data.len() } (b"abc") }
        new { fn(data: &str) -> [usize] { data.len() } ("abc") }
    }
    set_for_a_list: ["constraint-tightened .list risky safe"] {
        old { fn(list: Vec<u16>) -> [String] { format!("{}", list.len()) } (vec![1, 1]) }
        new { fn(list: BTreeSet<u16>) -> [String] { format!("{}", list.len()) } (BTreeSet::from([1, 2])) }
    }
    list_for_a_set: ["constraint-loosened .list safe risky"] {
        old { fn(list: BTreeSet<u16>) -> [String] { format!("{}", list.len()) } (BTreeSet::from([1, 2])) }
        new { fn(list: Vec<u16>) -> [String] { format!("{}", list.len()) } (vec![1, 1]) }
    }
    array_of_another_length: ["length-changed .list breaks breaks"] {
        old { fn(list: [u16; 2]) -> [String] { format!("{list:?}") } ([1, 2]) }
        new { fn(list: [u16; 3]) -> [String] { format!("{list:?}") } ([1, 2, 3]) }
    }
    list_for_an_array: ["length-changed .list safe breaks"] {
        old { fn(list: [u16; 2]) -> [String] { format!("{list:?}") } ([1, 2]) }
        new { fn(list: Vec<u16>) -> [String] { format!("{list:?}") } (vec![1, 2, 3]) }
    }
    array_for_a_list: ["length-changed .list breaks safe"] {
        old { fn(list: Vec<u16>) -> [String] { format!("{list:?}") } (vec![1]) }
        new { fn(list: [u16; 2]) -> [String] { format!("{list:?}") } ([1, 2]) }
    }
    tuple_for_an_array: [] {
        old { fn(list: [u16; 2]) -> [String] { format!("{} {}", list[0], list[1]) } ([1, 2]) }
        new { fn(list: (u16, u16)) -> [String] { format!("{} {}", list.0, list.1) } ((1, 2)) }
    }
    tuple_longer: ["length-changed .t breaks breaks"] {
        old { fn(t: (u8, bool)) -> [String] { format!("{t:?}") } ((1, true)) }
        new { fn(t: (u8, bool, u8)) -> [String] { format!("{t:?}") } ((1, true, 2)) }
    }
    tuple_item_widened: ["integer-widened .t[1] safe breaks"] {
        old { fn(t: (bool, u8)) -> [String] { format!("{t:?}") } ((true, 1)) }
        new { fn(t: (bool, u16)) -> [String] { format!("{t:?}") } ((true, 300)) }
    }
    tuple_struct_for_a_struct: ["type-changed .t breaks breaks", "really servers intact, serde reads structs of lists, too"] {
        old { [struct T { a: u8, b: u8 }] fn(t: T) -> [String] { format!("{} {}", t.a, t.b) } (T { a: 1, b: 2 }) }
        new { [struct T(u8, u8);] fn(t: T) -> [String] { format!("{} {}", t.0, t.1) } (T(1, 2)) }
    }
    tuple_output_shorter: ["length-changed .output breaks breaks"] {
        old { fn() -> [(u8, u8)] { (1, 2) } () }
        new { fn() -> [(u8,)] { (1,) } () }
    }
    list_for_one: ["type-changed .a breaks breaks"] {
        old { fn(a: u16) -> [String] { a.to_string() } (1) }
        new { fn(a: Vec<u16>) -> [String] { format!("{a:?}") } (vec![1]) }
    }
    map_values_narrowed: ["integer-narrowed .map{} breaks safe"] {
        old { fn(map: BTreeMap<String, u16>) -> [String] { format!("{map:?}") } (BTreeMap::from([("a".to_owned(), 300)])) }
        new { fn(map: BTreeMap<String, u8>) -> [String] { format!("{map:?}") } (BTreeMap::from([("a".to_owned(), 1)])) }
    }
    map_keys_numbers: ["map-keys-changed .map{} breaks safe"] {
        old {
            fn(map: BTreeMap<String, u8>) -> [String] { map.keys().cloned().collect() }
            (BTreeMap::from([("a".to_owned(), 1)]))
        }
        new {
            fn(map: BTreeMap<u32, u8>) -> [String] { map.keys().map(u32::to_string).collect() }
            (BTreeMap::from([(7, 1)]))
        }
    }
    map_keys_signed: ["map-keys-changed .map{} safe breaks"] {
        old {
            fn(map: BTreeMap<u32, u8>) -> [String] { map.keys().map(u32::to_string).collect() }
            (BTreeMap::from([(7, 1)]))
        }
        new {
            fn(map: BTreeMap<i32, u8>) -> [String] { map.keys().map(i32::to_string).collect() }
            (BTreeMap::from([(-7, 1)]))
        }
    }
    map_for_a_list_of_pairs: ["type-changed .map breaks breaks"] {
        old {
            fn(map: Vec<(String, u8)>) -> [String] { map.into_iter().map(|(key, _)| key).collect() }
            (vec![("a".to_owned(), 1)])
        }
        new {
            fn(map: BTreeMap<String, u8>) -> [String] { map.into_keys().collect() }
            (BTreeMap::from([("a".to_owned(), 1)]))
        }
    }
    map_output_values_widened: ["integer-widened .output{} breaks safe"] {
        old { fn() -> [BTreeMap<String, u8>] { BTreeMap::from([("a".to_owned(), 1)]) } () }
        new { fn() -> [BTreeMap<String, u16>] { BTreeMap::from([("a".to_owned(), 300)]) } () }
    }
    unit_keys_of_an_enum: ["field-added .map.B safe breaks"] {
        old {
            [#[derive(Eq, PartialOrd, Ord)] enum Key { A }]
            fn(map: BTreeMap<Key, u8>) -> [String] { format!("{map:?}") } (BTreeMap::from([(Key::A, 1)]))
        }
        new {
            [#[derive(Eq, PartialOrd, Ord)] enum Key { A, B }]
            fn(map: BTreeMap<Key, u8>) -> [String] { format!("{map:?}") } (BTreeMap::from([(Key::B, 1)]))
        }
    }
}
