//! Who may ask: a key that opens the deployment, and one that may change it.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION, request::Parts},
};
use serde::Deserialize;

use super::{Deployment, problem::Problem};
use crate::keys::{self, Claims};

/// The key as a query parameter.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    admin_key: Option<String>,
}

/// A caller with a good key, which may be read-only.
pub struct Reader;

/// A caller with a good key that may do everything.
pub struct Admin;

impl FromRequestParts<Arc<Deployment>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        deployment: &Arc<Deployment>,
    ) -> Result<Self, Problem> {
        authorize(deployment, &parts.headers, &parts.uri).map(|_| Self)
    }
}

impl FromRequestParts<Arc<Deployment>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        deployment: &Arc<Deployment>,
    ) -> Result<Self, Problem> {
        let claims = authorize(deployment, &parts.headers, &parts.uri)?;
        if claims.read_only {
            return Err(forbidden("a read-only key may not do this"));
        }
        Ok(Self)
    }
}

/// What the key of a request says: 401 `BadAdminKey` for a bad one, 403 `BadDeployKey` for none.
pub fn authorize(
    deployment: &Deployment,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Claims, Problem> {
    let parameters = Query::<Parameters>::try_from_uri(uri).unwrap_or_default();
    let key = presented(headers)
        .or(parameters.0.admin_key)
        .ok_or_else(|| forbidden("no admin key given"))?;
    verify(deployment, &key)
}

/// What a key says, from wherever it comes.
pub fn verify(deployment: &Deployment, key: &str) -> Result<Claims, Problem> {
    if deployment.steering.rejects_keys {
        return Err(unauthorized("this version takes no key, as a test asked"));
    }
    keys::verify(&deployment.name, &deployment.secret, key)
        .map_err(|error| unauthorized(&error.to_string()))
}

/// `Authorization: Convex <key>`, the scheme in any case.
fn presented(headers: &HeaderMap) -> Option<String> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("convex").then(|| key.to_owned())
}

fn unauthorized(message: &str) -> Problem {
    Problem { status: StatusCode::UNAUTHORIZED, code: "BadAdminKey", message: message.to_owned() }
}

/// The refusal of a caller whose key is good, or missing.
pub fn forbidden(message: &str) -> Problem {
    Problem { status: StatusCode::FORBIDDEN, code: "BadDeployKey", message: message.to_owned() }
}
