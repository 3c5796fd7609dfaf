//! The credentials step of the entrypoint: environment before file before default, and both files written in clear, always.
//!
//! The trap that it keeps: an `INSTANCE_SECRET` that is missing everywhere is *generated*. A deployment whose Secret was
//! lost therefore starts, with keys that nobody has.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{environment::Environment, root::Root};

/// What the deployment is called and the secret that its keys are made from.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `INSTANCE_NAME`, by default `convex-self-hosted`.
    pub name: String,
    /// `INSTANCE_SECRET` as given: not checked here, as the image's script does not check it either.
    pub secret: String,
}

/// The credentials directory could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct CredentialsError {
    path: PathBuf,
    source: io::Error,
}

/// Where the credentials lie: `CREDENTIALS_DIR`, by default `$DATA_DIR/credentials`.
#[must_use]
pub fn directory(env: &Environment) -> String {
    env.or("CREDENTIALS_DIR", &format!("{}/credentials", data_directory(env)))
}

/// `DATA_DIR`, by default `/convex/data`.
#[must_use]
pub fn data_directory(env: &Environment) -> String {
    env.or("DATA_DIR", "/convex/data")
}

/// Finds both values and writes both files.
///
/// # Errors
/// Where the directory cannot be made or a file in it cannot be written: the image needs a writable `CREDENTIALS_DIR` even
/// when the environment supplies everything.
pub fn read(env: &Environment, root: &Root) -> Result<Credentials, CredentialsError> {
    let directory = root.locate(&directory(env));
    write_to(&directory, fs::create_dir_all(&directory))?;
    let secret_file = directory.join("instance_secret");
    let name_file = directory.join("instance_name");
    let credentials = Credentials {
        name: value(env, "INSTANCE_NAME", &name_file, || "convex-self-hosted".to_owned()),
        secret: value(env, "INSTANCE_SECRET", &secret_file, generated_secret),
    };
    write_to(&secret_file, fs::write(&secret_file, &credentials.secret))?;
    write_to(&name_file, fs::write(&name_file, &credentials.name))?;
    Ok(credentials)
}

fn value(env: &Environment, name: &str, file: &Path, fallback: fn() -> String) -> String {
    env.non_empty(name).map(str::to_owned).or_else(|| stored(file)).unwrap_or_else(fallback)
}

/// A shell's `$(cat file)`: trailing newlines go.
fn stored(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let text = text.trim_end_matches('\n');
    (!text.is_empty()).then(|| text.to_owned())
}

fn generated_secret() -> String {
    hex::encode(crate::keys::random_bytes::<32>())
}

fn write_to(path: &Path, result: io::Result<()>) -> Result<(), CredentialsError> {
    result.map_err(|source| CredentialsError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in(folder: &tempfile::TempDir, env: &Environment) -> Credentials {
        read(env, &Root::new(folder.path().to_str())).unwrap()
    }

    fn file(folder: &tempfile::TempDir, name: &str) -> PathBuf {
        folder.path().join("convex/data/credentials").join(name)
    }

    #[test]
    fn the_environment_wins_over_the_file_and_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        read_in(&folder, &Environment::from([("INSTANCE_NAME", "old"), ("INSTANCE_SECRET", "aa")]));
        let found = read_in(
            &folder,
            &Environment::from([("INSTANCE_NAME", "new"), ("INSTANCE_SECRET", "bb")]),
        );
        assert_eq!((found.name.as_str(), found.secret.as_str()), ("new", "bb"));
        assert_eq!(fs::read_to_string(file(&folder, "instance_secret")).unwrap(), "bb");
        assert_eq!(fs::read_to_string(file(&folder, "instance_name")).unwrap(), "new");
    }

    #[test]
    fn a_missing_secret_is_generated_once_and_then_found_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_in(&folder, &Environment::default());
        assert_eq!(first.name, "convex-self-hosted");
        assert_eq!(hex::decode(&first.secret).unwrap().len(), 32);
        assert_eq!(read_in(&folder, &Environment::default()).secret, first.secret);
    }

    #[test]
    fn an_empty_secret_is_generated_like_a_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let found = read_in(&folder, &Environment::from([("INSTANCE_SECRET", "")]));
        assert_eq!(found.secret.len(), 64);
    }

    #[test]
    fn a_credentials_directory_that_cannot_be_written_ends_the_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("credentials"), "a file, not a directory").unwrap();
        let env =
            Environment::from([("CREDENTIALS_DIR", "/credentials"), ("INSTANCE_SECRET", "aa")]);
        let error = read(&env, &Root::new(folder.path().to_str())).err().unwrap();
        assert!(error.to_string().contains("credentials"), "{error}");
    }
}
