//! Published vectors, and what must be refused.

use super::*;

const COUNTING: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// Upstream's public development secret.
const PUBLIC: &str = "4361726e697461732c206c69746572616c6c79206d65616e696e6720226c6974";
const ONES: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

struct Vector {
    name: &'static str,
    secret: &'static str,
    nonce: &'static str,
    derived: &'static str,
    claims: Claims,
    message: &'static str,
    sealed: &'static str,
}

fn vectors() -> [Vector; 5] {
    [
        Vector {
            name: "convex-self-hosted",
            secret: COUNTING,
            nonce: "000000000000000000000000",
            derived: "ce918d08f04afa58eadfa56cf8eedc2a",
            claims: Claims::admin(1_700_000_000),
            message: "1080e2cfaa061800",
            sealed: "9c7a26d54e2a1e2d533be49d8443fd4e2ed15431620bf525",
        },
        acme(
            Identity::Member(0),
            "10808bd2bb061800",
            "e79837241832b3e2cfdbfe94483ac633288a42f3c6cdb35d",
        ),
        acme(
            Identity::Member(300),
            "10808bd2bb0618ac02",
            "82af0650ebacd8e275916788db44d5dd567f7e529e1c38339b",
        ),
        acme(
            Identity::System,
            "10808bd2bb062200",
            "559f2699a1affd2a0fe6c451579f601e34c692f56b93ea48",
        ),
        Vector {
            name: "carnitas",
            secret: ONES,
            nonce: "a0a1a2a3a4a5a6a7a8a9aaab",
            derived: "99fd6434f97fd9d2117168ebfe0245a5",
            claims: Claims { read_only: true, ..Claims::admin(1_782_864_000) },
            message: "1080b191d20618002801",
            sealed: "833078f6d3eed4446111f202a8a3960d331fff1f59b11fc7d201",
        },
    ]
}

fn acme(identity: Identity, message: &'static str, sealed: &'static str) -> Vector {
    Vector {
        name: "acme-prod",
        secret: PUBLIC,
        nonce: "0102030405060708090a0b0c",
        derived: "a7526e1715ea4effa55636bee910d731",
        claims: Claims { issued_s: 1_735_689_600, identity, read_only: false },
        message,
        sealed,
    }
}

fn secret(text: &str) -> Secret {
    Secret::from_hex(text).unwrap()
}

#[test]
fn every_published_vector_is_issued_byte_for_byte_and_opens() {
    for vector in vectors() {
        let secret = secret(vector.secret);
        assert_eq!(hex::encode(secret.admin_key()), vector.derived);
        assert_eq!(hex::encode(vector.claims.encode()), vector.message);
        let nonce = hex::decode(vector.nonce).unwrap().try_into().unwrap();
        let key = issue(vector.name, &secret, &vector.claims, nonce);
        assert_eq!(key, format!("{}|01{}{}", vector.name, vector.nonce, vector.sealed));
        assert_eq!(verify(vector.name, &secret, &key), Ok(vector.claims));
    }
}

fn first_key() -> (Secret, String) {
    let secret = secret(COUNTING);
    let key = issue("name", &secret, &Claims::admin(1), [7; 12]);
    (secret, key)
}

#[test]
fn a_deployment_type_before_the_name_is_stripped() {
    let (secret, key) = first_key();
    assert!(verify("name", &secret, &format!("prod:{key}")).is_ok());
    for nameless in ["preview", "project"] {
        let key = format!("{nameless}:{key}");
        assert_eq!(verify("name", &secret, &key), Err(KeyError::OtherInstance));
    }
}

#[test]
fn a_new_key_without_its_name_is_bad() {
    let (secret, key) = first_key();
    let bare = key.strip_prefix("name|").unwrap();
    assert_eq!(verify("name", &secret, bare), Err(KeyError::OtherInstance));
}

#[test]
fn a_key_for_another_name_or_of_another_secret_is_bad() {
    let (_, key) = first_key();
    assert_eq!(verify("other", &secret(COUNTING), &key), Err(KeyError::OtherInstance));
    assert_eq!(verify("name", &secret(PUBLIC), &key), Err(KeyError::NotOurs));
}

#[test]
fn a_mangled_key_is_bad_and_says_how() {
    let (secret, key) = first_key();
    let flipped =
        format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { '1' } else { '0' });
    let other_version = key.replacen("|01", "|02", 1);
    for (key, error) in [
        (flipped.as_str(), KeyError::NotOurs),
        (&other_version, KeyError::UnknownVersion),
        ("name|", KeyError::Malformed),
        ("name|zz", KeyError::Malformed),
        ("name|01", KeyError::NotOurs),
        ("", KeyError::Malformed),
    ] {
        assert_eq!(verify("name", &secret, key), Err(error), "{key}");
    }
}

#[test]
fn a_message_without_time_or_identity_is_bad() {
    let secret = secret(COUNTING);
    // An issuer that drops the zero member, as proto3 does outside a oneof, writes `10 01` only.
    for message in ["1001", "1800", "10001800"] {
        let sealed = seal::seal(&secret, [0; 12], &hex::decode(message).unwrap());
        let key = format!("name|01{}{}", hex::encode([0; 12]), hex::encode(sealed));
        assert_eq!(verify("name", &secret, &key), Err(KeyError::Incomplete), "{message}");
    }
}

#[test]
fn the_legacy_seal_opens_upstreams_own_vector() {
    let secret = secret(&"27".repeat(32));
    let sealed = "0a1e6e07e418a1791e491de168a62e37abce83f3453b3d01c358d38771815433f8ecba285de5a47effe43bd3d5f1a0087788857987";
    let opened = legacy::open(&secret, &hex::decode(sealed).unwrap()).unwrap();
    assert_eq!(opened, b"\x0a\x0bhello world");
}

#[test]
fn legacy_keys_may_carry_their_name_inside() {
    use crypto_secretbox::{KeyInit, Nonce, XSalsa20Poly1305, aead::Aead};
    let secret = secret(COUNTING);
    let message = hex::decode("0a086361726e69746173108186ba8d061800").unwrap();
    let sealed = XSalsa20Poly1305::new(secret.bytes().into())
        .encrypt(Nonce::from_slice(&[9; 24]), message.as_slice())
        .unwrap();
    let body = format!("01{}{}", hex::encode([9; 24]), hex::encode(sealed));
    assert_eq!(verify("carnitas", &secret, &body).unwrap().identity, Identity::Member(0));
    assert!(verify("carnitas", &secret, &format!("carnitas|{body}")).is_ok());
    assert_eq!(verify("other", &secret, &body), Err(KeyError::OtherInstance));
}

#[test]
fn a_secret_is_sixty_four_hexadecimal_digits_and_nothing_else() {
    assert!(Secret::from_hex(COUNTING).is_ok());
    for bad in [format!("{COUNTING}\n"), COUNTING[..62].to_owned(), "zz".repeat(32), String::new()]
    {
        assert!(Secret::from_hex(&bad).is_err(), "{bad:?}");
    }
}
