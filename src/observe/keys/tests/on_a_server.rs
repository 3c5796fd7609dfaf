//! What is different where the data is a database on a server.

use super::*;

fn on_a_server(name: Option<&str>) -> ConvexInstance {
    instance_with(|spec| {
        spec["backend"]["db"] = json!({"engine": "postgres", "secretRef": "pg", "urlKey": "uri"});
        spec["backend"]["instance"] = json!({ "name": name });
    })
}

fn made(id: &str) -> Store {
    Store::Made(statemachine::pins::Revision(id.to_owned()))
}

fn admin_of(keys: &Keys) -> Secret {
    let url = service_url(&instance(), &Names::of("dev"), API_PORT);
    let key = keys.admin.expose().as_bytes().to_vec();
    secret("dev-admin", &[(secrets::URL, url.as_bytes().to_vec()), (secrets::ADMIN_KEY, key)])
}

/// An upgrade leads from one database to another, and perhaps back: each time the key is minted that the backend takes, and only
/// that which was ours gives way.
#[test]
fn a_key_to_another_deployment_of_the_instance_is_minted_anew_and_of_anybody_elses_is_not() {
    let instance = on_a_server(None);
    let holder = secret("dev-instance", &[("INSTANCE_SECRET", hex())]);
    let first = seen(&instance, &Data::Own, Some(&holder), None).keys.unwrap();
    let moved = |besides: &[Store], admin: &Secret| {
        seen_of(&instance, (&Data::Own, &made("7"), besides), Some(&holder), Some(admin))
    };
    let keys = moved(&[], &admin_of(&first)).keys.unwrap();
    assert_eq!(keys.admin_found, AdminFound::Renamed);
    assert!(
        keys.deployment != keys.name && keys.admin.opens(&keys.deployment, &keys.secret).is_ok()
    );
    let again = moved(&[], &admin_of(&keys)).keys.unwrap();
    assert_eq!((again.admin_found, again.admin.expose()), (AdminFound::Whole, keys.admin.expose()));
    // Back to the first: what was minted for the second gives way in turn.
    let back = (&Data::Own, &Store::Original, &[made("7")][..]);
    let back = seen_of(&instance, back, Some(&holder), Some(&admin_of(&keys))).keys.unwrap();
    assert_eq!(back.admin_found, AdminFound::Renamed);
    let stranger = seen(&instance, &Data::Own, Some(&holder), Some(&admin_of(&keys)));
    assert_eq!(obstacle(&stranger).0, "AdminKeyMismatch");
}

/// It would open what was left when the data was moved, and serve it as if nothing had been written since.
#[test]
fn an_instance_that_is_made_anew_under_the_name_that_was_left_is_refused_with_the_one_to_name() {
    let mut holder = secret("dev-instance", &[("INSTANCE_SECRET", hex())]);
    let marks = [
        (labels::STAMPED_FOR, "an earlier one"),
        (labels::STORE, "Made/7"),
        (labels::INSTANCE_NAME, "dev-7-1234abcd"),
        (labels::VERSION, "v2"),
        (labels::IMAGE, "example.com/backend:v2"),
        (labels::ENGINE, "postgres"),
    ];
    let marks = marks.map(|(key, value)| (key.to_owned(), value.to_owned()));
    holder.metadata.annotations = Some(marks.into());
    let named = on_a_server(Some("dev"));
    let anew = seen(&named, &Data::New, Some(&holder), None);
    let (reason, message) = obstacle(&anew);
    assert_eq!(reason, "InstanceNameChanged");
    assert!(message.contains("create it anew with \"dev-7-1234abcd\""), "{message}");
    let unnamed = seen(&on_a_server(None), &Data::New, Some(&holder), None).keys.unwrap();
    assert_eq!(unnamed.deployment.as_str(), "dev-7-1234abcd");
    // The claim that was left is none to go on with.
    let kept = seen(&on_a_server(None), &Data::New, Some(&retained(holder)), None);
    assert!(obstacle(&kept).1.contains("existingClaim: dev-data-7 "), "{:?}", kept.obstacle);
}
