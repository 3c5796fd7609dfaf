//! The environment of the backend that is no secret, and the digest that rolls its pod.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use statemachine::pins::Store;

mod tuning;

use super::{Inputs, labels::Part, pod, secrets::INSTANCE_NAME};
use crate::{
    api::Environment,
    observe::{Keys, Sources},
};

/// Where the data is, as the image expects it.
pub const DATA_DIR: &str = "/convex/data";
/// Where the image writes its credentials in clear, on every start.
pub const CREDENTIALS_DIR: &str = "/run/credentials";
/// Where the image keeps what it can lose, which is read and written heavily.
pub const TMP_DIR: &str = "/tmp";

/// What Convex's own compose file sets where its code has another default, so that an instance behaves
/// as its documentation says (`self-hosted/docker/docker-compose.yml` upstream).
const COMPOSE: [(&str, &str); 4] = [
    ("APPLICATION_MAX_CONCURRENT_NODE_ACTIONS", "16"),
    ("APPLICATION_MAX_CONCURRENT_V8_ACTIONS", "16"),
    ("DISABLE_METRICS_ENDPOINT", "true"),
    ("DOCUMENT_RETENTION_DELAY", "172800"),
];

/// The environment that is no secret, by name.
pub(super) fn environment(inputs: &Inputs<'_>, store: &Store) -> BTreeMap<String, String> {
    let spec = &inputs.instance.spec;
    let origins = inputs.origins();
    let mut pairs = COMPOSE.map(|(name, value)| (name, value.to_owned())).to_vec();
    pairs.extend([
        ("CONVEX_CLOUD_ORIGIN", origins.cloud),
        ("CONVEX_SITE_ORIGIN", origins.site),
        (INSTANCE_NAME, inputs.deployment(store).to_string()),
        ("DATA_DIR", DATA_DIR.to_owned()),
        ("CREDENTIALS_DIR", CREDENTIALS_DIR.to_owned()),
        ("TMPDIR", TMP_DIR.to_owned()),
        ("HOME", TMP_DIR.to_owned()),
    ]);
    // Any value at all, even "false", turns these two on: they are absent or true.
    if spec.backend.telemetry.disable_beacon {
        pairs.push(("DISABLE_BEACON", "true".to_owned()));
    }
    let redact = spec.backend.logging.redact_logs_to_client;
    if redact.unwrap_or(spec.environment == Environment::Prod) {
        pairs.push(("REDACT_LOGS_TO_CLIENT", "true".to_owned()));
    }
    let mut all: BTreeMap<_, _> =
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    tuning::lay_over(&mut all, &spec.backend);
    all
}

/// A digest of everything that the pod reads only once and its template does not say. It is keyed with the instance's own secret, so
/// that nobody can try values against it.
#[must_use]
pub fn digest(inputs: &Inputs<'_>) -> String {
    let key = inputs.keys.secret.to_hex();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new(); // HMAC takes keys of every length
    };
    mac.update(key.as_bytes());
    for (server, values) in inputs.outside {
        for (name, value) in values.iter() {
            // With their lengths, so that no two lists of values look alike.
            mac.update(format!("{server:?}/{name}={}:", value.len()).as_bytes());
            mac.update(value);
        }
    }
    // A webhook puts what these say into a pod that starts.
    let account = pod::made_account(inputs.instance, Part::Backend);
    for (name, value) in account.iter().flat_map(|it| &it.annotations) {
        mac.update(format!("{name}={}:{value}", value.len()).as_bytes());
    }
    hex::encode(&mac.finalize().into_bytes()[..16])
}

/// The same of the values that further variables are taken from: during an upgrade that of the template which it found, so that a
/// value which changes restarts nothing before it is over. None where there are none.
#[must_use]
pub fn variables_digest(inputs: &Inputs<'_>) -> Option<String> {
    let kept = inputs.sources.kept().map(str::to_owned);
    kept.or_else(|| values_digest(inputs.keys, inputs.sources))
}

/// The same as they are now: which variables there are, a point, and a keyed digest of what they say.
#[must_use]
pub fn values_digest(keys: &Keys, sources: &Sources) -> Option<String> {
    let values = Some(sources.digested()).filter(|it| !it.is_empty())?;
    let key = keys.secret.to_hex();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(values);
    Some(format!("{}.{}", sources.places(), hex::encode(&mac.finalize().into_bytes()[..16])))
}
