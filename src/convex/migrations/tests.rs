use super::*;

/// The ways in which a subscriber writes the same line.
fn forms(level: &str, message: &str) -> [String; 7] {
    let module = "migrations_model";
    let json = serde_json::json!({"timestamp": "2026-10-22T12:00:00.000000Z", "level": level,
        "fields": {"message": message}, "target": module});
    let flat = serde_json::json!({"level": level, "message": message});
    [
        message.to_owned(),
        format!("2026-10-22T12:00:00.000000Z  {level} {module}: {message}"),
        format!("2026-10-22T12:00:00.000000Z {message}"),
        format!("[{level}] {message}"),
        format!(
            "\u{1b}[2m2026-10-22T12:00:00Z\u{1b}[0m \u{1b}[32m{level}\u{1b}[0m \u{1b}[2m{module}\u{1b}[0m\u{1b}[2m:\u{1b}[0m {message}"
        ),
        json.to_string(),
        flat.to_string(),
    ]
}

fn heard(lines: &[&str]) -> Migrations {
    lines.iter().fold(Migrations::Untold, |told, line| told.after(line))
}

const fn running(step: u32, of: u32) -> Migrations {
    Migrations::Running { step: Some(step), of: Some(of) }
}

const FAILED: &str = "Migration worker failed, sleeping 60s";
const AHEAD: &str = "persisted db metadata version is ahead at 130, this binary is at 128";

#[test]
fn every_documented_line_is_understood_in_every_form() {
    let step = Some(127);
    let cases = [
        ("INFO", "Attempting migration", Migrations::Running { step: None, of: None }),
        ("INFO", "Migrating to 127", Migrations::Running { step, of: None }),
        (
            "WARN",
            "Executing Migration 127/128. Wait for log line 'Migrated 127'",
            running(127, 128),
        ),
        ("INFO", "Migrated 127", Migrations::Running { step, of: None }),
        ("INFO", "db metadata version up to date at 128", Migrations::Done { version: Some(128) }),
        ("INFO", "Migration complete", Migrations::Done { version: None }),
        ("INFO", "MigrationComplete(115)", Migrations::Done { version: Some(115) }),
        ("ERROR", FAILED, Migrations::Failed { step: None, line: FAILED.to_owned() }),
        ("WARN", AHEAD, Migrations::Ahead { line: AHEAD.to_owned() }),
        ("ERROR", TOO_OLD, Migrations::Failed { step: None, line: TOO_OLD.to_owned() }),
    ];
    for (level, message, told) in cases {
        for line in forms(level, message) {
            assert_eq!(heard(&[&line]), told, "{line}");
        }
    }
}

#[test]
fn fields_behind_a_sentence_belong_to_the_log() {
    for line in ["Migrated 127 db=orders", "Migrated 127, db: orders", "x: Migrated 127 a=b c=d"] {
        assert_eq!(heard(&[line]), Migrations::Running { step: Some(127), of: None }, "{line}");
    }
}

#[test]
fn a_panic_of_the_step_that_has_no_way_on_is_known_by_its_words() {
    for line in [
        "thread 'tokio-runtime-worker' panicked at crates/model/src/migrations.rs:77:17: Transition too old!",
        "thread 'main' panicked at 'Transition too old!', crates/model/src/migrations.rs:77:17",
    ] {
        let told = heard(&["Migrating to 116", line, FAILED]);
        assert!(
            matches!(&told, Migrations::Failed { step: Some(116), line } if line.starts_with(TOO_OLD))
        );
        assert!(told.are_hopeless());
    }
    assert!(!heard(&[FAILED]).are_hopeless());
    assert!(heard(&[AHEAD]).are_hopeless());
}

#[test]
fn what_only_sounds_like_it_says_nothing() {
    for line in [
        "",
        "{",
        "{\"message\": 7}",
        "{\"fields\": {\"message\": \"the Migration complete\"}}",
        "INFO http: GET /api/query?q=Migration complete",
        "[LOG] 'Migration complete'",
        "LOG: Migration complete for 7 users",
        "INFO app: Migrating to 12 columns",
        "Migrating to a new plan",
        "Migrated 127th user",
        "Migrated 99999999999999999999",
        "Wait for log line 'Migrated 127'",
        "INFO app: Migration worker failedover",
        "user said: \"Transition too old!\"",
    ] {
        assert_eq!(heard(&[line]), Migrations::Untold, "{line}");
    }
}

#[test]
fn a_run_is_followed_from_its_first_attempt_to_its_end() {
    let lines = [
        ("Attempting migration", Migrations::Running { step: None, of: None }),
        ("Migrating to 127", Migrations::Running { step: Some(127), of: None }),
        ("Executing Migration 127/128. Wait for log line 'Migrated 127'", running(127, 128)),
        ("Migrated 127", running(127, 128)),
        ("Migrating to 128", running(128, 128)),
        ("INFO: GET /version 200", running(128, 128)),
        ("Migrated 128", running(128, 128)),
        ("db metadata version up to date at 128", Migrations::Done { version: Some(128) }),
        ("Migration complete", Migrations::Done { version: Some(128) }),
    ];
    let mut told = Migrations::Untold;
    for (line, known) in lines {
        told = told.after(line);
        assert_eq!(told, known, "after {line}");
    }
}

#[test]
fn a_failure_lasts_until_a_step_succeeds_and_not_only_until_it_is_tried_again() {
    let failed = Migrations::Failed { step: Some(127), line: FAILED.to_owned() };
    let attempt = ["Attempting migration", "Migrating to 127", "Executing Migration 127/128."];
    let mut lines = attempt.to_vec();
    lines.push(FAILED);
    assert_eq!(heard(&lines), failed);
    lines.extend(attempt);
    assert_eq!(heard(&lines), failed);
    lines.push("Migrated 127");
    assert_eq!(heard(&lines), Migrations::Running { step: Some(127), of: None });
    lines.push("Migration complete");
    assert_eq!(heard(&lines), Migrations::Done { version: None });
}

#[test]
fn data_that_is_ahead_stays_so_whatever_the_binary_says_then() {
    let told = heard(&["Attempting migration", AHEAD, "Migration complete"]);
    assert_eq!(told, Migrations::Ahead { line: AHEAD.to_owned() });
}

#[test]
fn an_error_beside_the_message_is_quoted_with_it() {
    let line = serde_json::json!({"fields": {"message": FAILED, "error": "no index by_id"}});
    let Migrations::Failed { line, .. } = heard(&[&line.to_string()]) else { panic!() };
    assert_eq!(line, format!("{FAILED}: no index by_id"));
}

#[test]
fn a_log_is_read_in_pieces_of_any_size_and_only_whole_lines_count() {
    let log = format!("Migrating to 127\n{}\nMigrated 127\nMigration comp", "x".repeat(200_000));
    for size in [1, 7, 4096, log.len()] {
        let mut reading = Reading::default();
        log.as_bytes().chunks(size).for_each(|piece| reading.feed(piece));
        assert!(reading.line.len() <= LONGEST_LINE);
        assert_eq!(reading.told(), Migrations::Running { step: Some(127), of: None });
    }
    let mut reading = Reading::default();
    reading.feed(b"Migration complete");
    assert_eq!(reading.told(), Migrations::Untold, "it may go on: Migration completes ...");
}

#[test]
fn what_was_heard_before_is_heard_again_without_harm() {
    let log = ["Migrated 126", "Migrating to 127", FAILED, "Migrating to 127"];
    let once = heard(&log);
    let again = log[1..].iter().fold(once.clone(), |told, line| told.after(line));
    assert_eq!(again, once);
}
