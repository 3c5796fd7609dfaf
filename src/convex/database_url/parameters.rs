//! What follows the `?` of a database URL.

use url::{Url, form_urlencoded};

use super::{Encryption, InvalidUrl, Server};

/// What the driver of Postgres takes besides who, where and which (`tokio-postgres` 0.7.18, `src/config.rs`).
const POSTGRES: [&str; 11] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "sslnegotiation",
    "tcp_user_timeout",
];

/// What the driver of MySQL takes besides (`mysql_async` 0.37.1, `src/opts/mod.rs`), without `client_found_rows`: it changes how
/// many rows an update tells of, and the backend's lease is taken by that number.
const MYSQL: [&str; 17] = [
    "abs_conn_ttl",
    "abs_conn_ttl_jitter",
    "compression",
    "conn_ttl",
    "enable_cleartext_plugin",
    "inactive_connection_ttl",
    "max_allowed_packet",
    "pool_max",
    "pool_min",
    "prefer_socket",
    "reset_connection",
    "secure_auth",
    "stmt_cache_size",
    "tcp_keepalive",
    "tcp_nodelay",
    "ttl_check_interval",
    "wait_timeout",
];

/// What the backend or the spec decides, whatever is there.
const DECIDED: [&str; 6] = [
    "built_in_roots",
    "require_ssl",
    "search_path",
    "target_session_attrs",
    "verify_ca",
    "verify_identity",
];

const MISPLACED: [&str; 9] =
    ["database", "dbname", "host", "hostaddr", "password", "port", "socket", "user", "username"];

const FILES: [&str; 7] =
    ["passfile", "service", "sslca", "sslcert", "sslcrl", "sslkey", "sslrootcert"];

/// What other drivers take, and nobody's password is.
const ELSEWHERE: [&str; 20] = [
    "charset",
    "client_encoding",
    "client_found_rows",
    "connection_limit",
    "gssencmode",
    "pgbouncer",
    "pool_size",
    "pool_timeout",
    "requiressl",
    "schema",
    "serverVersion",
    "socket_timeout",
    "ssl",
    "ssl-mode",
    "ssl_mode",
    "sslaccept",
    "sslmode",
    "statement_cache_size",
    "tls",
    "uselibpqcompat",
];

fn well_known(key: &str, all: &[&'static str]) -> Option<&'static str> {
    all.iter().find(|it| **it == key).copied()
}

/// The parameters that are left, as they were written, and what the spec decides.
pub(super) fn settled(
    server: Server,
    url: &Url,
    encryption: Encryption,
) -> Result<Option<String>, InvalidUrl> {
    let mut left = Vec::new();
    let mut mode = None;
    for written in url.query().unwrap_or_default().split('&').filter(|it| !it.is_empty()) {
        let Some((key, value)) = form_urlencoded::parse(written.as_bytes()).next() else {
            continue;
        };
        let key = key.into_owned();
        let known = match server {
            Server::Postgres => POSTGRES.contains(&key.as_str()),
            Server::Mysql => MYSQL.contains(&key.as_str()),
        };
        match key.as_str() {
            word if DECIDED.contains(&word) => {}
            "sslmode" if server == Server::Postgres => mode = Some(value.into_owned()),
            word if !known => return Err(refused(word)),
            _ => left.push(written),
        }
    }
    left.extend(decided(server, mode.as_deref(), encryption)?);
    Ok((!left.is_empty()).then(|| left.join("&")))
}

/// Why a parameter is not taken, by its name where that is well known.
fn refused(word: &str) -> InvalidUrl {
    let misplaced = || well_known(word, &MISPLACED).map(InvalidUrl::Misplaced);
    let file = || well_known(word, &FILES).map(InvalidUrl::File);
    let of = |all: &[&'static str]| well_known(word, all).map(InvalidUrl::Unknown);
    let other = || of(&ELSEWHERE).or_else(|| of(&POSTGRES)).or_else(|| of(&MYSQL));
    misplaced().or_else(file).or_else(other).unwrap_or(InvalidUrl::Unheard)
}

/// Where encryption is required the backend says so itself. Where it is not, a Postgres that offers it under an authority of its
/// own could not be talked to at all, for whatever is encrypted is proven too: it is asked for none, unless the authority or the
/// URL says otherwise. MySQL's authorities are taken for a wish to encrypt.
fn decided(
    server: Server,
    mode: Option<&str>,
    encryption: Encryption,
) -> Result<Option<&'static str>, InvalidUrl> {
    Ok(match (server, encryption.required, encryption.authorities) {
        (_, true, _) => None,
        (Server::Mysql, false, true) => Some("require_ssl=true&verify_ca=true"),
        (Server::Mysql, false, false) => Some("require_ssl=false"),
        (Server::Postgres, false, authorities) => Some(match mode {
            Some("require" | "verify-ca" | "verify-full") => "sslmode=require",
            Some("allow" | "prefer") => "sslmode=prefer",
            None if authorities => "sslmode=prefer",
            None | Some("disable") => "sslmode=disable",
            Some(_) => return Err(InvalidUrl::Mode),
        }),
    })
}
