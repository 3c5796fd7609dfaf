//! Errors as Convex words them: a status, a code and a message in JSON.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An answer that is an error.
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Short name, for programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "code": self.code, "message": self.message }))).into_response()
    }
}
