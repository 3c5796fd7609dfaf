//! What of a spec and its Secrets the backend is given.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::fixtures::instance_with;

const URI: &str = "postgresql://app:canary@pg-rw:5432/app";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

fn holder(name: &str, key: &str, value: &[u8]) -> Holder {
    let data = BTreeMap::from([(key.to_owned(), value.to_vec())]);
    Holder::new("Secret", name, "shop", Some(data))
}

fn database(change: Value) -> Database {
    let mut db = json!({"engine": "postgres", "secretRef": "pg-app", "urlKey": "uri"});
    if let Value::Object(change) = change {
        db.as_object_mut().unwrap().extend(change);
    }
    instance_with(|spec| spec["backend"]["db"] = db).spec.backend.db
}

fn read(change: Value, url: &str, ca: Option<&[u8]>) -> Result<Vec<(String, String)>, Obstacle> {
    let ca = ca.map(|it| holder("pg-ca", "ca.crt", it));
    let url = holder("pg-app", "uri", url.as_bytes());
    let (values, _) = values(&database(change), Some(&url), ca.as_ref())?;
    let text = |it: &[u8]| String::from_utf8(it.to_vec()).unwrap();
    Ok(values.iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_uri_of_cloud_native_pg_works_as_it_is() {
    let given = read(json!({}), URI, None).unwrap();
    assert_eq!(given, pairs(&[("POSTGRES_URL", "postgresql://app:canary@pg-rw:5432")]));
}

#[test]
fn authorities_are_a_file_that_the_backend_is_told_of() {
    let given = read(json!({}), URI, Some(PEM.as_bytes())).unwrap();
    let url = ("POSTGRES_URL", "postgresql://app:canary@pg-rw:5432");
    assert_eq!(given, pairs(&[("PG_CA_FILE", "/run/database/ca.crt"), url, ("ca.crt", PEM)]));
    let mysql = json!({"engine": "mysql"});
    let given = read(mysql, "mysql://app:canary@my/app", Some(PEM.as_bytes())).unwrap();
    let keys: Vec<_> = given.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(keys, ["MYSQL_CA_FILE", "MYSQL_URL", "ca.crt"]);
}

/// Any value at all turns it on, so that it is absent or there.
#[test]
fn what_need_not_be_encrypted_says_so_in_url_and_switch() {
    let given = read(json!({"requireSSL": false}), URI, None).unwrap();
    let url = "postgresql://app:canary@pg-rw:5432?sslmode=disable";
    assert_eq!(given, pairs(&[("DO_NOT_REQUIRE_SSL", "true"), ("POSTGRES_URL", url)]));
    assert_eq!(read(json!({"requireSSL": true}), URI, None), read(json!({}), URI, None));
}

#[test]
fn a_url_that_is_of_no_use_is_told_by_its_key_and_what_to_write() {
    for url in
        ["mysql://app:canary@my", "postgresql://pg/canary", "canary", "postgresql://a:canary@"]
    {
        let why = read(json!({}), url, None).unwrap_err();
        assert_eq!(why.reason, "SecretInvalid", "{url}");
        let begins = "Secret \"pg-app\", key \"uri\" is not taken: ";
        assert!(why.message.starts_with(begins), "{}", why.message);
        assert!(!why.message.contains("canary"), "{}", why.message);
    }
}

#[test]
fn only_certificates_are_taken_for_authorities() {
    let key = format!("{PEM}-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n");
    let large = PEM.repeat(16_384);
    for (ca, words) in [
        ("", "is empty"),
        ("canary", "is not a certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\n!canary!\n-----END CERTIFICATE-----\n", "is not a cert"),
        (&key, "holds a private key"),
        (&large, "is larger than 512 KiB"),
    ] {
        let why = read(json!({}), URI, Some(ca.as_bytes())).unwrap_err();
        assert!(why.message.contains("\"pg-ca\", key \"ca.crt\""), "{}", why.message);
        assert!(why.message.contains(words), "{words}: {}", why.message);
        assert!(!why.message.contains("canary"), "{}", why.message);
    }
}

#[test]
fn the_backend_names_its_database_itself_and_who_means_another_is_told_how() {
    let instance = |name: Option<&str>| {
        instance_with(|spec| spec["backend"]["db"]["databaseName"] = json!(name))
    };
    let opened = InstanceName::parse("my-shop").unwrap();
    let of = |name: Option<&str>| named(&instance(name), &opened, &Store::Original);
    assert_eq!(of(None).unwrap(), "my_shop");
    assert_eq!(of(Some("my_shop")).unwrap(), "my_shop");
    let why = of(Some("app")).unwrap_err();
    assert_eq!(why.reason, "DatabaseNameMismatch");
    assert!(why.message.contains("spec.backend.instance.name: app"), "{}", why.message);
}

/// Nobody could have meant it: it was made by an upgrade.
#[test]
fn a_database_that_an_upgrade_has_made_is_held_to_no_name() {
    let instance = instance_with(|spec| {
        spec["backend"]["db"] = json!({"engine": "postgres", "databaseName": "dev"});
    });
    let made = Store::Made(statemachine::pins::Revision("7".to_owned()));
    let opened = InstanceName::parse("dev-7-1234abcd").unwrap();
    assert_eq!(named(&instance, &opened, &made).unwrap(), "dev_7_1234abcd");
    assert!(named(&instance, &opened, &Store::Original).is_err());
}
