//! The admin key, kept for applications or about to be minted.

use chrono::Utc;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::{AdminFound, Half, Keys, MISMATCH, Reader, value};
use crate::{
    convex::{AdminKey, InstanceName},
    observe::Obstacle,
    plan::{
        backend::API_PORT,
        deployment,
        labels::{self, Belongs},
        secrets, service_url,
    },
};

/// What the Secret for applications holds.
enum Stored {
    /// No key.
    Nothing,
    /// A key to another deployment of this instance.
    OfAnother,
    /// The key.
    Key(AdminKey),
}

impl Reader<'_> {
    /// Keys are keys even where the copy for applications is spoilt; that is said, and never mended by
    /// writing over it.
    pub(super) fn with_admin(
        &self,
        half: Half,
        admin: Option<&Secret>,
    ) -> Result<(Keys, Option<Obstacle>), Obstacle> {
        let now = u64::try_from(Utc::now().timestamp()).unwrap_or(1);
        let deployment = deployment::name(self.instance, &half.name, self.asked.used);
        let mint = || {
            AdminKey::mint(&deployment, &half.secret, now)
                .map_err(|error| Obstacle::new("AdminKeyNotMinted", error.to_string()))
        };
        let stored = admin.map(|it| (it, self.stored(&half, &deployment, it)));
        let (admin, admin_found, obstacle) = match stored {
            None => (mint()?, AdminFound::Nowhere, None),
            Some((_, Ok(Stored::Nothing))) => (mint()?, AdminFound::InPart, None),
            Some((_, Ok(Stored::OfAnother))) => (mint()?, AdminFound::Renamed, None),
            Some((holder, Ok(Stored::Key(key)))) => (key, self.addressed(holder), None),
            Some((_, Err(obstacle))) => (mint()?, AdminFound::Whole, Some(obstacle)),
        };
        let Half { name, secret, source, found, of_the_operator } = half;
        Ok((
            Keys { name, deployment, of_the_operator, secret, source, found, admin, admin_found },
            obstacle,
        ))
    }

    /// Whether applications are sent to this backend, and not elsewhere with the key to it.
    fn addressed(&self, holder: &Secret) -> AdminFound {
        let url = service_url(self.instance, self.names, API_PORT);
        let right = value(holder, secrets::URL) == Some(url.as_bytes());
        if right { AdminFound::Whole } else { AdminFound::InPart }
    }

    /// The key that is kept, where the Secret is ours.
    fn stored(
        &self,
        half: &Half,
        deployment: &InstanceName,
        holder: &Secret,
    ) -> Result<Stored, Obstacle> {
        let own = holder.name_any();
        if labels::belongs(self.instance, &holder.metadata) != Belongs::Ours {
            return Err(Obstacle::conflict("Secret", &own));
        }
        let key = secrets::ADMIN_KEY;
        let again = format!("Delete Secret \"{own}\" to have a new key minted.");
        let Some(bytes) = value(holder, key) else { return Ok(Stored::Nothing) };
        let admin = AdminKey::parse(bytes).map_err(|error| {
            Obstacle::new(
                "SecretInvalid",
                format!("Secret \"{own}\", key \"{key}\" {error}. {again}"),
            )
        })?;
        if admin.opens(deployment, &half.secret).is_ok() {
            return Ok(Stored::Key(admin));
        }
        let of = |store| deployment::name(self.instance, &half.name, store);
        if self.asked.own.iter().any(|it| admin.opens(&of(it), &half.secret).is_ok()) {
            return Ok(Stored::OfAnother);
        }
        Err(Obstacle::new(
            MISMATCH,
            format!(
                "the admin key in Secret \"{own}\" was not made with the name and secret in \"{}\", so one of the two was changed. Put it back. Where the change of \"{}\" is meant: {again} That rolls the backend, and every key that was given out before is void.",
                half.source.secret, half.source.secret
            ),
        ))
    }
}
