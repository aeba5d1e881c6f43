//! What the attribute says of a function.
//!
//! What a promise is worth that is broken shows when something is lost, so of most of these a call of both versions is
//! intact, and the rule says what it would be.

use super::pairs;

pairs! {
    lane_added: ["lane-changed - safe breaks"] {
        old { fn() -> [u8] { 1 } () }
        new { #(lane = "added") fn() -> [u8] { 1 } () }
    }
    lane_removed: ["lane-changed - breaks safe"] {
        old { #(lane = "removed") fn() -> [u8] { 1 } () }
        new { fn() -> [u8] { 1 } () }
    }
    lane_changed: ["lane-changed - breaks breaks"] {
        old { #(lane = "one") fn() -> [u8] { 1 } () }
        new { #(lane = "other") fn() -> [u8] { 1 } () }
    }
    idempotent_withdrawn: ["idempotent-withdrawn - breaks safe", "really callers intact, as long as no reply is lost"] {
        old { #(idempotent) fn() -> [u8] { 1 } () }
        new { fn() -> [u8] { 1 } () }
    }
    idempotent_granted: ["idempotent-granted - safe breaks", "really servers intact, as long as no reply is lost"] {
        old { fn() -> [u8] { 1 } () }
        new { #(idempotent) fn() -> [u8] { 1 } () }
    }
    ack_changed: [
        "ack-changed - risky risky",
        "really callers intact, as long as no server ends",
        "really servers intact",
    ] {
        old { fn() -> [u8] { 1 } () }
        new { #(ack = "early") fn() -> [u8] { 1 } () }
    }
    timeout_longer: ["timeout-changed - risky safe", "really callers intact, as long as it is quick"] {
        old { fn() -> [u8] { 1 } () }
        new { #(timeout = "60s") fn() -> [u8] { 1 } () }
    }
    timeout_shorter: ["timeout-changed - safe risky", "really servers intact, as long as it is quick"] {
        old { fn() -> [u8] { 1 } () }
        new { #(timeout = "9s") fn() -> [u8] { 1 } () }
    }
    coalesce_added: ["coalesce-changed - safe safe"] {
        old { fn() -> [u8] { 1 } () }
        new { #(coalesce) fn() -> [u8] { 1 } () }
    }
    context_added: [] {
        old { fn() -> [u8] { 1 } () }
        new { fn(#[context] context: &guirpc::Context) -> [u8] { u8::from(context.is_awaited()) } () }
    }
}
