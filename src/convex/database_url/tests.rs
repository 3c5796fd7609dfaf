//! What of a database's URL reaches the backend.

use super::{
    Server::{Mysql, Postgres},
    *,
};

const REQUIRED: Encryption = Encryption { required: true, authorities: false };
const OPEN: Encryption = Encryption { required: false, authorities: false };
const OPEN_KNOWN: Encryption = Encryption { required: false, authorities: true };

fn read(server: Server, text: &str, encryption: Encryption) -> String {
    DatabaseUrl::read(server, text, encryption).unwrap().expose().to_owned()
}

fn refused(server: Server, text: &str) -> String {
    DatabaseUrl::read(server, text, REQUIRED).unwrap_err().to_string()
}

/// `CloudNativePG` and every managed database give it like this, and the backend refuses to start on it.
#[test]
fn the_database_that_a_url_names_is_left_out() {
    let uri = "postgresql://app:s3cret@cluster-rw.db:5432/app";
    assert_eq!(read(Postgres, uri, REQUIRED), "postgresql://app:s3cret@cluster-rw.db:5432");
    assert_eq!(read(Mysql, "mysql://app:s3cret@db/app#x", REQUIRED), "mysql://app:s3cret@db");
}

#[test]
fn a_line_break_at_the_end_of_a_secret_is_no_part_of_its_url() {
    assert_eq!(read(Postgres, "postgres://a:b@db\r\n", REQUIRED), "postgres://a:b@db");
}

#[test]
fn what_is_percent_encoded_stays_as_it_was_written() {
    let url = "postgresql://a%40b:p%2Fw%3F@db:6432?options=-c%20geqo%3Doff&connect_timeout=5";
    assert_eq!(read(Postgres, url, REQUIRED), url);
}

/// The backend appends `sslmode=require` itself, and of two the last one would count.
#[test]
fn where_encryption_is_required_the_url_says_nothing_of_it() {
    for mode in ["disable", "prefer", "require", "verify-full"] {
        let url = format!("postgresql://a:b@db?sslmode={mode}&target_session_attrs=any");
        assert_eq!(read(Postgres, &url, REQUIRED), "postgresql://a:b@db", "{mode}");
    }
    let url = "mysql://a:b@db?require_ssl=false&verify_ca=false&pool_max=8";
    assert_eq!(read(Mysql, url, REQUIRED), "mysql://a:b@db?pool_max=8");
}

/// A server that offers encryption under an authority of its own cannot be talked to halfway.
#[test]
fn where_it_is_not_required_none_is_asked_for_unless_the_server_can_be_proven() {
    let url = "postgresql://a:b@db";
    let with = |mode: &str| format!("{url}?sslmode={mode}");
    assert_eq!(read(Postgres, url, OPEN), with("disable"));
    assert_eq!(read(Postgres, url, OPEN_KNOWN), with("prefer"));
    for (asked, becomes) in [
        ("disable", "disable"),
        ("allow", "prefer"),
        ("prefer", "prefer"),
        ("verify-ca", "require"),
    ] {
        assert_eq!(read(Postgres, &with(asked), OPEN), with(becomes), "{asked}");
    }
    assert_eq!(read(Mysql, "mysql://a:b@db", OPEN), "mysql://a:b@db?require_ssl=false");
    let proven = "mysql://a:b@db?require_ssl=true&verify_ca=true";
    assert_eq!(read(Mysql, "mysql://a:b@db?require_ssl=false", OPEN_KNOWN), proven);
}

/// Plain text would be a guess.
#[test]
fn a_mode_that_nobody_knows_is_refused_where_it_counts() {
    let url = "postgresql://a:s3cret@db?sslmode=requre";
    for open in [OPEN, OPEN_KNOWN] {
        let told = DatabaseUrl::read(Postgres, url, open).unwrap_err().to_string();
        assert!(told.contains("verify-full") && !told.contains("requre"), "{told}");
    }
    assert_eq!(read(Postgres, url, REQUIRED), "postgresql://a:s3cret@db");
}

#[test]
fn what_the_backend_cannot_start_on_is_refused_with_what_to_write() {
    let table = [
        (Postgres, "mysql://a:s3cret@db", "its scheme is not postgresql://"),
        (Mysql, "postgresql://a:s3cret@db", "its scheme is not mysql://"),
        (Postgres, "a:s3cret@db", "its scheme is not postgresql://"),
        (Postgres, "db.example.com", "it is not a URL"),
        (Postgres, "", "it is not a URL"),
        (Postgres, "postgresql://a:s3cret@one:1,two:2", "it is not a URL"),
        (Postgres, "postgresql://a:s3#cret@db", "it is not a URL"),
        (Postgres, "postgresql://:s3cret@db", "it names no user"),
        (Postgres, "postgresql://db:5432", "it names no user"),
        (Postgres, "postgresql:///s3cret", "it names no user"),
        (Postgres, "postgresql://a:s3cret@db?dbname=s3cret", "\"dbname\" says what the URL itself"),
        (Postgres, "postgresql://a:b@db?sslrootcert=/s3cret", "spec.backend.db.caSecretRef"),
        (
            Postgres,
            "postgresql://a:b@db?pgbouncer=s3cret",
            "does not know its parameter \"pgbouncer\"",
        ),
        (Postgres, "postgresql://a:b@db?pool_max=8", "does not know its parameter \"pool_max\""),
        (Mysql, "mysql://a:b@db?client_found_rows=true", "does not know its parameter"),
        // A password with an @ and a ? that nobody has encoded.
        (Postgres, "postgresql://a:hid@hid?s3cret=den@db", "does not know one of its parameters"),
        (Mysql, "mysql://a:b@db?sslmode=require", "does not know its parameter \"sslmode\""),
    ];
    for (server, text, words) in table {
        let why = refused(server, text);
        assert!(why.contains(words), "{text}: {why}");
        assert!(!why.contains("s3cret"), "{text}: {why}");
    }
}

#[test]
fn a_url_prints_its_server_and_nobody_who_logs_in() {
    let url =
        DatabaseUrl::read(Postgres, "postgresql://app:s3cret@DB.Example.com/x", OPEN).unwrap();
    assert_eq!(format!("{url:?}"), "DatabaseUrl(Postgres at db.example.com:5432)");
    assert_eq!((url.address().as_str(), url.variable()), ("db.example.com:5432", "POSTGRES_URL"));
    let url = DatabaseUrl::read(Mysql, "mysql://app:s3cret@[::1]:33060", OPEN).unwrap();
    assert_eq!((url.address().as_str(), url.variable()), ("[::1]:33060", "MYSQL_URL"));
}

/// Two instances whose names differ in these only would write into one database.
#[test]
fn the_database_is_named_after_the_instance_without_dashes() {
    let named = |name: &str| database_of(&InstanceName::parse(name).unwrap());
    assert_eq!(named("convex-self-hosted"), "convex_self_hosted");
    assert_eq!(named("a-b"), named("a_b"));
}
