//! Convex's values in JSON. Whole numbers of 64 bits are `{"$integer":"<base64 of 8 bytes, little-endian>"}` in the encoded
//! form, which is how this store keeps them, and decimal strings in the plain one.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// A 64-bit integer in the encoded form.
#[must_use]
pub fn integer(number: i64) -> Value {
    json!({ "$integer": STANDARD.encode(number.to_le_bytes()) })
}

/// The number that `value` encodes, if it is a 64-bit integer.
#[must_use]
pub fn integer_of(value: &Value) -> Option<i64> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let bytes = STANDARD.decode(object.get("$integer")?.as_str()?).ok()?;
    Some(i64::from_le_bytes(bytes.try_into().ok()?))
}

/// `value` in the plain form.
#[must_use]
pub fn plain(value: Value) -> Value {
    if let Some(number) = integer_of(&value) {
        return json!(number.to_string());
    }
    match value {
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, plain(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_eight_bytes_in_base64_or_a_decimal_string() {
        assert_eq!(integer(0), json!({ "$integer": "AAAAAAAAAAA=" }));
        assert_eq!(integer_of(&integer(i64::MIN)), Some(i64::MIN));
        let value = json!({ "a": [integer(-7), 1.5], "b": "text" });
        assert_eq!(plain(value), json!({ "a": ["-7", 1.5], "b": "text" }));
    }

    #[test]
    fn what_only_looks_like_an_integer_is_none() {
        for value in [
            json!({ "$integer": "AAAAAAAAAAA=", "more": 1 }),
            json!({ "$integer": "short" }),
            json!({ "$integer": 7 }),
            json!("7"),
        ] {
            assert_eq!(integer_of(&value), None, "{value}");
        }
    }
}
