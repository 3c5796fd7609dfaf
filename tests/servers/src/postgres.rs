//! PostgreSQL.

use std::{ffi::OsString, fmt::Write as _, fs, net::SocketAddrV4, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use cluster::{pki::Pair, process::captured};

use crate::{
    encryption::{Encryption, hand_over},
    packages,
    place::Place,
    process::{End, Home, Process},
};

/// Where it listens where nothing else is said.
pub const PORT: u16 = 5432;
/// Who may do everything.
const ADMINISTRATOR: &str = "postgres";
/// Nothing is lost by a crash of the machine that was of worth.
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "unix_socket_directories=",
    "max_connections=200",
    "password_encryption=scram-sha-256",
];

/// A PostgreSQL server that runs until this is dropped.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    home: Home,
    programs: PathBuf,
    listening: SocketAddrV4,
    password: String,
    authority: Option<PathBuf>,
    arguments: Vec<OsString>,
}

impl Postgres {
    /// Makes a new server, starts it and waits until it answers.
    ///
    /// # Errors
    /// It cannot be installed, made or started.
    pub async fn start(place: &Place, encryption: Encryption<'_>) -> Result<Self> {
        let programs = packages::postgres()?;
        let home = Home::make(place, "postgres")?;
        let listening = place.listening(PORT);
        let password = crate::unique();
        initialise(&home, &programs, &password)?;
        fs::write(home.join("data/pg_hba.conf"), who_may_connect(encryption))?;
        let mut arguments: Vec<OsString> = vec!["-D".into(), home.join("data").into()];
        let mut set = |setting: String| arguments.extend(["-c".into(), setting.into()]);
        for setting in SETTINGS {
            set(setting.to_owned());
        }
        set(format!("listen_addresses={}", listening.ip()));
        set(format!("port={}", listening.port()));
        if let Some(pair) = encryption.certificate("postgres", place)? {
            hand_over(&pair, &home.join(""))?;
            set("ssl=on".to_owned());
            set(format!("ssl_cert_file={}", home.join("server.crt").display()));
            set(format!("ssl_key_file={}", home.join("server.key").display()));
        }
        let authority = encryption.authority().map(cluster::pki::Authority::file);
        let mut server =
            Self { process: None, home, programs, listening, password, authority, arguments };
        server.resume().await?;
        Ok(server)
    }

    /// Stops it; what it keeps stays. Nothing happens where it is stopped.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again where it is stopped, and waits until it answers.
    ///
    /// # Errors
    /// It does not start.
    pub async fn resume(&mut self) -> Result<()> {
        if self.process.is_none() {
            let program = self.programs.join("postgres");
            // An interrupt ends it in order without waiting for who is connected.
            let mut process = self.home.start(&program, &self.arguments, End::Interrupt)?;
            process.wait(|| async { self.sql(ADMINISTRATOR, "SELECT 1").map(drop) }).await?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// Proves itself with another certificate to whoever connects from soon on: it reads the files at leisure.
    ///
    /// # Errors
    /// It had none, or they cannot be written.
    pub fn certify(&self, pair: &Pair) -> Result<()> {
        hand_over(pair, &self.home.join(""))?;
        self.sql(ADMINISTRATOR, "SELECT pg_reload_conf()").map(drop)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddrV4 {
        self.listening
    }

    /// Makes a role that may log in, or changes its password.
    ///
    /// # Errors
    /// The server refuses.
    pub fn role(&self, name: &str, password: &str) -> Result<()> {
        let known = format!("SELECT 1 FROM pg_roles WHERE rolname = {}", literal(name));
        let verb = if self.sql(ADMINISTRATOR, &known)?.is_empty() { "CREATE" } else { "ALTER" };
        let (role, password) = (identifier(name), literal(password));
        self.sql(ADMINISTRATOR, &format!("{verb} ROLE {role} LOGIN PASSWORD {password}")).map(drop)
    }

    /// Makes a database, owned by a role.
    ///
    /// # Errors
    /// The server refuses.
    pub fn database(&self, name: &str, owner: &str) -> Result<()> {
        let (name, owner) = (identifier(name), identifier(owner));
        self.sql(ADMINISTRATOR, &format!("CREATE DATABASE {name} OWNER {owner}")).map(drop)
    }

    /// What a statement of the administrator answers in a database: rows as lines, columns with `|` between.
    ///
    /// # Errors
    /// The server refuses.
    pub fn sql(&self, database: &str, statement: &str) -> Result<String> {
        captured(&mut self.psql((ADMINISTRATOR, &self.password), database, statement))
            .map(|answer| answer.trim_end().to_owned())
    }

    /// Logs in as somebody; with the server's authority where it has one, and encrypted and proven then.
    ///
    /// # Errors
    /// The server refuses; with its own words.
    pub fn log_in(&self, user: (&str, &str), database: &str) -> Result<()> {
        captured(&mut self.psql(user, database, "SELECT 1")).map(drop)
    }

    /// `postgresql://USER:PASSWORD@HOST:PORT`, as Convex takes it: without a database. Who has signs in a password that URLs are
    /// made of encodes it.
    #[must_use]
    pub fn url(&self, (user, password): (&str, &str)) -> String {
        format!("postgresql://{user}:{password}@{}", self.listening)
    }

    /// A command of its client, to be changed before it is run.
    #[must_use]
    pub fn psql(&self, (user, password): (&str, &str), database: &str, sql: &str) -> Command {
        let (host, port) = (self.listening.ip().to_string(), self.listening.port().to_string());
        let mut command = Command::new(self.programs.join("psql"));
        command
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password"])
            .args(["--set", "ON_ERROR_STOP=1", "--host", &host, "--port", &port])
            .args(["--username", user, "--dbname", database, "--command", sql])
            .env("PGPASSWORD", password)
            .env("PGCONNECT_TIMEOUT", "10");
        match &self.authority {
            Some(file) => command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", file),
            None => command.env("PGSSLMODE", "disable"),
        };
        command
    }
}

fn initialise(home: &Home, programs: &std::path::Path, password: &str) -> Result<()> {
    let secret = home.join("password");
    fs::write(&secret, password)?;
    crate::process::give(&secret, 0o600)?;
    let mut initdb = home.command(programs.join("initdb"));
    initdb
        .arg("--pgdata")
        .arg(home.join("data"))
        .arg("--pwfile")
        .arg(&secret)
        .args(["--username", ADMINISTRATOR, "--auth=scram-sha-256", "--encoding=UTF8"])
        .args(["--locale=C.UTF-8", "--no-sync", "--no-instructions"]);
    captured(&mut initdb).context("making a PostgreSQL server")?;
    fs::remove_file(secret).context("removing a password that was read")
}

fn who_may_connect(encryption: Encryption<'_>) -> String {
    let mut lines = String::new();
    let everybody = "all all all";
    if encryption.is_required() {
        let _ = writeln!(lines, "hostnossl {everybody} reject");
    }
    let _ = writeln!(lines, "host {everybody} scram-sha-256");
    lines
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
