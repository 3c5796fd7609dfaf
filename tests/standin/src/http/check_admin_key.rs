//! `GET /api/check_admin_key`: whether a key opens this deployment.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Uri},
};
use serde_json::{Value, json};

use super::{
    Deployment,
    admin::{authorize, forbidden},
    problem::Problem,
};
use crate::keys::Identity;

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

/// 200 for a good key, 401 `BadAdminKey` for a bad one, 403 `BadDeployKey` for none or the system's.
pub async fn check_admin_key(
    State(deployment): State<Arc<Deployment>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let claims = authorize(&deployment, &headers, &uri)?;
    if claims.identity == Identity::System {
        return Err(forbidden("the system's key is not an admin key"));
    }
    let allowed: &[&str] = if claims.read_only { &READ_ONLY_OPERATIONS } else { &[] };
    Ok(Json(json!({ "success": true, "allowedOps": allowed, "isReadOnly": claims.read_only })))
}
