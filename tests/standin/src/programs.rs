//! The programs that the images hold, by the name that this binary is called with.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;

use crate::{
    backend, credentials, dashboard, entrypoint,
    environment::Environment,
    keys::{self, Claims, Identity, Secret},
    logging,
    root::Root,
};

/// Any failure, as its line on standard error.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What this binary can be.
#[derive(Debug, PartialEq, Eq)]
pub enum Program {
    /// `run_backend.sh` and `convex-standin backend`: entrypoint, then backend.
    RunBackend,
    /// `convex-local-backend`: the backend alone.
    Backend,
    /// `convex-standin dashboard`.
    Dashboard,
    /// `generate_key`, `convex-standin generate-key`: a key from a name and a secret.
    GenerateKey,
    /// `generate_admin_key.sh`: a key from the credentials.
    GenerateAdminKey,
    /// `read_credentials.sh`: the credentials step alone.
    ReadCredentials,
}

impl Program {
    /// Finds the program by the name that was called, then by the first argument. The number says how many words of the
    /// command line name it.
    #[must_use]
    pub fn named(words: &[String]) -> Option<(Self, usize)> {
        let called = words.first()?.rsplit('/').next()?;
        match called {
            "run_backend.sh" => return Some((Self::RunBackend, 1)),
            "convex-local-backend" => return Some((Self::Backend, 1)),
            "generate_key" => return Some((Self::GenerateKey, 1)),
            "generate_admin_key.sh" => return Some((Self::GenerateAdminKey, 1)),
            "read_credentials.sh" => return Some((Self::ReadCredentials, 1)),
            _ => (),
        }
        match words.get(1)?.as_str() {
            "backend" => Some((Self::RunBackend, 2)),
            "dashboard" => Some((Self::Dashboard, 2)),
            "generate-key" => Some((Self::GenerateKey, 2)),
            _ => None,
        }
    }

    /// Runs the program with the `rest` of its command line until it ends.
    ///
    /// # Errors
    /// What made it fail.
    pub async fn run(&self, env: &Environment, rest: &[String]) -> Result<(), Failure> {
        let root = Root::new(env.non_empty("STANDIN_ROOT"));
        match self {
            Self::RunBackend => run_backend(env, &root, rest).await,
            Self::Backend => {
                logging::install(env);
                let name = ["convex-local-backend".to_owned()];
                Ok(backend::run(env, &root, &[&name, rest].concat()).await?)
            }
            Self::Dashboard => {
                logging::install(env);
                Ok(dashboard::run(env).await?)
            }
            Self::GenerateKey => generate_key(rest),
            Self::GenerateAdminKey => generate_admin_key(env, &root),
            Self::ReadCredentials => Ok(credentials::read(env, &root).map(drop)?),
        }
    }
}

async fn run_backend(env: &Environment, root: &Root, extra: &[String]) -> Result<(), Failure> {
    logging::install(env);
    let prepared = entrypoint::prepare(env, root, extra)?;
    for warning in &prepared.warnings {
        tracing::warn!("{warning}");
    }
    Ok(backend::run(env, root, &prepared.arguments).await?)
}

/// The command line of `generate_key`.
#[derive(Parser)]
#[command(name = "generate_key")]
struct GenerateKey {
    /// Name of the deployment.
    name: String,
    /// Its secret.
    secret: String,
    /// Whose key it is.
    #[arg(long, default_value_t = 0)]
    member_id: u64,
    /// The system's key instead.
    #[arg(long, conflicts_with = "member_id")]
    system_key: bool,
}

fn generate_key(rest: &[String]) -> Result<(), Failure> {
    let name = ["generate_key".to_owned()];
    let asked = GenerateKey::parse_from([&name, rest].concat());
    let identity =
        if asked.system_key { Identity::System } else { Identity::Member(asked.member_id) };
    print_key(&asked.name, &asked.secret, identity)
}

fn generate_admin_key(env: &Environment, root: &Root) -> Result<(), Failure> {
    let credentials = credentials::read(env, root)?;
    eprintln!("Admin key:");
    print_key(&credentials.name, &credentials.secret, Identity::Member(0))
}

fn print_key(name: &str, secret: &str, identity: Identity) -> Result<(), Failure> {
    let secret = Secret::from_hex(secret)?;
    let issued_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = Claims { identity, ..Claims::admin(issued_s) };
    println!("{}", keys::issue(name, &secret, &claims, keys::random_bytes()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Option<(Program, usize)> {
        Program::named(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_program_is_found_by_the_name_of_its_file() {
        assert_eq!(named("./run_backend.sh"), Some((Program::RunBackend, 1)));
        assert_eq!(named("/convex/convex-local-backend --port=1"), Some((Program::Backend, 1)));
        assert_eq!(named("./generate_admin_key.sh"), Some((Program::GenerateAdminKey, 1)));
    }

    #[test]
    fn or_by_the_first_argument_of_the_binary_itself() {
        assert_eq!(named("convex-standin backend --x"), Some((Program::RunBackend, 2)));
        assert_eq!(named("convex-standin dashboard"), Some((Program::Dashboard, 2)));
        assert_eq!(named("convex-standin"), None);
        assert_eq!(named("convex-standin what"), None);
    }
}
