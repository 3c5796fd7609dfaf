//! What `--db` and its URL ask for.

use tokio_postgres::Config;
use url::Url;

use super::DatabaseError;
use crate::arguments::Driver;

/// Where documents are to be kept.
pub enum Target {
    /// In a file.
    File,
    /// In a database of a Postgres server.
    Postgres {
        /// How it is reached.
        config: Box<Config>,
        /// What it is called.
        name: String,
    },
}

/// Reads a URL: `instance_name` says what the database is called.
///
/// # Errors
/// The documented refusals of a URL, or our own for one of MySQL's.
pub fn target(
    driver: Driver,
    spec: &str,
    instance_name: &str,
    require_ssl: bool,
) -> Result<Target, DatabaseError> {
    if driver == Driver::Sqlite {
        return Ok(Target::File);
    }
    let url = Url::parse(spec).map_err(DatabaseError::Invalid)?;
    if url.username().is_empty() {
        return Err(DatabaseError::NoUsername);
    }
    // MySQL's path is not checked upstream: the database is chosen per query.
    if driver == Driver::Mysql {
        return Err(DatabaseError::NotServed);
    }
    if !["", "/"].contains(&url.path()) {
        return Err(DatabaseError::HasName(url.path().trim_start_matches('/').to_owned()));
    }
    let name = instance_name.replace('-', "_");
    let config = completed(url, &name, require_ssl).as_str().parse()?;
    Ok(Target::Postgres { config: Box::new(config), name })
}

/// The last of several parameters of one name counts, and the backend's own come last.
fn completed(mut url: Url, name: &str, require_ssl: bool) -> Url {
    let mut parameters: Vec<(String, String)> = Vec::new();
    let given = url.query_pairs().into_owned().filter(|(key, _)| key != "search_path");
    let ssl = require_ssl.then(|| ("sslmode".to_owned(), "require".to_owned()));
    let writable = ("target_session_attrs".to_owned(), "read-write".to_owned());
    for (key, value) in given.chain(ssl).chain([writable]) {
        parameters.retain(|(other, _)| *other != key);
        parameters.push((key, value));
    }
    url.set_path(name);
    url.query_pairs_mut().clear().extend_pairs(parameters);
    url
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::{SslMode, TargetSessionAttrs};

    use super::*;

    fn refusal(driver: Driver, spec: &str) -> String {
        target(driver, spec, "orders", true).err().unwrap().to_string()
    }

    fn config(spec: &str, name: &str, require_ssl: bool) -> Config {
        match target(Driver::Postgres, spec, name, require_ssl).unwrap() {
            Target::Postgres { config, .. } => *config,
            Target::File => panic!("{spec} is a file"),
        }
    }

    #[test]
    fn a_postgres_url_with_a_database_name_is_refused_in_upstreams_words() {
        assert_eq!(
            refusal(Driver::Postgres, "postgresql://user:pass@db:5432/orders?sslmode=disable"),
            "cluster url already contains db name: orders"
        );
    }

    #[test]
    fn a_url_without_a_user_is_refused_in_upstreams_words() {
        assert_eq!(refusal(Driver::Mysql, "mysql://db:3306"), "cluster url username must be set");
    }

    #[test]
    fn a_good_url_of_mysqls_is_understood_and_not_served() {
        let said = refusal(Driver::Mysql, "mysql://user:pass@db:3306/any");
        assert!(said.contains("does not speak to a MySQL server"), "{said}");
    }

    #[test]
    fn a_path_that_is_no_url_is_refused() {
        assert!(refusal(Driver::Postgres, "not a url").starts_with("invalid cluster url"));
    }

    #[test]
    fn the_database_is_named_after_the_instance_with_underscores() {
        for url in ["postgresql://user:p%40ss@db:5432", "postgresql://user:p%40ss@db:5432/"] {
            let config = config(url, "acme-prod-eu", true);
            assert_eq!(config.get_dbname(), Some("acme_prod_eu"));
            assert_eq!(
                (config.get_user(), config.get_password()),
                (Some("user"), Some(&b"p@ss"[..]))
            );
        }
    }

    #[test]
    fn encryption_is_required_whatever_the_url_says_unless_it_need_not_be() {
        let url = "postgresql://user:pass@db?sslmode=disable&search_path=x";
        let strict = config(url, "orders", true);
        assert_eq!(strict.get_ssl_mode(), SslMode::Require);
        assert_eq!(strict.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config(url, "orders", false).get_ssl_mode(), SslMode::Disable);
        assert_eq!(config("postgresql://u:p@db", "orders", false).get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn a_parameter_that_the_driver_does_not_know_is_refused_without_the_password() {
        let said = refusal(Driver::Postgres, "postgresql://user:canary@db?pgbouncer=true");
        assert!(said.contains("pgbouncer") && !said.contains("canary"), "{said}");
    }
}
