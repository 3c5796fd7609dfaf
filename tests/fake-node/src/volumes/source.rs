//! What a volume is made of.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use k8s_openapi::api::{
    authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec},
    core::v1::{
        DownwardAPIVolumeFile, KeyToPath, PersistentVolume, PersistentVolumeClaim, Pod,
        ServiceAccount, ServiceAccountTokenProjection, Volume, VolumeProjection,
    },
};
use kube::{Api, Client, ResourceExt, api::PostParams};

use super::{
    Volumes,
    files::{put, write},
};
use crate::{
    env::{PodFacts, field},
    objects::{Key, Kind, Objects},
};

/// Why a volume cannot be made. It is tried again until it can, and meanwhile the containers wait.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The object does not exist.
    #[error("MountVolume.SetUp failed for volume \"{volume}\" : {} \"{name}\" not found", .kind.lower_case())]
    NoObject {
        /// Which volume.
        volume: String,
        /// Of which kind.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// The object lacks a key.
    #[error(
        "MountVolume.SetUp failed for volume \"{volume}\" : references non-existent secret key: {key}"
    )]
    NoKey {
        /// Which volume.
        volume: String,
        /// What is missing.
        key: String,
    },
    /// The claim is not bound to a volume that lies in a folder of this machine.
    #[error("volume \"{volume}\": claim {claim} has no folder on this machine: {why}")]
    Claim {
        /// Which volume.
        volume: String,
        /// Which claim.
        claim: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A kind of volume that is not played here.
    #[error("volume \"{0}\" is of a kind that the fake node does not know")]
    Unknown(String),
    /// The API server refused.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// A file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes every volume of `pod` below `folder`.
///
/// # Errors
/// Where one cannot be made now.
pub async fn prepare(
    client: &Client,
    pod: &Pod,
    facts: &PodFacts,
    folder: &Path,
) -> Result<Volumes, MountError> {
    let maker = Maker { client, pod, facts, namespace: pod.namespace().unwrap_or_default() };
    let mut volumes = Volumes::new();
    for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        let made = maker.volume(volume, &folder.join(&volume.name)).await?;
        volumes.insert(volume.name.clone(), made);
    }
    Ok(volumes)
}

struct Maker<'a> {
    client: &'a Client,
    pod: &'a Pod,
    facts: &'a PodFacts,
    namespace: String,
}

impl Maker<'_> {
    async fn volume(&self, volume: &Volume, own: &Path) -> Result<PathBuf, MountError> {
        if let Some(claim) = &volume.persistent_volume_claim {
            return self.claimed(&volume.name, &claim.claim_name).await;
        }
        if let Some(host) = &volume.host_path {
            return Ok(PathBuf::from(&host.path));
        }
        fs::create_dir_all(own)?;
        if let Some(of) = &volume.secret {
            let (name, optional) = (of.secret_name.as_deref().unwrap_or_default(), of.optional);
            self.files(&volume.name, Kind::Secret, name, of.items.as_deref(), optional, own)
                .await?;
        } else if let Some(of) = &volume.config_map {
            self.files(
                &volume.name,
                Kind::ConfigMap,
                &of.name,
                of.items.as_deref(),
                of.optional,
                own,
            )
            .await?;
        } else if let Some(of) = &volume.downward_api {
            self.fields(of.items.as_deref().unwrap_or_default(), own)?;
        } else if let Some(of) = &volume.projected {
            for source in of.sources.iter().flatten() {
                self.projected(&volume.name, source, own).await?;
            }
        } else if volume.empty_dir.is_none() {
            return Err(MountError::Unknown(volume.name.clone()));
        }
        Ok(own.to_owned())
    }

    async fn claimed(&self, volume: &str, claim: &str) -> Result<PathBuf, MountError> {
        let failed =
            |why| MountError::Claim { volume: volume.to_owned(), claim: claim.to_owned(), why };
        let claims = Api::<PersistentVolumeClaim>::namespaced(self.client.clone(), &self.namespace);
        let found = claims.get_opt(claim).await?.ok_or_else(|| failed("it does not exist"))?;
        let bound = found
            .spec
            .and_then(|spec| spec.volume_name)
            .ok_or_else(|| failed("it is not bound"))?;
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        let spec = volumes.get(&bound).await?.spec.unwrap_or_default();
        let local = spec.local.map(|local| local.path);
        let path = local.or_else(|| spec.host_path.map(|host| host.path));
        let path =
            PathBuf::from(path.ok_or_else(|| failed("its volume is neither local nor hostPath"))?);
        if path.is_dir() { Ok(path) } else { Err(failed("its volume's folder does not exist")) }
    }

    async fn files(
        &self,
        volume: &str,
        kind: Kind,
        name: &str,
        items: Option<&[KeyToPath]>,
        optional: Option<bool>,
        own: &Path,
    ) -> Result<(), MountError> {
        let key = Key { kind, name: name.to_owned() };
        let objects = Objects::read(self.client, &self.namespace, vec![key]).await?;
        match objects.values(kind, name) {
            Some(values) => write(volume, values, items, optional, own),
            None if optional == Some(true) => Ok(()),
            None => {
                Err(MountError::NoObject { volume: volume.to_owned(), kind, name: name.to_owned() })
            }
        }
    }

    fn fields(&self, files: &[DownwardAPIVolumeFile], own: &Path) -> Result<(), MountError> {
        for file in files {
            let of = file.field_ref.as_ref().map(|of| of.field_path.as_str()).unwrap_or_default();
            let value = field(self.pod, self.facts, of)
                .ok_or_else(|| MountError::Unknown(file.path.clone()))?;
            put(own, &file.path, value.as_bytes())?;
        }
        Ok(())
    }

    async fn projected(
        &self,
        volume: &str,
        source: &VolumeProjection,
        own: &Path,
    ) -> Result<(), MountError> {
        if let Some(of) = &source.secret {
            self.files(volume, Kind::Secret, &of.name, of.items.as_deref(), of.optional, own).await
        } else if let Some(of) = &source.config_map {
            self.files(volume, Kind::ConfigMap, &of.name, of.items.as_deref(), of.optional, own)
                .await
        } else if let Some(of) = &source.downward_api {
            self.fields(of.items.as_deref().unwrap_or_default(), own)
        } else if let Some(of) = &source.service_account_token {
            self.token(of, own).await
        } else {
            Err(MountError::Unknown(volume.to_owned()))
        }
    }

    /// A token bound to the pod. It is not renewed: pods of tests do not live that long.
    async fn token(
        &self,
        asked: &ServiceAccountTokenProjection,
        own: &Path,
    ) -> Result<(), MountError> {
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: asked.audience.clone().into_iter().collect(),
                expiration_seconds: asked.expiration_seconds,
                bound_object_ref: Some(BoundObjectReference {
                    kind: Some("Pod".to_owned()),
                    api_version: Some("v1".to_owned()),
                    name: self.pod.metadata.name.clone(),
                    uid: self.pod.uid(),
                }),
            },
            ..TokenRequest::default()
        };
        let account = self.pod.spec.as_ref().and_then(|spec| spec.service_account_name.clone());
        let accounts = Api::<ServiceAccount>::namespaced(self.client.clone(), &self.namespace);
        let account = account.unwrap_or_else(|| "default".to_owned());
        let answer =
            accounts.create_token_request(&account, &PostParams::default(), &request).await?;
        let token = answer.status.map(|status| status.token).unwrap_or_default();
        Ok(put(own, &asked.path, token.as_bytes())?)
    }
}
