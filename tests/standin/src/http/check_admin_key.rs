//! `GET /api/check_admin_key`: whether a key opens this deployment.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deployment, problem::Problem};
use crate::keys::{self, Identity};

/// What a read-only key may do; a full one has no list.
const READ_ONLY_OPERATIONS: [&str; 12] = [
    "ViewEnvironmentVariables",
    "ViewLogs",
    "ViewMetrics",
    "ViewIntegrations",
    "ViewData",
    "ViewBackups",
    "DownloadBackups",
    "RunInternalQueries",
    "RunTestQuery",
    "ViewAuditLog",
    "ViewUsageLimits",
    "ViewUsage",
];

/// The key as a query parameter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    admin_key: Option<String>,
}

/// 200 for a good key, 401 `BadAdminKey` for a bad one, 403 `BadDeployKey` for none or the system's.
pub async fn check_admin_key(
    State(deployment): State<Arc<Deployment>>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let key = presented(&headers)
        .or(parameters.admin_key)
        .ok_or_else(|| forbidden("no admin key given"))?;
    if deployment.steering.rejects_keys {
        return Err(unauthorized("this version takes no key, as a test asked"));
    }
    let claims = keys::verify(&deployment.name, &deployment.secret, &key)
        .map_err(|error| unauthorized(&error.to_string()))?;
    if claims.identity == Identity::System {
        return Err(forbidden("the system's key is not an admin key"));
    }
    let allowed: &[&str] = if claims.read_only { &READ_ONLY_OPERATIONS } else { &[] };
    Ok(Json(json!({ "success": true, "allowedOps": allowed, "isReadOnly": claims.read_only })))
}

/// `Authorization: Convex <key>`, the scheme in any case.
fn presented(headers: &HeaderMap) -> Option<String> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("convex").then(|| key.to_owned())
}

fn unauthorized(message: &str) -> Problem {
    Problem { status: StatusCode::UNAUTHORIZED, code: "BadAdminKey", message: message.to_owned() }
}

fn forbidden(message: &str) -> Problem {
    Problem { status: StatusCode::FORBIDDEN, code: "BadDeployKey", message: message.to_owned() }
}
