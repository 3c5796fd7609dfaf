//! Quantities, compared by value: the API server answers `1024Mi` with `1Gi`.

/// A quantity in thousandths, so that `100m` and `0.1` are one; none where the text is no quantity. What is
/// finer is rounded away from zero, as the API server does with the resources of a container.
#[must_use]
pub fn milli(text: &str) -> Option<i128> {
    let split =
        text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (scale, finer) = exponent(suffix).or_else(|| unit(suffix))?;
    let (sign, digits) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let mantissa: i128 = digits.parse().ok()?;
    let denominator = i128::checked_pow(10, u32::try_from(fraction.len()).ok()?)?;
    let (numerator, denominator) = (mantissa.checked_mul(scale)?, denominator.checked_mul(finer)?);
    Some(sign * (numerator / denominator + i128::from(numerator % denominator != 0)))
}

/// The most tens that a quantity is multiplied with, which is more than there is of anything, and divided by:
/// what is finer is the least there is.
const POWERS: i32 = 24;

/// How many thousandths a power of ten is, as a fraction.
fn exponent(suffix: &str) -> Option<(i128, i128)> {
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let ten = |power: i32| i128::pow(10, power.unsigned_abs());
    match power {
        0..=POWERS => Some((1000 * ten(power), 1)),
        _ if power < 0 => Some((1000, ten(power.max(-POWERS)))),
        _ => None,
    }
}

/// How many thousandths a unit is, as a fraction.
fn unit(suffix: &str) -> Option<(i128, i128)> {
    const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    const DECIMAL: [&str; 8] = ["m", "", "k", "M", "G", "T", "P", "E"];
    if let Some(power) = BINARY.iter().position(|it| *it == suffix) {
        return Some((1000 * i128::pow(1024, u32::try_from(power).ok()? + 1), 1));
    }
    match suffix {
        "n" => return Some((1, 1_000_000)),
        "u" => return Some((1, 1000)),
        _ => {}
    }
    let power = DECIMAL.iter().position(|it| *it == suffix)?;
    Some((i128::pow(1000, u32::try_from(power).ok()?), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_quantities_are_equal_however_they_are_written() {
        for (one, other) in [
            ("1024Mi", "1Gi"),
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("1.5Gi", "1536Mi"),
            ("0.0001", "1m"),
            ("0.0015", "2m"),
            ("1500u", "2m"),
            ("1n", "1m"),
            ("2000u", "2m"),
            ("1e-1", "100e-3"),
            ("1e-99", "1m"),
            ("100e-3", "100m"),
            ("15E-4", "2m"),
            ("1.1234567891Gi", "1206302541.914"),
        ] {
            assert_eq!(milli(one), milli(other), "{one} {other}");
            assert!(milli(one).is_some());
        }
    }

    #[test]
    fn what_is_no_quantity_has_no_value() {
        for text in ["", "Gi", "ten", "1Zi", "1.2.3", "--1", ".", "1e", "1e99"] {
            assert_eq!(milli(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_compare_by_value() {
        assert!(milli("10Gi") < milli("100Gi"));
        assert!(milli("-1Gi") < milli("0"));
    }
}
