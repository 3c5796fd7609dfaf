//! Lengths of time as the spec writes them: `168h`, `90m`, `1h30m`.

/// A length of time in seconds; none where the text is none, which the definition of the resource refuses.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut digits) = (0_u64, String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let each = match letter {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let count: u64 = digits.parse().ok()?;
        total = total.checked_add(count.checked_mul(each)?)?;
        digits.clear();
    }
    (digits.is_empty() && total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_minutes_and_seconds_add_up_and_anything_else_is_no_length_of_time() {
        assert_eq!(seconds("168h"), Some(604_800));
        assert_eq!(seconds("1h30m5s"), Some(5405));
        for odd in ["", "5", "h", "1d", "-1h", "0s", "1h5", "99999999999999999999h"] {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }
}
