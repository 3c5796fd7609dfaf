//! The command line.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Parser;

use crate::{
    addresses::Range,
    images::{Image, Images, Role},
};

/// A fake node for tests: pods become processes of this machine.
#[derive(Parser, Debug)]
#[command(name = "fake-node", version)]
pub struct Flags {
    /// How to reach the API server. The user needs what a kubelet's has.
    #[arg(long)]
    pub kubeconfig: PathBuf,
    /// Name of the node, and its label kubernetes.io/hostname.
    #[arg(long, default_value = "fake")]
    pub node_name: String,
    /// Folder for file trees, logs and records; made if it is missing.
    #[arg(long)]
    pub state_dir: PathBuf,
    /// Addresses for the node (the first) and its pods, each really listened on.
    #[arg(long, default_value = "127.64.0.0/21")]
    pub addresses: Range,
    /// Port for logs, on the node's address.
    #[arg(long, default_value_t = 10250)]
    pub port: u16,
    /// Serving certificate for logs; without it, one that nobody has signed.
    #[arg(long, requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the serving certificate.
    #[arg(long, requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// An image that exists: REPOSITORY=PROGRAM[:backend|:dashboard|:program]. May be repeated.
    #[arg(long)]
    pub image: Vec<Image>,
    /// The stand-in: short for both Convex images of stand-in.test.
    #[arg(long)]
    pub standin: Option<PathBuf>,
    /// Tags that every image has, separated by commas.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912,00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90,v1,v2,v3"
    )]
    pub tags: Vec<String>,
    /// Labels of the node, besides its own: NAME=VALUE, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = label)]
    pub labels: Vec<(String, String)>,
    /// How many times faster than a kubelet it waits: back-offs, probe periods, grace.
    #[arg(long, default_value_t = 10.0)]
    pub speed: f64,
}

impl Flags {
    /// The images that exist.
    #[must_use]
    pub fn images(&self) -> Images {
        let mut images = self.image.clone();
        for (name, role) in
            [("convex-backend", Role::Backend), ("convex-dashboard", Role::Dashboard)]
        {
            images.extend(self.standin.clone().map(|program| Image {
                repository: format!("stand-in.test/{name}"),
                program,
                role,
            }));
        }
        Images::new(images, self.tags.clone())
    }

    /// Labels of the node besides its own.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.labels.iter().cloned().collect()
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("{text:?} is not NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(extra: &[&str]) -> Flags {
        let fixed = ["fake-node", "--kubeconfig=k", "--state-dir=s"];
        Flags::try_parse_from(fixed.iter().chain(extra)).unwrap()
    }

    #[test]
    fn the_stand_in_is_both_images_with_every_known_tag() {
        let images = parse(&["--standin=/x/convex-standin"]).images();
        for name in
            ["convex-backend:v1", "convex-dashboard:6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912"]
        {
            assert!(images.pull(&format!("stand-in.test/{name}")).is_ok(), "{name}");
        }
        assert!(images.pull("stand-in.test/convex-backend:v4").is_err());
    }

    #[test]
    fn images_tags_and_labels_can_be_added() {
        let flags = parse(&["--image=app=/bin/true", "--tags=dev,v1", "--labels=zone=a,disk=fast"]);
        assert!(flags.images().pull("app:dev").is_ok());
        assert_eq!(flags.labels().len(), 2);
    }
}
