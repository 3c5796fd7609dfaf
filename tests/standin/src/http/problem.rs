//! Errors as Convex words them: a status, a code and a message in JSON.

use std::io;

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

impl Problem {
    /// The caller asked for something that cannot be.
    pub fn bad_request(code: &'static str, message: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.to_owned() }
    }

    /// There is no such thing.
    pub fn not_found(code: &'static str, message: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, code, message: message.to_owned() }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "InternalServerError",
            message: error.to_string(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "code": self.code, "message": self.message }))).into_response()
    }
}
