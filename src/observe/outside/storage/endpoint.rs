//! The endpoint of object storage that a Secret or a `ConfigMap` tells.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::{Holder, claimed};
use crate::observe::Obstacle;

/// What clouds tell machines about themselves, by name: Google (<https://cloud.google.com/compute/docs/metadata/querying-metadata>)
/// and AWS (an alias of its address that its DNS has).
const METADATA: [&str; 3] =
    ["metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"];
/// The same at Alibaba Cloud
/// (<https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata>), which is not link-local.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
/// The same at AWS
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>).
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// The URL of a key, without a slash at its end.
pub(super) fn origin(holder: &Holder, key: &str) -> Result<String, Obstacle> {
    let text = holder.text(key)?.trim_end_matches('/');
    let fits = |it: &Url| {
        matches!(it.scheme(), "http" | "https")
            && it.path() == "/"
            && it.username().is_empty()
            && it.query().is_none()
            && it.password().is_none()
    };
    let why = "is not an endpoint: write http:// or https://, a host and maybe a port, without user, path and query";
    let url = Url::parse(text).ok().filter(fits).ok_or_else(|| holder.invalid(key, why))?;
    outside(holder, key, &url).map(|()| text.to_owned())
}

/// An `ObjectBucketClaim` tells host and port, and by the port whether the way is encrypted.
pub(super) fn of_claim(config: &Holder) -> Result<String, Obstacle> {
    let host = config.text(claimed::HOST)?;
    let port = if config.has(claimed::PORT) { config.text(claimed::PORT)? } else { "443" };
    let scheme = if matches!(port, "443" | "8443") { "https" } else { "http" };
    let text = format!("{scheme}://{host}:{port}");
    let fits = |it: &Url| it.path() == "/" && it.host_str().is_some();
    let why = "and BUCKET_PORT are no host and port";
    let url = Url::parse(&text).ok().filter(fits);
    let url = url.ok_or_else(|| config.invalid(claimed::HOST, why))?;
    outside(config, claimed::HOST, &url).map(|()| text)
}

/// A node's own network has no buckets, and answers with credentials of the node. The API server refuses the same in
/// `spec.backend.s3.endpoint`.
fn outside(holder: &Holder, key: &str, url: &Url) -> Result<(), Obstacle> {
    let why = "leads to link-local addresses or to the metadata of a cloud, where no buckets are: name the server of the object storage";
    if leads_inside(url) { Err(holder.invalid(key, why)) } else { Ok(()) }
}

/// However the address is written: as four numbers, as one, in hexadecimal, within one of IPv6.
fn leads_inside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(it)) => is_metadata(it),
        Some(Host::Ipv6(it)) => {
            it.is_unicast_link_local() || it == METADATA_V6 || it.to_ipv4().is_some_and(is_metadata)
        }
        Some(Host::Domain(it)) => METADATA.contains(&it.trim_end_matches('.')),
        None => false,
    }
}

fn is_metadata(address: Ipv4Addr) -> bool {
    address.is_link_local() || address == METADATA_V4
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn holder(key: &str, value: &str) -> Holder {
        let data = BTreeMap::from([(key.to_owned(), value.as_bytes().to_vec())]);
        Holder::new("Secret", "bucket", "shop", Some(data))
    }

    #[test]
    fn an_address_of_the_nodes_own_network_is_refused_however_it_is_written() {
        for url in [
            "http://169.254.169.254",
            "http://169.254.170.2:80/",
            "http://169.254.169.254.",
            "http://2852039166",
            "http://0xA9FEA9FE",
            "http://0251.0376.0251.0376",
            "http://169.254.43518",
            "https://[fe80::1]:9000",
            "http://[febf::1]",
            "http://[::ffff:169.254.169.254]",
            "http://[fd00:ec2::254]",
            "http://100.100.100.200",
            "http://metadata.google.internal",
            "http://METADATA.google.internal.:80",
            "http://metadata.goog",
            "http://instance-data.ec2.internal",
        ] {
            let why = origin(&holder("url", url), "url").expect_err(url);
            assert_eq!(why.reason, "SecretInvalid");
            assert!(why.message.contains("key \"url\" leads to link-local"), "{}", why.message);
            assert!(!why.message.contains("169"), "{}", why.message);
        }
    }

    #[test]
    fn addresses_beside_it_and_names_like_it_are_taken() {
        for url in [
            "http://169.253.0.1:9000",
            "http://169.255.0.1",
            "http://10.0.0.1",
            "http://[fec0::1]",
            "http://[fd00:ec2::253]",
            "http://metadata.google.internal.example.com",
            "https://169.254.169.254.example.com",
        ] {
            assert_eq!(origin(&holder("url", url), "url").unwrap(), url);
        }
    }

    #[test]
    fn the_host_of_a_claim_is_looked_at_too() {
        let why = of_claim(&holder("BUCKET_HOST", "169.254.169.254")).unwrap_err();
        assert!(why.message.contains("key \"BUCKET_HOST\" leads to"), "{}", why.message);
        let url = of_claim(&holder("BUCKET_HOST", "10.0.0.1")).unwrap();
        assert_eq!(url, "https://10.0.0.1:443");
    }

    #[test]
    fn a_claim_says_by_its_port_whether_the_way_is_encrypted() {
        for (port, url) in [
            ("443", "https://rgw.rook:443"),
            ("8443", "https://rgw.rook:8443"),
            ("80", "http://rgw.rook:80"),
            ("9000", "http://rgw.rook:9000"),
        ] {
            let data = [("BUCKET_HOST", "rgw.rook"), ("BUCKET_PORT", port)];
            let data = data.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
            let claim = Holder::new("ConfigMap", "bucket", "shop", Some(BTreeMap::from(data)));
            assert_eq!(of_claim(&claim).unwrap(), url);
        }
    }

    #[test]
    fn what_is_more_than_an_endpoint_is_refused() {
        for url in [
            "http://s3.example.com/bucket",
            "http://s3.example.com?region=eu",
            "http://user@s3.example.com",
            "http://:pw@s3.example.com",
            "ftp://s3.example.com",
            "s3.example.com",
        ] {
            let why = origin(&holder("url", url), "url").expect_err(url);
            assert!(why.message.contains("is not an endpoint"), "{}", why.message);
            assert!(!why.message.contains("s3.example"), "{}", why.message);
        }
    }
}
