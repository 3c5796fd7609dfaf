//! A backend that answers, and everything else that may listen on its port.

mod transport;

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{Backend, Error, Patience};
use crate::convex::{AdminKey, InstanceName};

const KEY: &str = "acme|010102030405060708090a0b0ce79837241832b3e2cfdbfe94483ac633288a42f3c6cdb35d";

/// Somebody who listens, handles one connection, and gives back what he was asked.
struct Pod {
    address: SocketAddr,
    asked: JoinHandle<String>,
}

impl Pod {
    /// Reads the question, then does as told.
    async fn that<F, Fut>(reacts: F) -> Self
    where
        F: FnOnce(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = Vec::new();
            while !question.ends_with(b"\r\n\r\n") {
                question.push(stream.read_u8().await.unwrap());
            }
            reacts(stream).await;
            String::from_utf8(question).unwrap()
        });
        Self { address, asked }
    }

    /// Sends these bytes and closes.
    async fn sending(raw: impl Into<Vec<u8>>) -> Self {
        let raw = raw.into();
        Self::that(|mut stream| async move {
            // Whoever asked may have heard enough and hung up.
            let _ = stream.write_all(&raw).await;
            let _ = stream.shutdown().await;
        })
        .await
    }

    /// Answers with a status line, a content type and a body.
    async fn answering(status: &str, kind: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self::sending([head.as_bytes(), body].concat()).await
    }

    async fn saying(body: impl AsRef<[u8]>) -> Self {
        Self::answering("200 OK", "text/plain; charset=utf-8", body).await
    }

    fn backend(&self) -> Backend {
        Backend::at(self.address)
    }

    /// Asks with so little patience that a test can see it end.
    async fn version_at_once(&self) -> Result<String, Error> {
        let patience =
            Patience { connect: Duration::from_secs(2), total: Duration::from_millis(200) };
        self.backend().with_patience(patience).version().await
    }

    async fn version(&self) -> Result<String, Error> {
        self.backend().version().await
    }

    async fn check(&self) -> Result<(), Error> {
        self.backend().check_admin_key(&key()).await
    }
}

fn key() -> AdminKey {
    AdminKey::parse(KEY).unwrap()
}

fn not_convex<T>(what: &str) -> Result<T, Error> {
    Err(Error::NotConvex(what.to_owned()))
}

fn rejected(code: &str) -> Result<(), Error> {
    Err(Error::KeyRejected { code: code.to_owned() })
}

#[tokio::test]
async fn a_backend_says_its_version_and_its_name() {
    let version = "6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912";
    assert_eq!(Pod::saying(version).await.version().await.as_deref(), Ok(version));
    assert_eq!(Pod::saying("unknown\n").await.version().await.as_deref(), Ok("unknown"));
    let name = Pod::saying("acme-prod").await.backend().instance_name().await;
    assert_eq!(name, Ok(InstanceName::parse("acme-prod").unwrap()));
}

#[tokio::test]
async fn a_question_goes_to_the_pod_itself_and_carries_a_key_only_where_it_must() {
    let pod = Pod::saying("unknown").await;
    pod.version().await.unwrap();
    let asked = pod.asked.await.unwrap();
    assert!(asked.starts_with("GET /version HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: {}\r\n", pod.address)), "{asked}");
    assert!(!asked.contains("authorization"), "{asked}");
}

#[tokio::test]
async fn the_key_check_sends_the_key_as_convex_wants_it() {
    let pod = Pod::answering(
        "200 OK",
        "application/json",
        r#"{"success":true,"allowedOps":[],"isReadOnly":false}"#,
    )
    .await;
    assert_eq!(pod.check().await, Ok(()));
    let asked = pod.asked.await.unwrap();
    assert!(asked.starts_with("GET /api/check_admin_key HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("authorization: Convex {KEY}\r\n")), "{asked}");
}

#[tokio::test]
async fn a_backend_of_before_april_2026_accepts_a_key_in_fewer_words() {
    let pod = Pod::answering("200 OK", "application/json", r#"{"success":true}"#).await;
    assert_eq!(pod.check().await, Ok(()));
}

#[tokio::test]
async fn a_rejected_key_is_told_by_convexs_own_code() {
    let json = "application/json";
    let bad = r#"{"code":"BadAdminKey","message":"The provided admin key was invalid"}"#;
    let pod = Pod::answering("401 Unauthorized", json, bad).await;
    assert_eq!(pod.check().await, rejected("BadAdminKey"));
    let pod = Pod::answering("403 Forbidden", json, r#"{"code":"BadDeployKey"}"#).await;
    assert_eq!(pod.check().await, rejected("BadDeployKey"));
    let pod = Pod::answering("401 Unauthorized", "text/plain", "no").await;
    assert_eq!(pod.check().await, rejected("HTTP 401"));
    let pod = Pod::answering("200 OK", json, r#"{"success":false}"#).await;
    assert_eq!(pod.check().await, rejected("NoSuccess"));
    let pod = Pod::answering("200 OK", json, r#"{"success":true,"isReadOnly":true}"#).await;
    assert_eq!(pod.check().await, rejected("ReadOnly"));
}

#[tokio::test]
async fn a_key_that_is_echoed_does_not_get_into_the_error() {
    let echo = format!(r#"{{"code":"{KEY}","message":"{KEY}"}}"#);
    let pod = Pod::answering("401 Unauthorized", "application/json", echo).await;
    let refused = pod.check().await.unwrap_err();
    assert_eq!(refused, Error::KeyRejected { code: "HTTP 401".to_owned() });
    assert!(!format!("{refused} {refused:?}").contains("0102030405"), "{refused:?}");
}

#[tokio::test]
async fn a_backend_that_is_not_ready_yet_is_told_from_one_that_lies() {
    let pod = Pod::answering("503 Service Unavailable", "text/plain", "starting").await;
    let refused = pod.version().await.unwrap_err();
    assert_eq!(refused, Error::Unready { status: 503 });
    assert!(refused.is_transient());
}

#[tokio::test]
async fn what_is_not_a_version_is_not_taken_for_one() {
    let printable = "its version is not one line of printable text";
    assert_eq!(Pod::saying("").await.version().await, not_convex("it sends an empty version"));
    assert_eq!(Pod::saying("one\ntwo").await.version().await, not_convex(printable));
    assert_eq!(Pod::saying("v1\r\n").await.version().await, not_convex(printable));
    assert_eq!(Pod::saying([0xff, 0x00]).await.version().await, not_convex(printable));
    assert_eq!(Pod::saying("\u{1b}[31mred").await.version().await, not_convex(printable));
    let long = Pod::saying("v".repeat(257)).await.version().await;
    assert_eq!(long, not_convex("its version is longer than any version"));
    assert!(Pod::saying("v".repeat(256)).await.version().await.is_ok());
}

#[tokio::test]
async fn a_web_page_is_not_a_version() {
    let page = not_convex("it sends a web page as its version");
    let pod = Pod::answering("200 OK", "text/HTML", "hello").await;
    assert_eq!(pod.version().await, page);
    assert_eq!(Pod::saying("<html><body>hello</body></html>").await.version().await, page);
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_not_taken_for_one() {
    let name = Pod::saying("a|b").await.backend().instance_name().await;
    let what = "its instance name has a ':' or '|', which separate the parts of an admin key";
    assert_eq!(name, not_convex(what));
}

#[tokio::test]
async fn a_key_check_that_is_answered_with_a_page_is_not_a_yes() {
    let pod = Pod::answering("200 OK", "text/html", "<html>welcome</html>").await;
    let what = "its answer to the key check is not the JSON of one";
    assert_eq!(pod.check().await, not_convex(what));
    let pod = Pod::answering("404 Not Found", "text/plain", "").await;
    assert_eq!(pod.check().await, not_convex("it answers with HTTP 404"));
}
