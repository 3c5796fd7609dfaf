//! Debian's packages of the database servers, and where their programs are.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cluster::{checkout::Checkout, host};

/// Where Debian keeps PostgreSQL's programs, a folder per major version.
const POSTGRES: &str = "/usr/lib/postgresql";
/// Debian's package makes a database of its own and starts it, unless a file here says otherwise.
const DEFAULTS: &str = "/etc/postgresql-common/createcluster.d";

/// The folder of PostgreSQL's programs.
///
/// # Errors
/// They are missing, and cannot be installed.
pub fn postgres() -> Result<PathBuf> {
    let missing = || if postgres_programs().is_some() { vec![] } else { vec!["postgresql"] };
    let _lock = lock()?;
    if !missing().is_empty() && rustix::process::geteuid().is_root() {
        fs::create_dir_all(DEFAULTS)?;
        let only_programs = Path::new(DEFAULTS).join("no-main-cluster.conf");
        fs::write(only_programs, "create_main_cluster = false\n")?;
    }
    host::ensure(missing)?;
    postgres_programs().context("PostgreSQL was here a moment ago")
}

/// The newest version that is there.
fn postgres_programs() -> Option<PathBuf> {
    let versions = fs::read_dir(POSTGRES).ok()?.flatten().map(|entry| entry.path());
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .filter(|path| path.join("bin/postgres").is_file())
        .max_by_key(version)
        .map(|path| path.join("bin"))
}

/// Makes sure of MariaDB's programs, which are in PATH; without the service around them.
///
/// # Errors
/// They are missing, and cannot be installed.
pub fn mariadb() -> Result<()> {
    let needed = [
        ("mariadbd", "mariadb-server-core"),
        ("mariadb-install-db", "mariadb-server-core"),
        ("mariadb", "mariadb-client-core"),
    ];
    let _lock = lock()?;
    host::ensure(|| {
        let absent = needed.iter().filter(|(program, _)| host::find(program).is_none());
        let mut packages: Vec<_> = absent.map(|(_, package)| *package).collect();
        packages.dedup();
        packages
    })
}

/// Keeps other tests from installing at the same time.
fn lock() -> Result<File> {
    let folder = Checkout::find()?.cache();
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("packages.lock"))?;
    lock.lock().context("waiting for another installation of packages")?;
    Ok(lock)
}
