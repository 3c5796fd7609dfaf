//! What is known of the sources of variables, without a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{EnvVar, EnvVarSource},
};
use sha2::{Digest, Sha256};

use crate::plan::labels::VARIABLES_HASH;

/// What the sources say: which variables there are, where each is from, and a digest of what they are.
#[derive(Clone, Default, PartialEq)]
pub struct Sources {
    variables: Vec<EnvVar>,
    places: String,
    digest: Option<[u8; 32]>,
    kept: Option<String>,
}

/// A digest of a short value is as good as the value.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.variables.iter().map(|it| &it.name)).finish()
    }
}

impl Sources {
    /// Of what is taken, `further` are those that are no variables of the spec.
    pub(super) fn of(
        all: BTreeMap<String, (EnvVarSource, Vec<u8>)>,
        further: &BTreeSet<String>,
    ) -> Self {
        let (mut places, mut values) = (Sha256::new(), Sha256::new());
        for (name, (source, value)) in &all {
            let source = serde_json::to_vec(source).unwrap_or_default();
            for (digest, part) in [(&mut places, &source), (&mut values, value)] {
                for part in [name.as_bytes(), part] {
                    digest.update(part.len().to_be_bytes());
                    digest.update(part);
                }
            }
        }
        let digest = (!all.is_empty()).then(|| values.finalize().into());
        let further = all.into_iter().filter(|(name, _)| further.contains(name));
        let variable = |(name, (source, _))| EnvVar { name, value: None, value_from: Some(source) };
        Self {
            variables: further.map(variable).collect(),
            places: hex::encode(&places.finalize()[..4]),
            digest,
            kept: None,
        }
    }

    /// The variables, each by its key.
    #[must_use]
    pub fn variables(&self) -> &[EnvVar] {
        &self.variables
    }

    /// What differs where a name or a value does; empty where there is no source. It is for a keyed digest alone.
    #[must_use]
    pub fn digested(&self) -> &[u8] {
        self.digest.as_ref().map_or(&[], |it| &it[..])
    }

    /// A digest of what the variables are called and where each is from.
    #[must_use]
    pub fn places(&self) -> &str {
        &self.places
    }

    /// What the template said of the values when an upgrade found it; none where they count as they are.
    #[must_use]
    pub fn kept(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// The same during an upgrade: another value restarts nothing before it is over. Another variable is another template, and so is one
    /// from elsewhere.
    #[must_use]
    pub fn unmoved(self, template: Option<&StatefulSet>) -> Self {
        let marks = || template?.spec.as_ref()?.template.metadata.as_ref()?.annotations.as_ref();
        let said = marks().and_then(|it| it.get(VARIABLES_HASH));
        let same = |it: &&String| it.split_once('.').is_some_and(|(of, _)| of == self.places);
        Self { kept: said.filter(same).cloned(), ..self }
    }
}
