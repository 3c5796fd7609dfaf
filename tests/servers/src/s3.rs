//! An S3 server: `versitygw`, which keeps objects as files.

use std::{ffi::OsString, fs, net::SocketAddrV4, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result};
use cluster::{checkout::Checkout, pki::Authority, process::captured, tools};
use reqwest::{Certificate, Client};

use crate::{
    encryption::{Encryption, hand_over},
    place::Place,
    process::{End, Home, Process, give},
};

const PORT: u16 = 7070;
/// Where it says that it is well.
const HEALTH: &str = "/health";
/// Who may do everything.
const ADMINISTRATOR: &str = "administrator";
const REGION: &str = "us-east-1";

/// An S3 server that runs until this is dropped. Bucket names are in the path of its addresses.
#[derive(Debug)]
pub struct S3 {
    process: Option<Process>,
    home: Home,
    program: PathBuf,
    listening: SocketAddrV4,
    password: String,
    authority: Option<PathBuf>,
    arguments: Vec<OsString>,
    client: Client,
}

impl S3 {
    /// Makes a new server, starts it and waits until it answers.
    ///
    /// # Errors
    /// It cannot be built, made or started.
    pub async fn start(place: &Place, encryption: Encryption<'_>) -> Result<Self> {
        let program = tools::object_storage(&Checkout::find()?)?;
        let home = Home::make(place, "s3")?;
        let listening = place.listening(PORT);
        for folder in ["buckets", "metadata", "accounts"] {
            fs::create_dir(home.join(folder))?;
            give(&home.join(folder), 0o700)?;
        }
        // A copy, for where the program is may be closed to the user whom it runs as.
        fs::copy(&program, home.join("versitygw"))?;
        let mut arguments: Vec<OsString> = Vec::new();
        let mut set = |name: &str, value: OsString| arguments.extend([name.into(), value]);
        set("--port", listening.to_string().into());
        set("--region", REGION.into());
        set("--health", HEALTH.into());
        set("--iam-dir", home.join("accounts").into());
        if let Some(pair) = encryption.certificate("s3", place)? {
            hand_over(&pair, &home.join(""))?;
            set("--cert", home.join("server.crt").into());
            set("--key", home.join("server.key").into());
        }
        // Not every file system has the attributes that it keeps what belongs to an object in.
        arguments.extend(["posix".into(), "--sidecar".into(), home.join("metadata").into()]);
        arguments.push(home.join("buckets").into());
        let authority = encryption.authority();
        let client = client(authority)?;
        let authority = authority.map(Authority::file);
        let mut server = Self {
            process: None,
            home,
            program,
            listening,
            password: crate::unique(),
            authority,
            arguments,
            client,
        };
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
            let program = self.home.join("versitygw");
            let secrets = [("ROOT_ACCESS_KEY", ADMINISTRATOR), ("ROOT_SECRET_KEY", &self.password)];
            let start = self.home.start_with(&program, &self.arguments, &secrets, End::Terminate);
            let mut process = start?;
            let url = format!("{}{HEALTH}", self.endpoint());
            process
                .wait(|| async {
                    self.client.get(&url).send().await?.error_for_status()?;
                    Ok(())
                })
                .await?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddrV4 {
        self.listening
    }

    /// `http(s)://HOST:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listening)
    }

    /// The region that signatures are for.
    #[must_use]
    pub const fn region(&self) -> &'static str {
        REGION
    }

    /// Makes a user, who has no buckets yet.
    ///
    /// # Errors
    /// The server refuses.
    pub fn user(&self, access_key_id: &str, secret_access_key: &str) -> Result<()> {
        let user = ["create-user", "--access", access_key_id, "--secret", secret_access_key];
        self.administer(&[&user[..], &["--role", "user"]].concat()).map(drop)
    }

    /// Makes a bucket of a user's, whom nobody shares it with.
    ///
    /// # Errors
    /// The server refuses.
    pub fn bucket(&self, name: &str, owner: &str) -> Result<()> {
        self.administer(&["create-bucket", "--bucket", name, "--owner", owner]).map(drop)
    }

    /// The names of all objects in a bucket, in order.
    ///
    /// # Errors
    /// There is no such bucket.
    pub fn objects(&self, bucket: &str) -> Result<Vec<String>> {
        let root = self.home.join("buckets").join(bucket);
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).with_context(|| format!("no bucket {bucket}"))? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push(entry.path().strip_prefix(&root)?.display().to_string());
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// What its administrator's client answers.
    fn administer(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .arg("admin")
            .args(arguments)
            .env("ADMIN_ENDPOINT_URL", self.endpoint())
            .env("ADMIN_REGION", REGION)
            .env("ADMIN_ACCESS_KEY", ADMINISTRATOR)
            .env("ADMIN_SECRET_KEY", &self.password);
        if let Some(file) = &self.authority {
            command.env("SSL_CERT_FILE", file);
        }
        captured(&mut command)
    }
}

fn client(authority: Option<&Authority>) -> Result<Client> {
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(5));
    let client = match authority {
        None => client,
        Some(it) => client
            .tls_built_in_root_certs(false)
            .add_root_certificate(Certificate::from_pem(it.certificate().as_bytes())?),
    };
    client.build().context("a client for the S3 server")
}
