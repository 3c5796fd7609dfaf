//! MariaDB, for MySQL's protocol.

use std::{ffi::OsString, fs, net::SocketAddrV4, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use cluster::{host, process::captured};

use crate::{
    encryption::{Encryption, hand_over},
    packages,
    place::Place,
    process::{End, Home, Process, give},
};

const PORT: u16 = 3306;
/// Who may do everything, from anywhere.
const ADMINISTRATOR: &str = "administrator";

/// A MariaDB server that runs until this is dropped.
#[derive(Debug)]
pub struct MariaDb {
    process: Option<Process>,
    home: Home,
    listening: SocketAddrV4,
    password: String,
    authority: Option<PathBuf>,
    arguments: Vec<OsString>,
}

impl MariaDb {
    /// Makes a new server, starts it and waits until it answers.
    ///
    /// # Errors
    /// It cannot be installed, made or started.
    pub async fn start(place: &Place, encryption: Encryption<'_>) -> Result<Self> {
        packages::mariadb()?;
        let home = Home::make(place, "mariadb")?;
        let listening = place.listening(PORT);
        let password = crate::unique();
        initialise(&home)?;
        let first = home.join("administrator.sql");
        fs::write(&first, administrator(&password))?;
        give(&first, 0o600)?;
        let mut arguments = vec![OsString::from("--no-defaults")];
        let mut set = |name: &str, value: OsString| {
            let mut argument = OsString::from(format!("--{name}="));
            argument.push(value);
            arguments.push(argument);
        };
        set("datadir", home.join("data").into());
        set("init-file", first.into());
        // A path of at most 108 bytes, and folders may lie deep: relative to the folder that it is started in.
        set("socket", "socket".into());
        set("pid-file", home.join("pid").into());
        set("bind-address", listening.ip().to_string().into());
        set("port", listening.port().to_string().into());
        set("skip-name-resolve", "ON".into());
        set("innodb-flush-log-at-trx-commit", "0".into());
        if let Some(pair) = encryption.certificate("mariadb", place)? {
            hand_over(&pair, &home.join(""))?;
            set("ssl-cert", home.join("server.crt").into());
            set("ssl-key", home.join("server.key").into());
        }
        if encryption.is_required() {
            set("require-secure-transport", "ON".into());
        }
        let authority = encryption.authority().map(cluster::pki::Authority::file);
        let mut server = Self { process: None, home, listening, password, authority, arguments };
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
            let program = host::find("mariadbd").context("MariaDB was here a moment ago")?;
            let mut process = self.home.start(&program, &self.arguments, End::Terminate)?;
            process.wait(|| async { self.sql("SELECT 1").map(drop) }).await?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddrV4 {
        self.listening
    }

    /// Makes a user who may log in from anywhere, or changes his password.
    ///
    /// # Errors
    /// The server refuses.
    pub fn user(&self, name: &str, password: &str) -> Result<()> {
        let (name, password) = (literal(name), literal(password));
        self.sql(&format!("CREATE OR REPLACE USER {name}@'%' IDENTIFIED BY {password}")).map(drop)
    }

    /// Makes a database in which a user may do everything.
    ///
    /// # Errors
    /// The server refuses.
    pub fn database(&self, name: &str, owner: &str) -> Result<()> {
        let (name, owner) = (format!("`{}`", name.replace('`', "``")), literal(owner));
        self.sql(&format!("CREATE DATABASE {name}; GRANT ALL ON {name}.* TO {owner}@'%'")).map(drop)
    }

    /// What a statement of the administrator answers: rows as lines, columns with tabs between.
    ///
    /// # Errors
    /// The server refuses.
    pub fn sql(&self, statement: &str) -> Result<String> {
        captured(&mut self.client((ADMINISTRATOR, &self.password), statement))
            .map(|answer| answer.trim_end().to_owned())
    }

    /// Logs in as somebody; with the server's authority where it has one, and encrypted and proven then.
    ///
    /// # Errors
    /// The server refuses; with its own words.
    pub fn log_in(&self, user: (&str, &str)) -> Result<()> {
        captured(&mut self.client(user, "SELECT 1")).map(drop)
    }

    /// `mysql://USER:PASSWORD@HOST:PORT`, as Convex takes it: without a database.
    #[must_use]
    pub fn url(&self, (user, password): (&str, &str)) -> String {
        format!("mysql://{user}:{password}@{}", self.listening)
    }

    /// A command of its client, to be changed before it is run.
    #[must_use]
    pub fn client(&self, (user, password): (&str, &str), sql: &str) -> Command {
        let (host, port) = (self.listening.ip().to_string(), self.listening.port().to_string());
        let mut command = Command::new("mariadb");
        command
            .args(["--no-defaults", "--batch", "--skip-column-names", "--protocol=TCP"])
            .args(["--host", &host, "--port", &port, "--user", user])
            .args(["--connect-timeout=10", "--execute", sql])
            .env("MYSQL_PWD", password);
        if let Some(file) = &self.authority {
            command.arg("--ssl-ca").arg(file).arg("--ssl-verify-server-cert");
        }
        command
    }
}

fn initialise(home: &Home) -> Result<()> {
    let mut install = home.command("mariadb-install-db");
    install
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .args(["--skip-test-db", "--skip-name-resolve"])
        // Its temporary tables would be everybody's, under names that repeat.
        .arg(format!("--tmpdir={}", home.join("").display()))
        .arg(format!("--datadir={}", home.join("data").display()));
    captured(&mut install).context("making a MariaDB server").map(drop)
}

/// Accounts without a name would take those who have one, and the one without a password is closed.
fn administrator(password: &str) -> String {
    format!(
        "CREATE OR REPLACE USER {ADMINISTRATOR}@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL ON *.* TO {ADMINISTRATOR}@'%' WITH GRANT OPTION;\n\
         DELETE FROM mysql.global_priv WHERE User = '' OR User = 'root';\n\
         FLUSH PRIVILEGES;\n"
    )
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
