use super::*;
use crate::fixtures::secret;

fn values(url: &str) -> Values {
    Values::default().with("POSTGRES_URL", url)
}

fn given(url: &str) -> Kept {
    Kept(Server::Database, Arc::new(secret("dev-database", &[("POSTGRES_URL", url)])))
}

fn of(wanted: &str, given_before: &str) -> Outside {
    let settings = Settings::from([(Server::Database, values(wanted))]);
    Outside { kept: vec![given(given_before)], ..Outside::reading(settings) }
}

#[test]
fn during_an_upgrade_the_backend_keeps_what_it_was_given_and_that_is_known() {
    let unmoved = of("new", "old").unmoved();
    assert_eq!(unmoved.settings, Some(Settings::from([(Server::Database, values("old"))])));
    assert!(unmoved.waits);
    assert!(!of("old", "old").unmoved().waits, "nothing has changed");
    assert!(!of("new", "old").waits, "no upgrade is under way");
}

#[test]
fn what_was_never_given_is_given_during_an_upgrade_too() {
    let settings = Settings::from([(Server::Database, values("new"))]);
    let lost = Outside::reading(settings.clone()).unmoved();
    assert_eq!((lost.settings, lost.waits), (Some(settings), false));
}

#[test]
fn where_nothing_new_can_be_had_what_was_given_stays() {
    let spoilt = || Obstacle::new("SecretMissing", "");
    let stays = given_up(Server::Database, Some(values("old")), spoilt());
    assert_eq!(stays.settings, Some(Settings::from([(Server::Database, values("old"))])));
    assert_eq!(stays.obstacle(), Some(&spoilt()));
    assert_eq!(given_up(Server::Database, None, spoilt()).settings, None);
}

#[test]
fn it_prints_no_values() {
    let printed = format!("{:?}", of("canary-new", "canary-old"));
    assert!(!printed.contains("canary") && printed.contains("POSTGRES_URL"), "{printed}");
    assert!(!printed.contains("99, 97, 110"), "nor its bytes: {printed}");
}
