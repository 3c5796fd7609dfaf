//! One probe, once.

use std::{net::IpAddr, path::PathBuf, process::Stdio, sync::LazyLock, time::Duration};

use k8s_openapi::{
    api::core::v1::{ExecAction, HTTPGetAction, Probe},
    apimachinery::pkg::util::intstr::IntOrString,
};
use reqwest::redirect;
use tokio::{net::TcpStream, process::Command, time::timeout};

use crate::env::Variables;

/// What is probed.
#[derive(Clone, Debug)]
pub struct Target {
    /// The pod's address.
    pub address: IpAddr,
    /// Ports that have names.
    pub ports: Vec<(String, u16)>,
    /// Environment for commands.
    pub env: Variables,
    /// Working directory of commands.
    pub directory: PathBuf,
}

/// Performs `probe`.
///
/// # Errors
/// What a kubelet would say about the failure.
pub async fn check(probe: &Probe, target: &Target) -> Result<(), String> {
    let limit =
        Duration::from_secs(u64::try_from(probe.timeout_seconds.unwrap_or(1)).unwrap_or(1).max(1));
    let outcome = async {
        if let Some(get) = &probe.http_get {
            http(get, target, limit).await
        } else if let Some(socket) = &probe.tcp_socket {
            let host = socket.host.clone().unwrap_or_else(|| target.address.to_string());
            let port = port(&socket.port, target)?;
            TcpStream::connect((host, port)).await.map(drop).map_err(|error| error.to_string())
        } else if let Some(exec) = &probe.exec {
            command(exec, target).await
        } else {
            Err("a kind of probe that the fake node does not know".to_owned())
        }
    };
    timeout(limit, outcome).await.unwrap_or_else(|_| Err("context deadline exceeded".to_owned()))
}

/// One for all probes: each that is built reads the certificates of the whole machine.
static CLIENT: LazyLock<reqwest::Result<reqwest::Client>> = LazyLock::new(|| {
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .redirect(redirect::Policy::limited(10))
        .build()
});

async fn http(get: &HTTPGetAction, target: &Target, limit: Duration) -> Result<(), String> {
    if get.scheme.as_deref().is_some_and(|scheme| scheme != "HTTP") {
        return Err("the fake node probes by HTTP only".to_owned());
    }
    let host = get.host.clone().unwrap_or_else(|| target.address.to_string());
    let path = get.path.as_deref().unwrap_or("/").trim_start_matches('/');
    let url = format!("http://{host}:{}/{path}", port(&get.port, target)?);
    let client = CLIENT.as_ref().map_err(ToString::to_string)?;
    let mut request = client.get(&url).timeout(limit).header("User-Agent", "kube-probe/1.36");
    for header in get.http_headers.iter().flatten() {
        request = request.header(&header.name, &header.value);
    }
    let answer = request.send().await.map_err(|error| format!("Get \"{url}\": {error}"))?;
    match answer.status().as_u16() {
        200..400 => Ok(()),
        code => Err(format!("HTTP probe failed with statuscode: {code}")),
    }
}

async fn command(exec: &ExecAction, target: &Target) -> Result<(), String> {
    let words = exec.command.as_deref().unwrap_or_default();
    let (program, arguments) = words.split_first().ok_or("an empty command")?;
    let env =
        target.env.iter().map(|(name, value)| (name, String::from_utf8_lossy(value).into_owned()));
    let status = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(env)
        .current_dir(&target.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("command ended with {status}")) }
}

fn port(port: &IntOrString, target: &Target) -> Result<u16, String> {
    match port {
        IntOrString::Int(number) => u16::try_from(*number).map_err(|error| error.to_string()),
        IntOrString::String(name) => target
            .ports
            .iter()
            .find(|(named, _)| named == name)
            .map(|(_, number)| *number)
            .ok_or_else(|| format!("couldn't find port: \"{name}\"")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::{Router, http::StatusCode, routing::get};
    use serde_json::{Value, json};

    use super::*;

    async fn served() -> Target {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = Router::new()
            .route("/good", get(|| async { "yes" }))
            .route("/bad", get(|| async { StatusCode::SERVICE_UNAVAILABLE }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Target {
            address: Ipv4Addr::LOCALHOST.into(),
            ports: vec![("http".to_owned(), port)],
            env: vec![("WORD".to_owned(), b"yes".to_vec())],
            directory: "/".into(),
        }
    }

    async fn probed(probe: Value) -> Result<(), String> {
        check(&serde_json::from_value(probe).unwrap(), &served().await).await
    }

    #[tokio::test]
    async fn http_is_judged_by_its_status() {
        assert_eq!(probed(json!({"httpGet": {"path": "/good", "port": "http"}})).await, Ok(()));
        assert_eq!(
            probed(json!({"httpGet": {"path": "/bad", "port": "http"}})).await.unwrap_err(),
            "HTTP probe failed with statuscode: 503"
        );
        let closed = probed(json!({"httpGet": {"path": "/", "port": 1}})).await.unwrap_err();
        assert!(closed.starts_with("Get \"http://127.0.0.1:1/\""), "{closed}");
    }

    #[tokio::test]
    async fn a_socket_is_judged_by_whether_it_opens() {
        assert_eq!(probed(json!({"tcpSocket": {"port": "http"}})).await, Ok(()));
        assert!(probed(json!({"tcpSocket": {"port": 1}})).await.is_err());
        assert!(probed(json!({"tcpSocket": {"port": "none"}})).await.is_err());
    }

    #[tokio::test]
    async fn a_command_is_judged_by_its_end_and_by_the_time_it_takes() {
        let script = |text| json!({"exec": {"command": ["/bin/sh", "-c", text]}});
        assert_eq!(probed(script("test \"$WORD\" = yes")).await, Ok(()));
        assert!(probed(script("exit 1")).await.is_err());
        assert_eq!(probed(script("exec sleep 9")).await.unwrap_err(), "context deadline exceeded");
    }
}
