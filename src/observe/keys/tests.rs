mod on_a_server;

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::*;
use crate::{
    fixtures::{instance, instance_with, keys, secret},
    plan::{backend::API_PORT, service_url},
};

/// Part of every value here: it must never be read anywhere.
const CANARY: &str = "cafebabe";

fn hex() -> String {
    CANARY.repeat(8)
}

fn seen(
    instance: &ConvexInstance,
    data: &Data,
    holder: Option<&Secret>,
    admin: Option<&Secret>,
) -> Seen {
    seen_of(instance, (data, &Store::Original, &[]), holder, admin)
}

/// The same while this store is in use, and these are the instance's besides.
fn seen_of(
    instance: &ConvexInstance,
    (data, used, besides): (&Data, &Store, &[Store]),
    holder: Option<&Secret>,
    admin: Option<&Secret>,
) -> Seen {
    let own = besides.iter().chain([used, &Store::Original]).cloned().collect();
    let asked = Asked { data, used, own: &own };
    let seen = judged(instance, &Names::of("dev"), asked, holder, admin);
    let printed = format!("{seen:?}");
    assert!(!printed.contains(CANARY), "a value is shown: {printed}");
    seen
}

fn obstacle(seen: &Seen) -> (&'static str, &str) {
    let obstacle = seen.obstacle.as_ref().unwrap();
    (obstacle.reason, &obstacle.message)
}

fn adopting() -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["instance"] = json!({"secretRef": "sealed", "secretKey": "the-secret"});
    })
}

fn foreign(mut secret: Secret) -> Secret {
    secret.metadata.labels = None;
    secret
}

fn retained(mut secret: Secret) -> Secret {
    let labels = secret.metadata.labels.as_mut().unwrap();
    labels.insert(labels::INSTANCE_UID.to_owned(), "another".to_owned());
    secret
}

#[test]
fn an_instance_that_never_had_keys_gets_new_ones() {
    let seen = seen(&instance(), &Data::New, None, None);
    let keys = seen.keys.unwrap();
    assert_eq!(keys.found, KeysFound::Nowhere);
    assert!(keys.admin_found == AdminFound::Nowhere && !keys.is_kept());
    assert!(keys.admin.opens(&keys.name, &keys.secret).is_ok());
    assert_eq!(seen.obstacle, None);
}

#[test]
fn an_instance_that_has_served_never_gets_new_ones() {
    let seen = seen(&instance(), &Data::Own, None, None);
    assert!(seen.keys.is_none());
    let (reason, message) = obstacle(&seen);
    assert_eq!(reason, "SecretLost");
    assert!(message.contains("dev-instance") && message.contains("restore"), "{message}");
}

#[test]
fn data_of_an_earlier_instance_asks_for_the_secret_that_it_came_with() {
    let inherited = Data::Inherited { claim: "pool".into(), secret: Some("old-instance".into()) };
    let seen = seen(&instance(), &inherited, None, None);
    assert!(seen.keys.is_none());
    let (reason, message) = obstacle(&seen);
    assert_eq!(reason, "SecretMissing");
    for part in ["\"pool\"", "secretRef to \"old-instance\""] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_missing_secret_is_named_with_the_key_that_it_needs() {
    let seen = seen(&adopting(), &Data::New, None, None);
    let (reason, message) = obstacle(&seen);
    assert_eq!(reason, "SecretMissing");
    for part in ["\"sealed\"", "\"shop\"", "\"the-secret\""] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_wrong_key_is_told_beside_the_keys_that_are_there() {
    let holder = secret("sealed", &[("the_secret", hex()), ("user", hex())]);
    let seen = seen(&adopting(), &Data::New, Some(&holder), None);
    let (reason, message) = obstacle(&seen);
    assert_eq!(reason, "SecretKeyMissing");
    assert!(message.contains("(it has: the_secret, user)"), "{message}");
}

#[test]
fn a_spoilt_value_is_named_by_its_key_and_what_is_wrong_with_it() {
    let half = hex();
    let values: [(&[u8], &str); 5] = [
        (b"", "is empty"),
        (b"\xff\xfe\xfd", "is binary"),
        (&[half.as_bytes(), b"\n"].concat(), "ends in a newline"),
        (CANARY.as_bytes(), "has 8 characters"),
        (&[half.as_bytes()[1..].to_vec(), b"x".to_vec()].concat(), "is not hexadecimal"),
    ];
    for (value, expected) in values {
        let holder = secret("sealed", &[("the-secret", value)]);
        let seen = seen(&adopting(), &Data::New, Some(&holder), None);
        let (reason, message) = obstacle(&seen);
        assert_eq!(reason, "SecretInvalid");
        assert!(message.contains("\"the-secret\""), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_good_one_is_taken_as_it_is_with_the_name_beside_it() {
    let holder = secret("sealed", &[("the-secret", hex()), ("INSTANCE_NAME", "orders".to_owned())]);
    let keys = seen(&adopting(), &Data::New, Some(&holder), None).keys.unwrap();
    assert_eq!((keys.name.as_str(), keys.found), ("orders", KeysFound::Named));
    assert_eq!(keys.source, Source { secret: "sealed".into(), key: "the-secret".into() });
    let holder = secret("sealed", &[("the-secret", hex())]);
    let keys = seen(&adopting(), &Data::New, Some(&holder), None).keys.unwrap();
    assert_eq!(keys.name.as_str(), "dev");
}

#[test]
fn the_name_of_the_spec_outranks_the_one_beside_the_secret() {
    let named = instance_with(|spec| {
        spec["backend"]["instance"] = json!({"secretRef": "sealed", "name": "spec"});
    });
    let pairs = [("INSTANCE_SECRET", hex()), ("INSTANCE_NAME", "orders".to_owned())];
    let keys = seen(&named, &Data::New, Some(&secret("sealed", &pairs)), None).keys.unwrap();
    assert_eq!(keys.name.as_str(), "spec");
}

#[test]
fn a_secret_of_somebody_else_is_neither_used_nor_touched() {
    let holder = foreign(secret("dev-instance", &[("INSTANCE_SECRET", hex())]));
    let seen = seen(&instance(), &Data::New, Some(&holder), None);
    assert_eq!(obstacle(&seen).0, "NameConflict");
    assert!(seen.keys.is_none() && seen.stored.is_empty());
}

#[test]
fn a_secret_that_was_kept_is_used_only_with_its_claim() {
    let holder = retained(secret("dev-instance", &[("INSTANCE_SECRET", hex())]));
    let alone = seen(&instance(), &Data::New, Some(&holder), None);
    assert_eq!(obstacle(&alone).0, "NameConflict");
    assert!(obstacle(&alone).1.contains("existingClaim: dev-data"));
    let again = instance_with(|spec| {
        spec["backend"]["storage"]["pvc"] = json!({"existingClaim": "dev-data"});
    });
    let keys = seen(&again, &Data::New, Some(&holder), None).keys.unwrap();
    assert_eq!(keys.found, KeysFound::Retained);
}

#[test]
fn a_kept_admin_key_is_used_where_it_fits() {
    let kept = keys();
    let secret_hex = kept.secret.to_hex().to_string();
    let holder = secret("dev-instance", &[("INSTANCE_SECRET", secret_hex)]);
    let key = (secrets::ADMIN_KEY, kept.admin.expose().to_owned());
    let url = |url: &str| (secrets::URL, url.to_owned());
    let of =
        |data: &[_]| seen(&instance(), &Data::Own, Some(&holder), Some(&secret("dev-admin", data)));
    let whole = of(&[key.clone(), url("http://dev-backend.shop.svc:3210")]);
    assert_eq!(whole.obstacle, None);
    assert_eq!(whole.stored, ["dev-instance", "dev-admin"]);
    assert_eq!(whole.keys.unwrap().admin_found, AdminFound::Whole);
    for lacking in
        [of(std::slice::from_ref(&key)), of(&[key.clone(), url("http://elsewhere.example")])]
    {
        assert_eq!(lacking.obstacle, None);
        let found = lacking.keys.unwrap();
        assert_eq!(found.admin.expose(), kept.admin.expose());
        assert_eq!(found.admin_found, AdminFound::InPart);
    }
}

#[test]
fn an_admin_secret_without_a_key_is_completed() {
    let holder = secret("dev-instance", &[("INSTANCE_SECRET", hex())]);
    let admin = secret("dev-admin", &[("other", hex())]);
    let keys = seen(&instance(), &Data::Own, Some(&holder), Some(&admin)).keys.unwrap();
    assert_eq!(keys.admin_found, AdminFound::InPart);
    assert!(keys.admin.opens(&keys.name, &keys.secret).is_ok());
}

#[test]
fn a_spoilt_admin_secret_is_told_and_never_written_over() {
    let holder = secret("dev-instance", &[("INSTANCE_SECRET", hex())]);
    let of_another = format!("dev|01{}", hex());
    let cases = [
        (secret("dev-admin", &[(secrets::ADMIN_KEY, of_another)]), "AdminKeyMismatch"),
        (secret("dev-admin", &[(secrets::ADMIN_KEY, String::new())]), "SecretInvalid"),
        (foreign(secret("dev-admin", &[(secrets::ADMIN_KEY, hex())])), "NameConflict"),
    ];
    for (admin, expected) in cases {
        let seen = seen(&instance(), &Data::Own, Some(&holder), Some(&admin));
        assert_eq!(obstacle(&seen).0, expected);
        if expected == MISMATCH {
            assert!(seen.keys.is_none() && seen.unfit, "the backend would be rolled");
            continue;
        }
        assert_eq!(
            seen.keys.unwrap().admin_found,
            AdminFound::Whole,
            "{expected}: it would be made anew"
        );
    }
}

/// There is no claim to take over by.
#[test]
fn without_a_volume_kept_keys_are_taken_up_by_their_name() {
    let served = instance_with(|spec| {
        spec["backend"]["db"]["engine"] = json!("postgres");
        spec["backend"]["storage"]["pvc"] = json!({"enabled": false});
    });
    let kept = retained(secret("dev-instance", &[("INSTANCE_SECRET", hex())]));
    let alone = seen(&served, &Data::New, Some(&kept), None);
    let (reason, message) = obstacle(&alone);
    assert_eq!(reason, "NameConflict");
    assert!(message.contains("spec.backend.instance.secretRef: dev-instance"), "{message}");
    assert!(!message.contains("existingClaim"), "{message}");
}
