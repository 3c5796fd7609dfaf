//! What the backend reads at its start. What is no secret is a literal of the template: a container that starts again by
//! itself reads what its pod was made with. What is one is read by its key, so that one that is missing keeps the backend from
//! starting with a guess.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, SecretKeySelector};
use statemachine::pins::Backend;

use crate::plan::{
    Inputs, config,
    outside::{self, Server},
    secrets::INSTANCE_NAME,
};

/// The environment of the backend's container.
pub(super) fn of(inputs: &Inputs<'_>, backend: &Backend) -> Vec<EnvVar> {
    let own = &inputs.instance.spec.backend.env;
    let mut env = vec![
        secret(inputs),
        // The official image answers "unknown" on /version; this makes it answer what it is.
        EnvVar {
            name: "CONVEX_RELEASE_VERSION_DEV".to_owned(),
            value: Some(backend.release.version.clone()),
            value_from: None,
        },
    ];
    let is_own = |name: &str| own.iter().any(|it| it.name == name);
    let further: Vec<_> =
        inputs.sources.variables().iter().filter(|it| !is_own(&it.name)).collect();
    let of_the_spec = |name: &String| is_own(name) || further.iter().any(|it| it.name == *name);
    let ours = config::environment(inputs, &backend.store).into_iter();
    env.extend(ours.filter(|(name, _)| !of_the_spec(name)).map(literal));
    env.extend(outside::environment(inputs).into_iter().filter(|it| !of_the_spec(&it.name)));
    env.extend(further.into_iter().cloned());
    env.extend(own.iter().cloned());
    env
}

/// What is no setting of ours and decides all the same how servers are reached: credentials of the cloud and authorities.
const PREFIXES: [&str; 2] = ["AWS_", "SSL_CERT_"];
const FURTHER: [&str; 3] = [INSTANCE_NAME, "MYSQL_MAX_CONNECTIONS", "POSTGRES_MAX_CONNECTIONS"];

/// What of it is about servers outside, for the container that looks at them first.
pub(super) fn about_servers(inputs: &Inputs<'_>, backend: &Backend) -> Vec<EnvVar> {
    let is = |name: &str| {
        let ours = outside::Server::ALL.iter().any(|it| it.keys().contains(&name));
        ours || FURTHER.contains(&name) || PREFIXES.iter().any(|it| name.starts_with(it))
    };
    of(inputs, backend).into_iter().filter(|it| is(&it.name)).collect()
}

/// What of it says how object storage is reached, for workers: what the spec says of the same counts before what follows from
/// its Secrets, as in the backend.
pub(in crate::plan) fn about_storage(inputs: &Inputs<'_>) -> Vec<EnvVar> {
    let keys = Server::Storage.keys();
    let is = |it: &&EnvVar| {
        keys.contains(&it.name.as_str()) || PREFIXES.iter().any(|begin| it.name.starts_with(begin))
    };
    // Of what has one name, the last one counts.
    let ours = outside::environment_of(inputs, Server::Storage);
    let own = inputs.instance.spec.backend.env.iter().filter(is).cloned();
    let all = ours.into_iter().chain(inputs.sources.variables().iter().filter(is).cloned());
    let all: BTreeMap<_, _> = all.chain(own).map(|it| (it.name.clone(), it)).collect();
    all.into_values().collect()
}

fn secret(inputs: &Inputs<'_>) -> EnvVar {
    let source = &inputs.keys.source;
    from(
        "INSTANCE_SECRET".to_owned(),
        EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: source.secret.clone(),
                key: source.key.clone(),
                optional: None,
            }),
            ..EnvVarSource::default()
        },
    )
}

/// In a template `$` begins a reference to another variable, and `$$` is one of it
/// (<https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/>).
fn literal((name, value): (String, String)) -> EnvVar {
    EnvVar { name, value: Some(value.replace('$', "$$")), value_from: None }
}

fn from(name: String, source: EnvVarSource) -> EnvVar {
    EnvVar { name, value: None, value_from: Some(source) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use statemachine::worlds::born;

    use super::*;
    use crate::fixtures::{built_for, instance_with};

    /// Both read the name of the instance's own engine: the backend, and whoever looks at the server before it.
    #[test]
    fn a_pool_of_connections_is_said_for_the_engine_that_there_is() {
        for (engine, variable) in
            [("postgres", "POSTGRES_MAX_CONNECTIONS"), ("mysql", "MYSQL_MAX_CONNECTIONS")]
        {
            let instance = instance_with(|spec| {
                let db = json!({"engine": engine, "secretRef": "db", "urlKey": "uri"});
                spec["backend"]["db"] = db;
                spec["backend"]["storage"] = json!({"mode": "external"});
                spec["backend"]["tuning"] = json!({"maxDatabaseConnections": 17});
            });
            for read in [of, about_servers] {
                let all = built_for(&instance, |inputs| read(inputs, &born()));
                let said = all.iter().filter(|it| it.name.ends_with("_MAX_CONNECTIONS"));
                let said: Vec<_> = said.map(|it| (&*it.name, it.value.as_deref())).collect();
                assert_eq!(said, [(variable, Some("17"))]);
            }
        }
    }

    #[test]
    fn what_looks_like_a_reference_is_read_as_it_is_written() {
        let value = |text: &str| literal(("IT".to_owned(), text.to_owned())).value;
        assert_eq!(value("$(INSTANCE_SECRET) $x").as_deref(), Some("$$(INSTANCE_SECRET) $$x"));
        assert_eq!(value("info,common=trace").as_deref(), Some("info,common=trace"));
    }
}
