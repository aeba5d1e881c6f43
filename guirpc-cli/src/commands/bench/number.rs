//! Numbers as people read them.

/// A count, to calculate with.
#[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

/// Without decimals, in groups of three digits.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// With three digits that say something.
pub(super) fn three_digits(number: f64) -> String {
    match number {
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => grouped(number),
    }
}

/// Microseconds in milliseconds.
pub(super) fn milliseconds(microseconds: u64) -> String {
    let milliseconds = float(microseconds) / 1e3;
    if milliseconds < 1.0 { format!("{milliseconds:.3}") } else { three_digits(milliseconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 999.0, 1000.4, 1_234_567.0, -1000.0].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567", "-1,000"]);
        assert_eq!(
            [1, 331, 4_104, 12_449, 152_300, 10_000_000].map(milliseconds),
            ["0.001", "0.331", "4.10", "12.4", "152", "10,000"]
        );
    }
}
