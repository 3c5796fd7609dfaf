use serde_json::{Value, json};

use statemachine::{pins::Backend, worlds::born};

use super::*;
use crate::fixtures::{ClaimWords, claim, instance, instance_with};

fn strategy_of(maintenance: Value, engine: &str) -> &'static str {
    let instance = instance_with(|spec| {
        spec["maintenance"] = maintenance;
        spec["backend"]["db"]["engine"] = json!(engine);
    });
    strategy(&instance).name()
}

#[test]
fn the_strategy_follows_from_three_fields_and_the_engine() {
    let in_place = |snapshot: &str| json!({"preUpgradeSnapshot": snapshot});
    for (maintenance, engine, expected) in [
        (json!({}), "sqlite", "InPlace/Copy"),
        (json!({}), "postgres", "InPlace/Export"),
        (in_place("Copy"), "postgres", "InPlace/Copy"),
        (in_place("Export"), "sqlite", "InPlace/Export"),
        (in_place("Off"), "sqlite", "InPlace/None"),
        (json!({"upgradeStrategy": "exportImport"}), "sqlite", "ExportImport/SameStore/Copy"),
        (json!({"upgradeStrategy": "exportImport"}), "mysql", "ExportImport/SameStore/Export"),
        (
            json!({"upgradeStrategy": "exportImport", "exportImport": {"into": "FreshStore"}}),
            "sqlite",
            "ExportImport/FreshStore",
        ),
    ] {
        assert_eq!(strategy_of(maintenance.clone(), engine), expected, "{maintenance} {engine}");
    }
}

#[test]
fn without_a_volume_there_is_nothing_to_copy_or_to_fill() {
    let on = |volume: bool, maintenance: serde_json::Value| {
        obtainable(&instance_with(|spec| {
            spec["backend"]["storage"]["pvc"] = json!({"enabled": volume});
            spec["maintenance"] = maintenance.clone();
        }))
    };
    assert!(on(true, json!({})) && on(true, json!({"upgradeStrategy": "exportImport"})));
    assert!(!on(false, json!({})) && !on(false, json!({"upgradeStrategy": "exportImport"})));
    assert!(on(false, json!({"preUpgradeSnapshot": "Off"})));
}

#[test]
fn the_image_is_the_repository_at_the_version_unless_the_spec_names_one() {
    let settings = Settings {
        backend_repository: "example.com/backend".to_owned(),
        dashboard_repository: String::new(),
        worker_image: "op:v0".to_owned(),
        namespace: "convex-system".to_owned(),
        max_concurrent_upgrades: 0,
    };
    assert_eq!(of(&instance(), &settings).release.image, "example.com/backend:v1");
    let own = instance_with(|spec| spec["backend"]["image"] = json!("mine:1"));
    assert_eq!(of(&own, &settings).release.image, "mine:1");
}

/// An address and a password change in place: that is no upgrade.
#[test]
fn the_engine_is_the_kind_of_the_database_wherever_it_is() {
    let postgres = |secret: &str| {
        engine(&instance_with(|spec| {
            spec["backend"]["db"] =
                json!({"engine": "postgres", "secretRef": secret, "urlKey": "url"});
        }))
    };
    assert_eq!(engine(&instance()), "sqlite");
    assert_eq!((postgres("one").as_str(), postgres("other").as_str()), ("postgres", "postgres"));
    let release = |engine: &str| Release { engine: engine.to_owned(), ..Release::default() };
    assert!(is_server(&release("postgres")) && is_server(&release("mysql")));
    assert!(!is_server(&release("sqlite")));
}

/// A volume beside a database holds files only.
#[test]
fn of_a_database_on_a_server_no_copy_can_be_had_and_a_new_one_where_its_user_makes_it() {
    for volume in [true, false] {
        let with = |db: Value, maintenance: Value| {
            obtainable(&instance_with(|spec| {
                spec["backend"]["db"] = db;
                spec["backend"]["storage"]["pvc"] = json!({"enabled": volume});
                spec["maintenance"] = maintenance;
            }))
        };
        let on = |maintenance| with(json!({"engine": "postgres"}), maintenance);
        assert!(on(json!({})) && on(json!({"upgradeStrategy": "exportImport"})), "{volume}");
        assert!(on(json!({"preUpgradeSnapshot": "Off"})));
        assert!(!on(json!({"preUpgradeSnapshot": "Copy"})));
        let copied = json!({"upgradeStrategy": "exportImport", "preUpgradeSnapshot": "Copy"});
        assert!(!on(copied));
        let fresh =
            json!({"upgradeStrategy": "exportImport", "exportImport": {"into": "FreshStore"}});
        assert!(!on(fresh.clone()));
        let makes = |how: &str| json!({"engine": "postgres", "createDatabase": how});
        assert!(with(makes("IfMissing"), fresh.clone()) && !with(makes("Never"), fresh));
        assert!(!with(makes("IfMissing"), json!({"preUpgradeSnapshot": "Copy"})));
    }
}

/// Version 1 by its usual image.
fn wished() -> Wish {
    let settings = Settings {
        backend_repository: "example.com/backend".to_owned(),
        dashboard_repository: String::new(),
        worker_image: "op:v0".to_owned(),
        namespace: "convex-system".to_owned(),
        max_concurrent_upgrades: 0,
    };
    of(&instance(), &settings)
}

#[test]
fn a_store_has_outgrown_a_version_that_opened_it_before_the_last() {
    let outgrown_by = |opened: &[&str]| {
        let opened = claim("dev-data").opened_by(opened);
        let children = Children { claims: crate::fixtures::claimed(opened), ..Children::default() };
        outgrown(&wished(), &children, &Pins::default())
    };
    assert!(outgrown_by(&["v1", "v2"]));
    assert!(!outgrown_by(&["v1"]));
    assert!(!outgrown_by(&["v2", "v1"]));
    assert!(!outgrown_by(&["v0", "v2"]));
    assert!(!outgrown(&wished(), &Children::default(), &Pins::default()));
    assert!(outgrown_by(&["v1", "v1 example.com/other:v2"]), "another image of the same version");
    assert!(outgrown_by(&["v1 backend@sha256:aa", "v2"]), "the same version by another name");
    assert!(!outgrown_by(&["v0", "v1 backend:v1-patched"]), "an image that never had it");
}

/// Else a rollback would be taken for a third release, and the store given back to the version that it has left behind.
#[test]
fn a_store_has_outgrown_what_was_at_home_once_the_target_was_let_in() {
    use statemachine::{Direction, worlds::upgrade};
    let opened = claim("dev-data").opened_by(&["v1", "v2"]);
    let children = Children { claims: crate::fixtures::claimed(opened), ..Children::default() };
    let amid = |stage: Option<Stage>| {
        let home = Backend { release: wished().release, ..born() };
        let strategy = Strategy::InPlace(WayBack::Copy);
        let upgrade = stage.map(|stage| upgrade(strategy, stage, Direction::Forward));
        let pins = Pins { home: Some(home), upgrade, ..Pins::default() };
        outgrown(&wished(), &children, &pins)
    };
    assert!(!amid(None), "it is at home");
    assert!(!amid(Some(Stage::Exporting)), "nothing has begun");
    assert!(amid(Some(Stage::Rolling)));
}

#[test]
fn every_phase_has_the_patience_that_the_spec_gives_it() {
    let spec = instance_with(|spec| {
        spec["maintenance"] = json!({"provisionDeadlineSeconds": 1, "exportDeadlineSeconds": 2,
            "rolloutDeadlineSeconds": 3, "importDeadlineSeconds": 4, "unavailableGraceSeconds": 5});
    });
    let of = |phase| patience(&spec, phase).as_secs();
    assert_eq!(of(Phase::Provisioning), 1);
    assert_eq!(of(Phase::Upgrading(Stage::Exporting)), 2);
    assert_eq!(of(Phase::Upgrading(Stage::Rolling)), 3);
    assert_eq!(of(Phase::Upgrading(Stage::Importing)), 4);
    assert_eq!(grace(&spec).as_secs(), 5);
}

/// Another try may wait for an image, or a quota: with the pause of the last one on it would turn users away for that.
#[test]
fn another_try_is_heard_of_once_users_are_in_again() {
    use statemachine::{Direction, phase::Wire, worlds::upgrade};
    let heard = |stage, phase, traffic: Option<&str>| {
        let mut instance = instance();
        instance.metadata.annotations = Some([(RETRY.to_owned(), "again".to_owned())].into());
        let status = instance.status.get_or_insert_default();
        let wire = Wire::from(phase);
        (status.phase, status.stage) = (Some(wire.phase), Some(wire.stage));
        status.traffic = traffic.map(str::to_owned);
        let upgrade = upgrade(Strategy::InPlace(WayBack::Copy), stage, Direction::Forward);
        status.lifecycle = Some(Pins { upgrade: Some(upgrade), ..Pins::default() });
        retry(&instance)
    };
    let degraded = |stage, traffic| heard(stage, Phase::Degraded, traffic);
    assert_eq!(degraded(Stage::Exporting, Some(hold::HELD)), "");
    assert_eq!(degraded(Stage::Exporting, Some(hold::PAUSED)), "again", "by the owner");
    assert_eq!(degraded(Stage::Exporting, None), "again");
    assert_eq!(degraded(Stage::Rolling, Some(hold::HELD)), "again", "held all the time");
    assert_eq!(
        heard(Stage::Exporting, Phase::Upgrading(Stage::Exporting), Some(hold::HELD)),
        "again"
    );
}
