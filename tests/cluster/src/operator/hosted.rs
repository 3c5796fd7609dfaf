//! The operator as a host process, for a fake node: with a token of its ServiceAccount, so that its role is what counts.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, api::PostParams};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::{Ended, NAME, NAMESPACE, Options, environment, log, program};
use crate::{
    address::OPERATOR_PORT,
    client,
    description::Description,
    kubeconfig::{self, Server},
    launch::{Launcher, Program},
    process::{Daemon, Identity},
    record::{Record, Records},
    wait,
};

const READY: Duration = Duration::from_secs(30);
/// Longer than any pod would be given.
const END: Duration = Duration::from_mins(1);
/// Longer than any cluster lives.
const TOKEN_SECONDS: i64 = 365 * 24 * 3600;

/// What its keeper writes about the operator.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    identity: Identity,
    /// None while it runs.
    ended: Option<Exit>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Exit {
    code: Option<i32>,
}

/// Whether the operator runs.
///
/// # Errors
/// What its keeper wrote cannot be read.
pub fn is_running(cluster: &Description) -> Result<bool> {
    let kept = read(&note(&cluster.run))?;
    Ok(kept.is_some_and(|kept| kept.ended.is_none() && kept.identity.is_alive()))
}

/// Starts it and waits until it says that it is ready.
///
/// # Errors
/// One runs already, or it does not become ready.
pub async fn start(cluster: &Description, options: &Options) -> Result<()> {
    if is_running(cluster)? {
        bail!("an operator runs already");
    }
    let kubeconfig = token_kubeconfig(cluster, NAMESPACE).await?;
    let note = note(&cluster.run);
    if note.exists() {
        fs::remove_file(&note)?;
    }
    let address = SocketAddr::new(cluster.addresses.control_plane.into(), OPERATOR_PORT);
    let mut keeper = Program::new("operator", &cluster.harness)
        .log(&log(cluster))
        .args([
            "keep".into(),
            "--run".into(),
            cluster.run.clone(),
            "--".into(),
            program(&cluster.run),
        ])
        .args(["run"])
        .args(&options.arguments)
        .env("KUBECONFIG", &kubeconfig)
        .env("POD_NAMESPACE", NAMESPACE)
        .env("POD_NAME", "operator-on-the-host")
        .env("METRICS_ADDRESS", address.to_string());
    for (name, value) in environment().iter().chain(&options.environment) {
        keeper = keeper.env(name, value);
    }
    let keeper = Launcher::new(&cluster.run, &cluster.token, None).start(&keeper)?;
    wait_ready(&keeper, address).await
}

async fn wait_ready(keeper: &Daemon, address: SocketAddr) -> Result<()> {
    let url = format!("http://{address}/readyz");
    wait::until("ready operator", READY, &[keeper], || async {
        let answer = reqwest::get(&url).await?;
        Ok(answer.status().is_success().then_some(()))
    })
    .await
}

/// Stops it, where it runs, and says how it ended.
///
/// # Errors
/// It does not end.
pub fn stop(cluster: &Description) -> Result<Option<Ended>> {
    let note = note(&cluster.run);
    let Some(kept) = read(&note)?.filter(|kept| kept.ended.is_none()) else { return Ok(None) };
    let asked = Instant::now();
    kept.identity.signal(Signal::TERM)?;
    if !kept.identity.wait_gone(END) {
        kept.identity.end(Duration::ZERO)?;
        bail!("the operator did not end within {} s of SIGTERM", END.as_secs());
    }
    let took = asked.elapsed();
    // Its keeper writes the end down a moment after it.
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        if let Some(exit) = read(&note)?.and_then(|kept| kept.ended) {
            return Ok(Some(Ended { code: exit.code, took }));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("the operator ended and its keeper did not say how")
}

/// Runs the operator, records it among the cluster's processes, and notes how it ended, which only a parent learns.
///
/// # Errors
/// The command cannot be started, or the note not be written.
pub fn keep(run: &Path, command: &mut Command) -> Result<()> {
    let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    let identity = Identity::of(child.id().cast_signed())?;
    Records::open(run)?.write(&Record::Process { name: NAME.to_owned(), identity })?;
    let mut kept = Kept { identity, ended: None };
    let note = &note(run);
    write(note, &kept)?;
    kept.ended = Some(Exit { code: child.wait()?.code() });
    write(note, &kept)
}

/// Writes a kubeconfig with a token of the operator's account in a namespace.
pub(super) async fn token_kubeconfig(cluster: &Description, namespace: &str) -> Result<PathBuf> {
    let client = client::from_file(&cluster.kubeconfig).await?;
    let accounts = Api::<ServiceAccount>::namespaced(client, namespace);
    let spec = TokenRequestSpec {
        audiences: vec![],
        expiration_seconds: Some(TOKEN_SECONDS),
        ..TokenRequestSpec::default()
    };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let answer = accounts.create_token_request(NAME, &PostParams::default(), &request).await;
    let answer = answer.context("asking for a token of the operator's ServiceAccount")?;
    let token = answer.status.context("a token request without an answer")?.token;
    let of = if namespace == NAMESPACE { String::new() } else { format!(".{namespace}") };
    let path = cluster.run.join(format!("operator{of}.kubeconfig"));
    let server = Server { url: cluster.server.clone(), authority: cluster.authority.clone() };
    kubeconfig::for_token(&path, &server, &token)?;
    Ok(path)
}

fn note(run: &Path) -> PathBuf {
    run.join("operator.json")
}

fn read(note: &Path) -> Result<Option<Kept>> {
    if !note.exists() {
        return Ok(None);
    }
    serde_json::from_slice(&fs::read(note)?).map(Some).context("reading the keeper's note")
}

fn write(note: &Path, kept: &Kept) -> Result<()> {
    let half = note.with_extension("half");
    fs::write(&half, serde_json::to_vec(kept)?)?;
    fs::rename(&half, note).context("writing the keeper's note")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record;

    #[test]
    fn the_keeper_notes_the_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), Command::new("sh").args(["-c", "exit 7"])).unwrap();
        let kept = read(&note(folder.path())).unwrap().unwrap();
        assert_eq!(kept.ended.unwrap().code, Some(7));
        assert!(!kept.identity.is_alive());
        let record = Record::Process { name: NAME.into(), identity: kept.identity };
        assert_eq!(record::read(folder.path()).unwrap(), [record]);
    }

    #[test]
    fn an_end_by_a_signal_has_no_code() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), Command::new("sh").args(["-c", "kill -KILL $$"])).unwrap();
        assert_eq!(read(&note(folder.path())).unwrap().unwrap().ended.unwrap().code, None);
    }
}
