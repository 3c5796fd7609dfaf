//! The definition as YAML: what fits on a line stands on one.
//!
//! Of a definition in block style almost half is indentation, for a schema is deep; and people read `{type: string,
//! maxLength: 63}` more easily than three lines of it.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use serde_saphyr::FlowMap;

/// The longest mapping, as JSON, that stands on one line.
const LINE: usize = 120;

/// How many mappings deep everything stands in a block: the chart lays its annotation over `metadata`.
const BLOCKS: usize = 2;

/// A value that writes its innermost mappings on one line each, where they are short. Never one within another: `}}` would mean
/// something else to a chart.
pub(super) struct Compact<'a> {
    value: &'a Value,
    depth: usize,
}

impl<'a> Compact<'a> {
    /// The whole of it.
    pub(super) fn of(value: &'a Value) -> Self {
        Self { value, depth: 0 }
    }

    fn within(&self, value: &'a Value) -> Self {
        Self { value, depth: self.depth + 1 }
    }
}

impl Serialize for Compact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(all) if self.depth >= BLOCKS && fits(all) => {
                FlowMap(all).serialize(serializer)
            }
            Value::Object(all) => {
                serializer.collect_map(all.iter().map(|(key, value)| (key, self.within(value))))
            }
            Value::Array(all) => serializer.collect_seq(all.iter().map(|it| self.within(it))),
            scalar => scalar.serialize(serializer),
        }
    }
}

fn fits(all: &Map<String, Value>) -> bool {
    let scalars = all.values().all(|it| !it.is_object() && !it.is_array());
    let length: usize = all.iter().map(|(key, value)| key.len() + value.to_string().len()).sum();
    !all.is_empty() && scalars && length <= LINE
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(value: &Value) -> String {
        serde_saphyr::to_string(&Compact::of(value)).unwrap()
    }

    #[test]
    fn what_is_short_and_holds_no_other_mapping_stands_on_one_line() {
        let schema = json!({"properties": {"name": {"maxLength": 63, "type": "string"}}});
        assert_eq!(written(&schema), "properties:\n  name: {maxLength: 63, type: string}\n");
        assert_eq!(written(&json!({"metadata": {"name": "a"}})), "metadata:\n  name: a\n");
        let long = json!({"properties": {"name": {"title": "a".repeat(LINE), "type": "string"}}});
        assert!(!written(&long).contains('{'));
    }

    #[test]
    fn whatever_stands_in_a_line_is_read_back_as_it_was() {
        let awkward = [
            "a, b", "{c}", "[d]", "e: f", "'g'", "\"h\"", "# i", "yes", "1", "", "^\\d+$", "j\nk",
            "}}",
        ];
        for text in awkward {
            let value =
                json!({"of": {"within": {"it": text, "type": "string"}, "all": [{"it": text}]}});
            let read: Value = serde_saphyr::from_str(&written(&value)).unwrap();
            assert!(written(&value).matches('{').count() >= 2, "{}", written(&value));
            assert_eq!(read, value, "{}", written(&value));
        }
    }
}
