//! Rules on strings that occur in more than one place.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

pub(super) fn checked(rule: &str, message: &str, max: u32) -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": max,
        "x-kubernetes-validations": [{"rule": rule, "message": message}],
    })
}

/// An image reference with a tag or a digest, and not both.
pub(in crate::api) fn image(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[a-f0-9]{64})$')",
        "must be an image with a tag or a sha256 digest, and not both, without credentials: for example ghcr.io/get-convex/convex-backend:<tag>",
        512,
    )
}

/// The name of a class, such as `tailscale` or `example.com/internal`.
pub(in crate::api) fn class(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$')",
        "must be a word such as tailscale, or one below a domain such as example.com/internal",
        253,
    )
}

/// The name of another object of the namespace.
pub(in crate::api) fn object_name(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
        "must be the name of an object: a-z, 0-9, '-' and '.', beginning and ending with a letter or digit",
        253,
    )
}

/// A length of time in hours, minutes and seconds, as Kubernetes writes it.
pub(in crate::api) fn duration(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$') && duration(self) > duration('0s')",
        "must be a length of time above zero, for example 90m or 168h",
        20,
    )
}

/// A key of a Secret or a `ConfigMap`.
pub(in crate::api) fn data_key(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[-._a-zA-Z0-9]+$')",
        "must be a key of a Secret: letters, digits, '-', '_' and '.'",
        253,
    )
}

/// The name of a bucket. Servers other than AWS take more than AWS does; none takes a slash.
pub(in crate::api) fn bucket(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^[a-zA-Z0-9][-._a-zA-Z0-9]{2,62}$')",
        "must be the name of a bucket: 3 to 63 letters, digits, '-', '_' and '.', the first a letter or digit",
        63,
    )
}

/// A host name, without scheme, port or path.
pub(in crate::api) fn host(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$') && !self.matches('(^|[.])(svc|cluster[.]local)$')",
        "must be a host name such as api.example.com: lower case, without scheme, port, path or wildcard, and none of the cluster's own (.svc, .cluster.local)",
        253,
    )
}

/// An origin: a URL without a path.
pub(in crate::api) fn origin(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$')",
        "must be http:// or https://, a host and maybe a port, without path or trailing slash: for example https://api.example.com",
        512,
    )
}

/// An origin where object storage may be: not in the node's own network, which holds credentials of the node, however the
/// address is written.
pub(in crate::api) fn endpoint(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = origin(generator).to_value();
    if let Some(rules) = schema["x-kubernetes-validations"].as_array_mut() {
        rules.push(json!({
            "rule": "!self.matches('^https?://(169[.]254[.][0-9.]+|100[.]100[.]100[.]200|(?i:metadata[.]google[.]internal|metadata[.]goog|instance-data[.]ec2[.]internal))(:[0-9]+)?$') && (!self.matches('^https?://((0[xX][0-9A-Fa-f]*|[0-9]+)[.]?)+(:[0-9]+)?$') || self.matches('^https?://(0|[1-9][0-9]{0,2})([.](0|[1-9][0-9]{0,2})){3}(:[0-9]+)?$'))",
            "message": "leads to link-local addresses or to the metadata of a cloud, where no buckets are, or is an address not written as four decimal numbers: name the server of the object storage",
        }));
    }
    Schema::try_from(schema).unwrap_or_default()
}

/// A URL that may have a path.
pub(in crate::api) fn url(_: &mut SchemaGenerator) -> Schema {
    checked(
        "self.matches('^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[-A-Za-z0-9._~%]+)*$')",
        "must be http:// or https://, a host, maybe a port and a path, without trailing slash: for example https://api.example.com/http",
        512,
    )
}
