//! A running stand-in with its own address and its own file tree, ended with the test.

#![allow(dead_code, reason = "every test binary uses its own part of the fixtures")]
#![allow(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

pub mod admin;
pub mod program;

use std::{
    fs,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The secret of the first published key vector.
pub const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The key of the same vector.
pub const KEY: &str =
    "convex-self-hosted|010000000000000000000000009c7a26d54e2a1e2d533be49d8443fd4e2ed15431620bf525";

const DEADLINE: Duration = Duration::from_secs(20);

/// A file tree, an address and an environment: what a container would have.
#[derive(Clone)]
pub struct Container {
    tree: Arc<tempfile::TempDir>,
    pub address: String,
    env: Vec<(String, String)>,
}

impl Container {
    /// A container with an empty volume and a good secret.
    pub fn new() -> Self {
        let tree = tempfile::tempdir().unwrap();
        Self { tree: Arc::new(tree), address: own_address(), env: Vec::new() }
            .with("INSTANCE_SECRET", SECRET)
            .with("CONVEX_RELEASE_VERSION_DEV", "v1")
    }

    /// Another container on the same volume.
    pub fn beside(&self) -> Self {
        Self { address: own_address(), ..self.clone() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.env.retain(|(set, _)| set != name);
        self
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.tree.path().join(inside)
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convex-standin"));
        command.arg0(program).env_clear().envs(self.env.clone());
        command.env("STANDIN_ROOT", self.tree.path()).env("STANDIN_BIND", &self.address);
        command
    }

    /// Starts the backend and waits until it listens.
    pub async fn serving(&self) -> Backend {
        let backend = self.starting();
        backend.waits_for(|| backend.log().contains("backend listening on")).await;
        backend
    }

    /// Starts the backend and waits for nothing.
    pub fn starting(&self) -> Backend {
        let log = self.path(&format!("log-{}", own_number()));
        let out = fs::File::create(&log).unwrap();
        let mut command = self.command("./run_backend.sh");
        command.stdout(out.try_clone().unwrap()).stderr(out);
        let child = command.spawn().unwrap();
        Backend { child, address: self.address.clone(), log, _tree: self.tree.clone() }
    }

    /// Runs the entrypoint to its end, which must come.
    pub fn fails(&self) -> Output {
        self.command("./run_backend.sh").stdin(Stdio::null()).output().unwrap()
    }
}

/// A running backend.
pub struct Backend {
    child: Child,
    pub address: String,
    log: PathBuf,
    /// Keeps the volume for as long as someone writes to it.
    _tree: Arc<tempfile::TempDir>,
}

impl Backend {
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}:3210{path}", self.address)
    }

    /// Its address and port.
    pub fn at(&self) -> String {
        format!("{}:3210", self.address)
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        fetch(&self.url(path)).await
    }

    pub async fn marker(&self) -> Value {
        serde_json::from_str(&self.get("/stand-in/marker").await.1).unwrap()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn ends(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "did not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn waits_for(&self, fact: impl Fn() -> bool) {
        let end = Instant::now() + DEADLINE;
        while !fact() {
            assert!(Instant::now() < end, "did not happen:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A backend with documents, a file and a variable.
pub async fn filled(container: &Container) -> Backend {
    let backend = container.serving().await;
    backend.holds("messages", json!([{"text": "one"}, {"text": "two"}])).await;
    backend.holds("users", json!([{"name": "ann"}])).await;
    backend.holds_file("hello").await;
    let changes = json!({"changes": [{"name": "TOKEN", "value": "s3cr3t"}]});
    backend.posts("/api/update_environment_variables", changes).await;
    backend
}

pub async fn fetch(url: &str) -> (u16, String) {
    let response = reqwest::get(url).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn own_number() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A loopback address that no other test uses: from our process id and a counter.
fn own_address() -> String {
    let pid = std::process::id();
    format!("127.{}.{}.{}", 100 + pid / 256 % 100, pid % 256, own_number() % 250 + 1)
}
