//! One request on a connection of its own: the whole of the transport.
//!
//! A connection per question rather than a pool: questions are rare, and a kept connection could
//! lead to a pod that is gone while another one has its address.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::Error;
use super::answer::Answer;
use crate::convex::admin_key::AdminKey;

/// The largest body that is read, in bytes. Real answers have a few hundred.
pub(super) const LARGEST_BODY: usize = 64 * 1024;
/// The largest head, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// Asks for one path, with the admin key where one is given. The caller limits the whole time.
pub(super) async fn get(
    address: SocketAddr,
    connect: Duration,
    path: &str,
    key: Option<&AdminKey>,
) -> Result<Answer, Error> {
    let request = request(address, path, key)?;
    let stream = tokio::time::timeout(connect, TcpStream::connect(address))
        .await
        .map_err(|_| Error::TimedOut)?
        .map_err(|broken| Error::Unreachable(broken.kind()))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|why| broken(&why))?;
    // Dropping the set ends the connection with the question, however that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(|why| broken(&why))?;
    read(response).await
}

fn request(
    address: SocketAddr,
    path: &str,
    key: Option<&AdminKey>,
) -> Result<Request<Empty<Bytes>>, Error> {
    let mut request = Request::get(path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, concat!("convex-operator/", env!("CARGO_PKG_VERSION")));
    if let Some(key) = key {
        let value = HeaderValue::from_str(&format!("Convex {}", key.expose()));
        let mut value = value.map_err(|_| unsendable())?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Empty::new()).map_err(|_| unsendable())
}

fn unsendable() -> Error {
    Error::Unreachable(std::io::ErrorKind::InvalidInput)
}

async fn read(response: Response<Incoming>) -> Result<Answer, Error> {
    let (head, body) = response.into_parts();
    let kind = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|why| {
        if why.is::<LengthLimitError>() {
            return Error::TooLarge;
        }
        why.downcast_ref().map_or(Error::Unreachable(std::io::ErrorKind::Other), broken)
    })?;
    Ok(Answer { status: head.status.as_u16(), kind, body: body.to_bytes().to_vec() })
}

/// What a failed exchange says about the other side.
fn broken(why: &hyper::Error) -> Error {
    if why.is_parse() {
        return Error::NotConvex("it does not speak HTTP, or with too large a head".to_owned());
    }
    let cause = std::error::Error::source(why).and_then(|cause| cause.downcast_ref());
    Error::Unreachable(cause.map_or(std::io::ErrorKind::UnexpectedEof, std::io::Error::kind))
}
