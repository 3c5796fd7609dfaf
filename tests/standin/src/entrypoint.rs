//! What the image's `run_backend.sh` does before it becomes the backend: defaults, folders, credentials, flags.
//!
//! The arguments of the container come before the fixed flags, so a fixed flag given again is an error of the command line:
//! the ports inside the container cannot be changed.

use std::{fs, io, path::PathBuf};

use crate::{
    credentials::{self, Credentials, CredentialsError},
    environment::Environment,
    root::Root,
};

/// The six variables that together choose S3.
const S3_VARIABLES: [&str; 6] = [
    "AWS_REGION",
    "S3_STORAGE_EXPORTS_BUCKET",
    "S3_STORAGE_SNAPSHOT_IMPORTS_BUCKET",
    "S3_STORAGE_MODULES_BUCKET",
    "S3_STORAGE_FILES_BUCKET",
    "S3_STORAGE_SEARCH_BUCKET",
];

/// What ends the entrypoint before the backend begins.
#[derive(Debug, thiserror::Error)]
pub enum EntrypointError {
    /// A folder could not be made.
    #[error("mkdir: cannot create directory '{}': {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The credentials could not be written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

/// What the entrypoint made of its environment.
pub struct Prepared {
    /// The backend's command line, its own name first.
    pub arguments: Vec<String>,
    /// Warnings for the log.
    pub warnings: Vec<String>,
}

/// Makes the folders, settles the credentials and writes the backend's command line.
///
/// # Errors
/// Where a folder or a credentials file cannot be written.
pub fn prepare(
    env: &Environment,
    root: &Root,
    extra: &[String],
) -> Result<Prepared, EntrypointError> {
    let data = credentials::data_directory(env);
    let storage = env.or("STORAGE_DIR", &format!("{data}/storage"));
    for folder in [&env.or("TMPDIR", &format!("{data}/tmp")), &storage] {
        let path = root.locate(folder);
        fs::create_dir_all(&path).map_err(|source| EntrypointError::Folder { path, source })?;
    }
    let credentials = credentials::read(env, root)?;
    let (database, mut warnings) = database_flags(env, &data);
    let (storage, storage_warning) = storage_flags(env, &storage);
    warnings.extend(storage_warning);
    let mut arguments = vec!["convex-local-backend".to_owned()];
    arguments.extend_from_slice(extra);
    arguments.extend(fixed_flags(env, &credentials));
    arguments.extend(switches(env));
    arguments.extend(storage);
    arguments.extend(database);
    Ok(Prepared { arguments, warnings })
}

fn fixed_flags(env: &Environment, credentials: &Credentials) -> Vec<String> {
    [
        ("--instance-name", credentials.name.as_str()),
        ("--instance-secret", &credentials.secret),
        ("--port", "3210"),
        ("--site-proxy-port", "3211"),
        ("--convex-origin", env.get("CONVEX_CLOUD_ORIGIN").unwrap_or_default()),
        ("--convex-site", env.get("CONVEX_SITE_ORIGIN").unwrap_or_default()),
        ("--beacon-tag", "self-hosted-docker"),
    ]
    .into_iter()
    .map(|(flag, value)| format!("{flag}={value}"))
    .collect()
}

/// `${NAME:+--flag}`: any value turns the flag on, "false" and "0" too.
fn switches(env: &Environment) -> Vec<String> {
    [
        ("DISABLE_BEACON", "--disable-beacon"),
        ("REDACT_LOGS_TO_CLIENT", "--redact-logs-to-client"),
        ("DO_NOT_REQUIRE_SSL", "--do-not-require-ssl"),
    ]
    .into_iter()
    .filter(|(name, _)| env.non_empty(name).is_some())
    .map(|(_, flag)| flag.to_owned())
    .collect()
}

/// Postgres wins over MySQL, which wins over the deprecated `DATABASE_URL`; else a file.
fn database_flags(env: &Environment, data: &str) -> (Vec<String>, Vec<String>) {
    let spec = |driver: &str, spec: String| vec![format!("--db={driver}"), spec];
    if let Some(url) = env.non_empty("POSTGRES_URL") {
        (spec("postgres-v5", url.to_owned()), Vec::new())
    } else if let Some(url) = env.non_empty("MYSQL_URL") {
        (spec("mysql-v5", url.to_owned()), Vec::new())
    } else if let Some(url) = env.non_empty("DATABASE_URL") {
        let warning = "DATABASE_URL is deprecated: use POSTGRES_URL or MYSQL_URL".to_owned();
        (spec("postgres-v5", url.to_owned()), vec![warning])
    } else {
        (vec![env.or("SQLITE_DB", &format!("{data}/db.sqlite3"))], Vec::new())
    }
}

/// S3 is all or nothing: with one to five of the six variables it is a warning, and local storage.
fn storage_flags(env: &Environment, local: &str) -> (Vec<String>, Option<String>) {
    let (set, missing): (Vec<_>, Vec<_>) =
        S3_VARIABLES.into_iter().partition(|name| env.non_empty(name).is_some());
    if missing.is_empty() {
        return (vec!["--s3-storage".to_owned()], None);
    }
    let warning = (!set.is_empty()).then(|| {
        format!(
            "S3 storage needs all of its variables; local storage is used. Missing: {}",
            missing.join(", ")
        )
    });
    (vec![format!("--local-storage={local}")], warning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(env: &Environment) -> Prepared {
        let folder = tempfile::tempdir().unwrap();
        prepare(env, &Root::new(folder.path().to_str()), &["--extra".to_owned()]).unwrap()
    }

    fn arguments(pairs: &[(&str, &str)]) -> Vec<String> {
        let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        prepared(&env.collect()).arguments
    }

    #[test]
    fn the_containers_arguments_come_first_and_the_database_last() {
        let arguments = arguments(&[("INSTANCE_SECRET", "aa")]);
        assert_eq!(
            arguments,
            [
                "convex-local-backend",
                "--extra",
                "--instance-name=convex-self-hosted",
                "--instance-secret=aa",
                "--port=3210",
                "--site-proxy-port=3211",
                "--convex-origin=",
                "--convex-site=",
                "--beacon-tag=self-hosted-docker",
                "--local-storage=/convex/data/storage",
                "/convex/data/db.sqlite3",
            ]
        );
    }

    #[test]
    fn any_value_turns_a_switch_on_and_none_leaves_it_off() {
        let arguments =
            arguments(&[("DO_NOT_REQUIRE_SSL", "false"), ("REDACT_LOGS_TO_CLIENT", "")]);
        assert!(arguments.contains(&"--do-not-require-ssl".to_owned()));
        assert!(!arguments.contains(&"--redact-logs-to-client".to_owned()));
    }

    #[test]
    fn an_empty_disable_beacon_passes_no_flag_and_is_left_to_the_command_line_parser() {
        assert!(!arguments(&[("DISABLE_BEACON", "")]).contains(&"--disable-beacon".to_owned()));
        assert!(arguments(&[("DISABLE_BEACON", "no")]).contains(&"--disable-beacon".to_owned()));
    }

    #[test]
    fn postgres_wins_over_mysql_over_the_deprecated_name() {
        let all = [("POSTGRES_URL", "p"), ("MYSQL_URL", "m"), ("DATABASE_URL", "d")];
        for (first, driver, spec) in
            [(0, "postgres-v5", "p"), (1, "mysql-v5", "m"), (2, "postgres-v5", "d")]
        {
            let arguments = arguments(&all[first..]);
            let end = &arguments[arguments.len() - 2..];
            assert_eq!(end, [format!("--db={driver}"), spec.to_owned()]);
        }
    }

    #[test]
    fn five_of_six_variables_mean_local_storage_and_a_warning() {
        let five: Environment =
            S3_VARIABLES[..5].iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let prepared = prepared(&five);
        assert!(prepared.arguments.contains(&"--local-storage=/convex/data/storage".to_owned()));
        assert!(
            prepared.warnings[0].contains("S3_STORAGE_SEARCH_BUCKET"),
            "{:?}",
            prepared.warnings
        );
    }

    #[test]
    fn all_six_variables_mean_s3() {
        let six: Environment =
            S3_VARIABLES.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let prepared = prepared(&six);
        assert!(prepared.arguments.contains(&"--s3-storage".to_owned()));
        assert!(prepared.warnings.is_empty());
    }
}
