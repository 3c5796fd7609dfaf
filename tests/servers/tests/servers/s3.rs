//! The S3 server.

use std::net::TcpStream;

use servers::{Encryption, S3};

use crate::Ground;

#[tokio::test]
async fn buckets_are_made_for_users() {
    let ground = Ground::new().unwrap();
    let server = S3::start(&ground.place, Encryption::None).await.unwrap();
    server.user("orders", "let it be").unwrap();
    server.bucket("orders-files", "orders").unwrap();
    assert_eq!(server.objects("orders-files").unwrap(), Vec::<String>::new());
    assert!(server.objects("other-files").is_err());
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn a_certificate_is_proven_by_its_authority_and_by_no_other() {
    let ground = Ground::new().unwrap();
    let server = S3::start(&ground.place, Encryption::Required(&ground.ours)).await.unwrap();
    assert!(server.endpoint().starts_with("https://"));
    server.user("orders", "let it be").unwrap();
    let stranger = reqwest::get(server.endpoint()).await.unwrap_err();
    assert!(format!("{stranger:?}").contains("UnknownIssuer"), "{stranger:?}");
}
