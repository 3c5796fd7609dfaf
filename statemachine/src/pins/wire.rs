//! How pins are spelled in `status`, and what becomes of those that cannot be read.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    phase::Stage,
    pins::{Direction, Pins, Revision, Snapshot, Store, Strategy},
};

/// Pins that a newer operator (or a hand) wrote and that this one cannot read, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unreadable(Value);

/// Any JSON value that `status` can hold; the API server stores whole numbers only where the schema
/// says integer, and no pin is a fraction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Null(()),
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)] // lives for one call
enum Written {
    Readable(#[serde(with = "Pins")] Pins),
    Unreadable(Unreadable),
}

impl<'de> Deserialize<'de> for Pins {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(from)? {
            Written::Readable(pins) => pins,
            Written::Unreadable(found) => Self { unreadable: Some(found), ..Self::default() },
        })
    }
}

impl Serialize for Pins {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        match &self.unreadable {
            Some(found) => found.serialize(into),
            None => Self::serialize(self, into),
        }
    }
}

/// A word that this operator does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord(String);

impl std::fmt::Display for UnknownWord {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "\"{}\" is not a word of this operator", self.0)
    }
}

impl std::error::Error for UnknownWord {}

impl TryFrom<String> for Store {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        let parts: Vec<_> = word.split('/').collect();
        let of = |id: &str| Revision(id.to_owned());
        match (&parts[..], parts.last().and_then(|attempt| attempt.parse().ok())) {
            (["Original"], _) => Ok(Self::Original),
            (["Made", id], _) if !id.is_empty() => Ok(Self::Made(of(id))),
            (["Copied", id, _], Some(attempt)) if !id.is_empty() => {
                Ok(Self::Copied(Snapshot { of: of(id), attempt }))
            }
            _ => Err(UnknownWord(word)),
        }
    }
}

impl From<Store> for String {
    fn from(store: Store) -> Self {
        match store {
            Store::Original => "Original".to_owned(),
            Store::Made(id) => format!("Made/{}", id.0),
            Store::Copied(Snapshot { of, attempt }) => format!("Copied/{}/{attempt}", of.0),
        }
    }
}

impl TryFrom<String> for Strategy {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|known| known.name() == word).ok_or(UnknownWord(word))
    }
}

impl From<Strategy> for String {
    fn from(strategy: Strategy) -> Self {
        strategy.name().to_owned()
    }
}

// No enum in the schema: a word that a newer operator writes must not make an older CRD refuse it.
macro_rules! a_word_on_the_wire {
    ($noun:ident, $longest:literal, $says:literal) => {
        impl JsonSchema for $noun {
            fn schema_name() -> Cow<'static, str> {
                stringify!($noun).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "maxLength": $longest, "description": $says })
            }
        }
    };
}

a_word_on_the_wire!(Store, 96, "Original, Made/<id> or Copied/<id>/<attempt>.");
a_word_on_the_wire!(Direction, 32, "Which way the upgrade is going: Forward or Rollback.");
a_word_on_the_wire!(Stage, 32, "How far the upgrade has come: Exporting, Rolling or Importing.");
a_word_on_the_wire!(Strategy, 64, "How the data moves and which way back is bought.");
