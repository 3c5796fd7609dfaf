//! The documented rules for database URLs. The stand-in itself keeps a file only.

use url::Url;

use crate::arguments::Driver;

/// Why a database cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// Not a URL at all.
    #[error("invalid cluster url: {0}")]
    Invalid(url::ParseError),
    /// Upstream's wording.
    #[error("cluster url username must be set")]
    NoUsername,
    /// Upstream's wording: the backend itself chooses the name, from `INSTANCE_NAME`.
    #[error("cluster url already contains db name: {0}")]
    HasName(String),
    /// Ours: the URL is fine, but nothing here speaks to a server.
    #[error("the stand-in keeps its data in a file only and does not speak to a database server")]
    NotServed,
}

/// Checks what `--db` and its URL ask for; `Ok` means a file.
///
/// # Errors
/// The documented refusals of a URL, or our own for a good one.
pub fn check(driver: Driver, spec: &str) -> Result<(), DatabaseError> {
    if driver == Driver::Sqlite {
        return Ok(());
    }
    let url = Url::parse(spec).map_err(DatabaseError::Invalid)?;
    if url.username().is_empty() {
        return Err(DatabaseError::NoUsername);
    }
    // MySQL's path is not checked upstream: the database is chosen per query.
    if driver == Driver::Postgres && !["", "/"].contains(&url.path()) {
        return Err(DatabaseError::HasName(url.path().trim_start_matches('/').to_owned()));
    }
    Err(DatabaseError::NotServed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(driver: Driver, spec: &str) -> String {
        check(driver, spec).unwrap_err().to_string()
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
    fn a_good_url_is_understood_and_not_served() {
        for (driver, url) in [
            (Driver::Postgres, "postgresql://user:pass@db:5432"),
            (Driver::Postgres, "postgresql://user:pass@db:5432/"),
            (Driver::Mysql, "mysql://user:pass@db:3306/any"),
        ] {
            assert_eq!(check(driver, url), Err(DatabaseError::NotServed), "{url}");
        }
    }

    #[test]
    fn a_path_that_is_no_url_is_refused() {
        assert!(refusal(Driver::Postgres, "not a url").starts_with("invalid cluster url"));
    }
}
