//! An instance that may be one that cannot be decoded.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use crate::api::ConvexInstance;

/// An instance, or what can be said of one that cannot be decoded, such as one with a word that only a newer operator knows:
/// one bad object stops no watch. As [`kube::core::DeserializeGuard`], which knows no more than the metadata.
#[derive(Clone, Debug)]
pub struct Guarded(pub Result<ConvexInstance, Undecoded>);

/// What can be said of an instance that cannot be decoded.
#[derive(Clone, Debug, Default)]
pub struct Undecoded {
    /// Why it cannot be.
    pub error: String,
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// The hosts that it asks for, as far as they can be read: they stay its own.
    pub hosts: Vec<String>,
}

impl<'de> Deserialize<'de> for Guarded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let error = match ConvexInstance::deserialize(&raw) {
            Ok(instance) => return Ok(Self(Ok(instance))),
            Err(error) => error.to_string(),
        };
        let metadata = raw.get("metadata").map(ObjectMeta::deserialize);
        let metadata = metadata.transpose().map_err(D::Error::custom)?.unwrap_or_default();
        let hosts = hosts(&raw["spec"]);
        Ok(Self(Err(Undecoded { error, metadata, hosts })))
    }
}

/// As `plan::host::hosts` has it of an instance that can be decoded. A way in that nobody here knows is a way in.
fn hosts(spec: &Value) -> Vec<String> {
    let networking = &spec["networking"];
    let lets_in = match &networking["mode"] {
        Value::Null => {
            let ways = ["parentRefs", "gatewayClassName", "ingress"];
            ways.iter().any(|it| !networking[it].is_null())
        }
        mode => mode != "None",
    };
    let dashboard = spec["dashboard"]["enabled"] != Value::Bool(false);
    let fields = ["host", "siteHost", if dashboard { "dashboardHost" } else { "" }];
    let named = fields.iter().filter_map(|it| networking[it].as_str());
    named.filter(|_| lets_in).map(str::to_owned).collect()
}

impl Resource for Guarded {
    type DynamicType = ();
    type Scope = <ConvexInstance as Resource>::Scope;

    fn kind(kind: &()) -> Cow<'_, str> {
        ConvexInstance::kind(kind)
    }

    fn group(kind: &()) -> Cow<'_, str> {
        ConvexInstance::group(kind)
    }

    fn version(kind: &()) -> Cow<'_, str> {
        ConvexInstance::version(kind)
    }

    fn plural(kind: &()) -> Cow<'_, str> {
        ConvexInstance::plural(kind)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|it| &it.metadata, Resource::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.as_mut().map_or_else(|it| &mut it.metadata, Resource::meta_mut)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(spec: &Value) -> Guarded {
        let object = json!({"apiVersion": "convex.icod.de/v1alpha1", "kind": "ConvexInstance",
            "metadata": {"name": "dev", "namespace": "shop", "uid": "u"}, "spec": spec});
        serde_json::from_value(object).unwrap()
    }

    fn of(networking: &Value) -> Vec<String> {
        let spec = json!({"environment": "moon", "networking": networking});
        read(&spec).0.unwrap_err().hosts
    }

    #[test]
    fn an_instance_that_can_be_decoded_is_itself() {
        let backend = json!({"db": {"engine": "sqlite"}});
        let spec = json!({"environment": "dev", "version": "v1", "backend": backend});
        let instance = read(&spec).0.unwrap();
        assert_eq!(instance.spec.version, "v1");
    }

    #[test]
    fn one_that_cannot_be_is_known_by_its_metadata() {
        let guarded = read(&json!({"environment": "moon"}));
        assert_eq!(guarded.meta().name.as_deref(), Some("dev"));
        let why = guarded.0.unwrap_err();
        assert!(!why.error.is_empty() && why.hosts.is_empty(), "{why:?}");
        assert!(read(&json!("nonsense")).0.is_err());
    }

    #[test]
    fn hosts_are_read_as_far_as_they_can_be() {
        let [api, site, dashboard] = ["api.example.com", "site.example.com", "board.example.com"];
        let all = json!({"host": api, "siteHost": site, "dashboardHost": dashboard, "ingress": {}});
        assert_eq!(of(&all), [api, site, dashboard]);
        assert_eq!(of(&json!({"host": api, "siteHost": 1, "mode": "Mesh"})), [api]);
        assert_eq!(of(&json!({"host": api, "parentRefs": "moved"})), [api]);
        let off =
            json!({"environment": "moon", "networking": all, "dashboard": {"enabled": false}});
        assert_eq!(read(&off).0.unwrap_err().hosts, [api, site]);
    }

    #[test]
    fn who_lets_nobody_in_has_no_hosts() {
        assert!(of(&json!({"host": "a.example.com"})).is_empty());
        assert!(of(&json!({"host": "a.example.com", "mode": "None", "ingress": {}})).is_empty());
        assert!(of(&json!({"ingress": {}})).is_empty());
    }
}
