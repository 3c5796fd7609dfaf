//! One request on a connection of its own: the whole of the transport.
//!
//! A connection per question rather than a pool: questions are rare, and a kept connection could
//! lead to a pod that is gone while another one has its address.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response};
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

/// The content type of JSON.
pub(in crate::convex) const JSON: &str = "application/json";
/// The content type of anything.
pub(in crate::convex) const BYTES: &str = "application/octet-stream";

/// What is asked of a backend.
#[derive(Clone, Debug)]
pub(in crate::convex) struct Question<'a> {
    pub(in crate::convex) method: Method,
    pub(in crate::convex) path: &'a str,
    pub(in crate::convex) key: Option<&'a AdminKey>,
    /// Its content type and its bytes, or nothing.
    pub(in crate::convex) body: Option<(&'static str, Vec<u8>)>,
}

impl<'a> Question<'a> {
    /// A question without a body.
    pub(in crate::convex) const fn get(path: &'a str, key: Option<&'a AdminKey>) -> Self {
        Self { method: Method::GET, path, key, body: None }
    }
}

/// A response whose body is still to come. Dropping it ends the connection.
pub(in crate::convex) struct Opened {
    pub(in crate::convex) response: Response<Incoming>,
    _driver: JoinSet<hyper::Result<()>>,
}

/// Asks, and reads the whole answer. The caller limits the whole time.
pub(in crate::convex) async fn ask(
    address: SocketAddr,
    connect: Duration,
    question: Question<'_>,
    largest: usize,
) -> Result<Answer, Error> {
    let opened = open(address, connect, question).await?;
    read(opened.response, largest).await
}

/// Asks, and reads the head of the answer.
pub(in crate::convex) async fn open(
    address: SocketAddr,
    connect: Duration,
    question: Question<'_>,
) -> Result<Opened, Error> {
    let request = request(address, question)?;
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
    Ok(Opened { response, _driver: driver })
}

fn request(address: SocketAddr, question: Question<'_>) -> Result<Request<Full<Bytes>>, Error> {
    let mut request = Request::builder()
        .method(question.method)
        .uri(question.path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, concat!("convex-operator/", env!("CARGO_PKG_VERSION")));
    if let Some(key) = question.key {
        let value = HeaderValue::from_str(&format!("Convex {}", key.expose()));
        let mut value = value.map_err(|_| unsendable())?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    if let Some((kind, _)) = &question.body {
        request = request.header(CONTENT_TYPE, *kind);
    }
    let body = Full::from(question.body.map(|(_, bytes)| bytes).unwrap_or_default());
    request.body(body).map_err(|_| unsendable())
}

fn unsendable() -> Error {
    Error::Unreachable(std::io::ErrorKind::InvalidInput)
}

async fn read(response: Response<Incoming>, largest: usize) -> Result<Answer, Error> {
    let (head, body) = response.into_parts();
    let kind = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let body = Limited::new(body, largest).collect().await.map_err(|why| {
        if why.is::<LengthLimitError>() {
            return Error::TooLarge;
        }
        why.downcast_ref().map_or(Error::Unreachable(std::io::ErrorKind::Other), broken)
    })?;
    Ok(Answer { status: head.status.as_u16(), kind, body: body.to_bytes().to_vec() })
}

/// What a failed exchange says about the other side.
pub(in crate::convex) fn broken(why: &hyper::Error) -> Error {
    if why.is_parse() {
        return Error::NotConvex("it does not speak HTTP, or with too large a head".to_owned());
    }
    let cause = std::error::Error::source(why).and_then(|cause| cause.downcast_ref());
    Error::Unreachable(cause.map_or(std::io::ErrorKind::UnexpectedEof, std::io::Error::kind))
}
