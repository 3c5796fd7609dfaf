//! What may stand in a Secret, and that a refusal never repeats it.

use super::{InstanceName, InstanceSecret, InvalidName, InvalidSecret};

const GOOD: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn refusal(value: impl AsRef<[u8]>) -> InvalidSecret {
    InstanceSecret::parse(value).unwrap_err()
}

#[test]
fn a_secret_of_64_hexadecimal_characters_survives_the_round_trip() {
    assert_eq!(*InstanceSecret::parse(GOOD).unwrap().to_hex(), GOOD);
}

#[test]
fn a_secret_in_capitals_is_the_same_secret() {
    let secret = InstanceSecret::parse(GOOD.to_uppercase()).unwrap();
    assert_eq!(*secret.to_hex(), GOOD);
}

#[test]
fn a_secret_that_is_not_one_is_refused_by_what_is_wrong_with_it() {
    assert_eq!(refusal(""), InvalidSecret::Empty);
    assert_eq!(refusal(format!("{GOOD}\n")), InvalidSecret::TrailingNewline);
    assert_eq!(refusal(format!("{GOOD}\r\n")), InvalidSecret::TrailingNewline);
    assert_eq!(refusal("\n"), InvalidSecret::TrailingNewline);
    assert_eq!(refusal([0xff; 32]), InvalidSecret::Binary);
    assert_eq!(refusal([0x00; 32]), InvalidSecret::Binary);
    assert_eq!(refusal(&GOOD[..63]), InvalidSecret::Length { found: 63 });
    assert_eq!(refusal(format!("0x{GOOD}")), InvalidSecret::Length { found: 66 });
    assert_eq!(refusal(GOOD.replace('f', "g")), InvalidSecret::NotHex { position: 32 });
    assert_eq!(refusal("é".repeat(64)), InvalidSecret::NotHex { position: 1 });
}

#[test]
fn neither_a_refusal_nor_debug_shows_the_secret() {
    let spoilt = GOOD.replace("1f", "xy");
    let refused = refusal(&spoilt);
    assert!(!format!("{refused} {refused:?}").contains("0001"), "{refused:?}");
    let debug = format!("{:?}", InstanceSecret::parse(GOOD).unwrap());
    assert_eq!(debug, "InstanceSecret(redacted)");
}

#[test]
fn two_generated_secrets_differ() {
    let (one, other) = (InstanceSecret::generate().unwrap(), InstanceSecret::generate().unwrap());
    assert_ne!(one.to_hex(), other.to_hex());
}

#[test]
fn a_name_keeps_its_dashes() {
    assert_eq!(InstanceName::parse("acme-prod").unwrap().as_str(), "acme-prod");
}

#[test]
fn a_name_that_would_break_the_key_or_the_database_is_refused() {
    let refusal = |value: &str| InstanceName::parse(value).unwrap_err();
    assert_eq!(refusal(""), InvalidName::Empty);
    assert_eq!(refusal("acme\n"), InvalidName::TrailingNewline);
    assert_eq!(refusal("ac me"), InvalidName::NotVisibleAscii);
    assert_eq!(refusal("acmé"), InvalidName::NotVisibleAscii);
    assert_eq!(refusal("prod:acme"), InvalidName::Separator);
    assert_eq!(refusal("acme|01"), InvalidName::Separator);
    assert_eq!(refusal(&"a".repeat(64)), InvalidName::TooLong { found: 64 });
    assert!(InstanceName::parse("a".repeat(63)).is_ok());
}
