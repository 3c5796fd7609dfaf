//! Answers that are none: led elsewhere, endless, slow, silent, broken off.

use super::*;

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = elsewhere.local_addr().unwrap();
    let head = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{target}/version\r\ncontent-length: 0\r\n\r\n"
    );
    let pod = Pod::sending(head).await;
    assert_eq!(pod.check().await, not_convex("it redirects (HTTP 302)"));
    assert_eq!(elsewhere.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn ten_megabytes_are_not_read() {
    let announced = Pod::saying(vec![b'v'; 10_000_000]).await;
    assert_eq!(announced.version().await, Err(Error::TooLarge));
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    endless.resize(10_000_000, b'v');
    assert_eq!(Pod::sending(endless).await.version().await, Err(Error::TooLarge));
}

#[tokio::test]
async fn an_answer_that_drips_is_not_waited_for() {
    let pod = Pod::that(|mut stream| async move {
        let mut drips = tokio::time::interval(Duration::from_millis(20));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n").await;
        while stream.write_all(b"v").await.is_ok() {
            drips.tick().await;
        }
    })
    .await;
    let started = Instant::now();
    assert_eq!(pod.version_at_once().await, Err(Error::TimedOut));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn silence_is_not_waited_for() {
    let pod = Pod::that(|mut stream| async move {
        let _ = stream.read_u8().await;
    })
    .await;
    assert_eq!(pod.version_at_once().await, Err(Error::TimedOut));
    // The question is over, and so is its connection: the pod sees it close.
    assert!(pod.asked.await.is_ok());
}

#[tokio::test]
async fn what_does_not_speak_http_is_not_convex() {
    let pod = Pod::sending("SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    assert_eq!(pod.version().await, not_convex("it does not speak HTTP, or with too large a head"));
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "v".repeat(1_000_000));
    let pod = Pod::sending(head).await;
    assert_eq!(pod.version().await, not_convex("it does not speak HTTP, or with too large a head"));
}

#[tokio::test]
async fn a_port_without_a_listener_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = Backend::at(address).version().await.unwrap_err();
    assert_eq!(refused, Error::Unreachable(ErrorKind::ConnectionRefused));
    assert!(refused.is_transient());
}

#[tokio::test]
async fn a_connection_that_breaks_is_unreachable() {
    let mute = Pod::sending("").await;
    assert_eq!(mute.version().await, Err(Error::Unreachable(ErrorKind::UnexpectedEof)));
    let cut = Pod::sending("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nv1").await;
    assert_eq!(cut.version().await, Err(Error::Unreachable(ErrorKind::UnexpectedEof)));
}
