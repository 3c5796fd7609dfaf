//! Which fields of a table hold 64-bit integers: in an export they are decimal strings, and `generated_schema.jsonl` says
//! which strings are numbers. Upstream's own notation for that is richer; its first word for plain tables is `"uniform"`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::values::{integer, integer_of};

/// Paths of fields by what was seen there, `/` between names and `*` for any place of an array.
#[derive(Default)]
pub struct Shape {
    integers: BTreeSet<String>,
    strings: BTreeSet<String>,
}

impl Shape {
    /// Looks at one document.
    pub fn see(&mut self, document: &mut Value) {
        visit(document, "", &mut |path, value| {
            let seen = if value.is_string() { &mut self.strings } else { &mut self.integers };
            seen.insert(path.to_owned());
        });
    }

    /// The paths at which every string of the export will be a number. Where texts were seen too, numbers stay encoded.
    #[must_use]
    pub fn integers(&self) -> BTreeSet<String> {
        self.integers.difference(&self.strings).cloned().collect()
    }
}

/// The lines of `generated_schema.jsonl`.
#[must_use]
pub fn schema(integers: &BTreeSet<String>) -> String {
    if integers.is_empty() {
        return "\"uniform\"\n".to_owned();
    }
    format!("\"uniform\"\n{}\n", json!({ "int64": integers }))
}

/// The paths that the lines of a `generated_schema.jsonl` name; lines of other notations name none.
#[must_use]
pub fn integers_of(schema: &str) -> BTreeSet<String> {
    schema
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| {
            serde_json::from_value::<BTreeSet<String>>(line.get("int64")?.clone()).ok()
        })
        .flatten()
        .collect()
}

/// Turns the integers at these paths into decimal strings.
pub fn to_decimal(document: &mut Value, integers: &BTreeSet<String>) {
    visit(document, "", &mut |path, value| {
        if let Some(number) = integer_of(value).filter(|_| integers.contains(path)) {
            *value = json!(number.to_string());
        }
    });
}

/// Turns the decimal strings at these paths into integers.
pub fn from_decimal(document: &mut Value, integers: &BTreeSet<String>) {
    visit(document, "", &mut |path, value| {
        let number = value.as_str().and_then(|text| text.parse().ok());
        if let Some(number) = number.filter(|_| integers.contains(path)) {
            *value = integer(number);
        }
    });
}

/// Calls `act` with every string and every integer inside `value`.
fn visit(value: &mut Value, path: &str, act: &mut impl FnMut(&str, &mut Value)) {
    if value.is_string() || integer_of(value).is_some() {
        return act(path, value);
    }
    match value {
        Value::Array(items) => {
            let path = format!("{path}/*");
            for item in items {
                visit(item, &path, act);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                visit(field, &format!("{path}/{name}"), act);
            }
        }
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(mut document: Value) -> (Value, Value) {
        let mut shape = Shape::default();
        let before = document.clone();
        shape.see(&mut document);
        to_decimal(&mut document, &shape.integers());
        let exported = document.clone();
        from_decimal(&mut document, &integers_of(&schema(&shape.integers())));
        assert_eq!(document, before);
        (before, exported)
    }

    #[test]
    fn integers_are_decimal_strings_in_an_export_and_come_back() {
        let (_, exported) = round(json!({ "n": integer(-5), "deep": [{ "m": integer(6) }] }));
        assert_eq!(exported, json!({ "n": "-5", "deep": [{ "m": "6" }] }));
    }

    #[test]
    fn a_text_of_digits_stays_a_text() {
        let (before, exported) = round(json!({ "zip": "01234", "n": 1.5 }));
        assert_eq!(exported, before);
    }

    #[test]
    fn where_numbers_and_texts_share_a_field_numbers_stay_encoded() {
        let (before, exported) = round(json!({ "mixed": ["12", integer(12)] }));
        assert_eq!(exported, before);
    }

    #[test]
    fn a_table_without_integers_is_uniform_and_foreign_notations_name_none() {
        assert_eq!(schema(&BTreeSet::new()), "\"uniform\"\n");
        assert!(integers_of("\"uniform\"\n{\"other\":[1]}\nnonsense").is_empty());
    }
}
