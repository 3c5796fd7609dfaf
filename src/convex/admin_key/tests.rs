//! Keys made with fixed nonces and checked against the library that Convex itself uses, and every
//! way in which a key can be wrong.

use super::{AdminKey, InvalidAdminKey, KeyRefused, derive, seal};
use crate::convex::grant::{Grant, Identity, NotAGrant};
use crate::convex::instance::{InstanceName, InstanceSecret};

const COUNTING: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The development secret that Convex publishes.
const CARNITAS: &str = "4361726e697461732c206c69746572616c6c79206d65616e696e6720226c6974";
const ONES: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

const STANDARD: &str =
    "convex-self-hosted|010000000000000000000000009c7a26d54e2a1e2d533be49d8443fd4e2ed15431620bf525";
const ACME: &str =
    "acme-prod|010102030405060708090a0b0ce79837241832b3e2cfdbfe94483ac633288a42f3c6cdb35d";
const ACME_MEMBER_300: &str =
    "acme-prod|010102030405060708090a0b0c82af0650ebacd8e275916788db44d5dd567f7e529e1c38339b";
const ACME_SYSTEM: &str =
    "acme-prod|010102030405060708090a0b0c559f2699a1affd2a0fe6c451579f601e34c692f56b93ea48";
const CARNITAS_READ_ONLY: &str =
    "carnitas|01a0a1a2a3a4a5a6a7a8a9aaab833078f6d3eed4446111f202a8a3960d331fff1f59b11fc7d201";

/// The nonces of the vectors.
const COUNTING_NONCE: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const HIGH_NONCE: [u8; 12] =
    [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab];

fn named(name: &str) -> InstanceName {
    InstanceName::parse(name).unwrap()
}

fn secret(hex: &str) -> InstanceSecret {
    InstanceSecret::parse(hex).unwrap()
}

fn key(text: &str) -> AdminKey {
    AdminKey::parse(text).unwrap()
}

fn sealed(name: &str, hex: &str, grant: &Grant, nonce: [u8; 12]) -> String {
    seal(&named(name), &secret(hex), grant, nonce).unwrap().expose().to_owned()
}

#[test]
fn the_derived_keys_are_those_of_the_library_that_convex_uses() {
    let derived = |hex| hex::encode(derive(&secret(hex)).as_slice());
    assert_eq!(derived(COUNTING), "ce918d08f04afa58eadfa56cf8eedc2a");
    assert_eq!(derived(CARNITAS), "a7526e1715ea4effa55636bee910d731");
    assert_eq!(derived(ONES), "99fd6434f97fd9d2117168ebfe0245a5");
}

#[test]
fn the_same_grant_under_the_same_nonce_is_sealed_to_the_same_key() {
    let acme = Grant::administrator(1_735_689_600);
    let member = Grant { identity: Identity::Member(300), ..acme.clone() };
    let system = Grant { identity: Identity::System, ..acme.clone() };
    let read_only = Grant { read_only: true, ..Grant::administrator(1_782_864_000) };
    let standard = Grant::administrator(1_700_000_000);

    assert_eq!(sealed("convex-self-hosted", COUNTING, &standard, [0; 12]), STANDARD);
    assert_eq!(sealed("acme-prod", CARNITAS, &acme, COUNTING_NONCE), ACME);
    assert_eq!(sealed("acme-prod", CARNITAS, &member, COUNTING_NONCE), ACME_MEMBER_300);
    assert_eq!(sealed("acme-prod", CARNITAS, &system, COUNTING_NONCE), ACME_SYSTEM);
    assert_eq!(sealed("carnitas", ONES, &read_only, HIGH_NONCE), CARNITAS_READ_ONLY);
}

#[test]
fn administrators_keys_open() {
    assert_eq!(key(STANDARD).opens(&named("convex-self-hosted"), &secret(COUNTING)), Ok(()));
    assert_eq!(key(ACME).opens(&named("acme-prod"), &secret(CARNITAS)), Ok(()));
    assert_eq!(key(ACME_MEMBER_300).opens(&named("acme-prod"), &secret(CARNITAS)), Ok(()));
}

#[test]
fn keys_that_administer_nothing_are_told_apart() {
    let system = key(ACME_SYSTEM).opens(&named("acme-prod"), &secret(CARNITAS));
    assert_eq!(system, Err(KeyRefused::SystemKey));
    let read_only = key(CARNITAS_READ_ONLY).opens(&named("carnitas"), &secret(ONES));
    assert_eq!(read_only, Err(KeyRefused::ReadOnly));
}

#[test]
fn an_opened_key_says_what_it_grants() {
    let grant = key(ACME_MEMBER_300).grant(&named("acme-prod"), &secret(CARNITAS)).unwrap();
    let expected = Grant { identity: Identity::Member(300), ..Grant::administrator(1_735_689_600) };
    assert_eq!(grant, expected);
}

#[test]
fn a_minted_key_opens_and_each_minting_gives_another_one() {
    let (name, secret) = (named("acme"), InstanceSecret::generate().unwrap());
    let one = AdminKey::mint(&name, &secret, 1_763_725_000).unwrap();
    let other = AdminKey::mint(&name, &secret, 1_763_725_000).unwrap();
    assert_ne!(one.expose(), other.expose());
    assert_eq!(one.opens(&name, &secret), Ok(()));
    assert_eq!(other.opens(&name, &secret), Ok(()));
    assert_eq!(one.expose().len(), "acme|".len() + 74);
}

#[test]
fn a_clock_that_stands_at_zero_still_gives_a_key_that_opens() {
    let minted = AdminKey::mint(&named("acme"), &secret(COUNTING), 0).unwrap();
    assert_eq!(minted.opens(&named("acme"), &secret(COUNTING)), Ok(()));
}

#[test]
fn a_key_of_another_instance_or_secret_is_refused_as_such() {
    let acme = key(ACME);
    assert_eq!(acme.opens(&named("acme_prod"), &secret(CARNITAS)), Err(KeyRefused::OtherName));
    assert_eq!(acme.opens(&named("acme-prod"), &secret(COUNTING)), Err(KeyRefused::OtherSecret));
}

#[test]
fn a_key_with_any_byte_changed_does_not_open() {
    let (name, sealed) = ACME.split_once('|').unwrap();
    let bytes = hex::decode(sealed).unwrap();
    for position in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[position] ^= 0x01;
        let tampered = key(&format!("{name}|{}", hex::encode(tampered)));
        let expected =
            if position == 0 { KeyRefused::UnknownVersion(0) } else { KeyRefused::OtherSecret };
        let refused = tampered.opens(&named("acme-prod"), &secret(CARNITAS));
        assert_eq!(refused, Err(expected), "byte {position}");
    }
}

#[test]
fn a_key_cut_short_anywhere_is_refused() {
    for length in 1..ACME.len() {
        let cut = key(&ACME[..length]);
        assert!(cut.opens(&named("acme-prod"), &secret(CARNITAS)).is_err(), "{length} characters");
    }
}

#[test]
fn a_key_that_is_none_is_refused_by_what_is_wrong_with_it() {
    let opens = |text: &str| key(text).opens(&named("acme-prod"), &secret(CARNITAS));
    assert_eq!(opens(ACME.split_once('|').unwrap().1), Err(KeyRefused::Nameless));
    assert_eq!(opens(&ACME.replace("acme-prod|", "|")), Err(KeyRefused::Nameless));
    assert_eq!(opens(&ACME.replace('|', "|zz")), Err(KeyRefused::Damaged));
    assert_eq!(opens("acme-prod|"), Err(KeyRefused::Damaged));
    assert_eq!(opens("acme-prod|01"), Err(KeyRefused::Damaged));
    assert_eq!(opens("acme-prod|02ff"), Err(KeyRefused::UnknownVersion(2)));
}

#[test]
fn a_grant_that_was_never_issued_is_refused_though_it_opens() {
    let never = sealed("acme", COUNTING, &Grant::administrator(0), COUNTING_NONCE);
    let refused = key(&never).opens(&named("acme"), &secret(COUNTING));
    assert_eq!(refused, Err(KeyRefused::Senseless(NotAGrant::NeverIssued)));
}

#[test]
fn the_type_of_a_deployment_may_stand_before_its_name() {
    let opens = |text: &str| key(text).opens(&named("acme-prod"), &secret(CARNITAS));
    assert_eq!(opens(&format!("prod:{ACME}")), Ok(()));
    assert_eq!(opens(&format!("preview:{ACME}")), Err(KeyRefused::Nameless));
}

#[test]
fn a_stored_value_that_cannot_be_a_key_is_refused_without_repeating_it() {
    let refusal = |value: &str| AdminKey::parse(value).unwrap_err();
    assert_eq!(refusal(""), InvalidAdminKey::Empty);
    assert_eq!(refusal(&format!("{ACME}\n")), InvalidAdminKey::TrailingNewline);
    assert_eq!(refusal("acme prod|01"), InvalidAdminKey::NotVisibleAscii);
    assert_eq!(refusal(&"a".repeat(1025)), InvalidAdminKey::TooLong { found: 1025 });
}

#[test]
fn debug_shows_no_part_of_a_key() {
    assert_eq!(format!("{:?}", key(ACME)), "AdminKey(redacted)");
}
