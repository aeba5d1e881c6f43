//! Whether a number that is written with any number of digits is one of 64 bits.

/// The float of 64 bits that is exactly what the digits say, as far as floats are written: its own digits are the same.
pub(super) fn exactly(digits: &str) -> Option<f64> {
    let number: f64 = digits.parse().ok()?;
    let same = number.is_finite() && normal(digits)? == normal(&format!("{number:e}"))?;
    same.then_some(number)
}

/// A decimal number as its sign, its digits without zeros at either end, and the place of the last of them.
fn normal(number: &str) -> Option<(bool, String, i64)> {
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let exponent: i64 = exponent.parse().ok()?;
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let place = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let significant = significant.trim_start_matches('0');
    Some((is_negative, significant.to_owned(), if significant.is_empty() { 0 } else { place }))
}

#[cfg(test)]
mod tests {
    use super::exactly;

    #[test]
    fn a_float_is_taken_only_for_its_own_digits() {
        for (digits, number) in
            [("0.1", 0.1), ("1.50", 1.5), ("-0.0", -0.0), ("1e400", f64::NAN), ("1E2", 1e2), ("2.5e-7", 2.5e-7)]
        {
            assert_eq!(exactly(digits).map(f64::to_bits), Some(number).filter(|n| !n.is_nan()).map(f64::to_bits));
        }
        for digits in
            ["0.1000000000000000055", "340282366920938463463374607431768211455", "1e-400", "1.0000000000000001"]
        {
            assert_eq!(exactly(digits), None, "{digits}");
        }
        assert_eq!(exactly("1e30"), Some(1e30));
    }
}
