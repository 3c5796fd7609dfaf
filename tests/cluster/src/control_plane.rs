//! etcd, the API server, the controller manager and the scheduler, and how each is started.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use kube::Client;

use crate::{
    address::{API_PORT, Addresses, ETCD_PORTS},
    client, kubeconfig,
    kubeconfig::Server,
    launch::{Launcher, Program},
    pki::{Authority, api_server_subjects},
    process::Daemon,
    tools::Tools,
    wait,
};

/// Everything, with the exception of what only repeats a request that is logged once it is answered.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
";
const START: Duration = Duration::from_mins(1);

/// A control plane that answers.
pub struct ControlPlane {
    /// Its processes.
    pub daemons: Vec<Daemon>,
    /// How to reach the API server.
    pub server: Server,
    /// An administrator's client.
    pub client: Client,
}

/// What the control plane is made from.
pub struct Parts<'a> {
    /// The run folder.
    pub run: &'a Path,
    /// The addresses of the cluster.
    pub addresses: &'a Addresses,
    /// The built programs.
    pub tools: &'a Tools,
    /// Who starts processes.
    pub launcher: &'a Launcher,
    /// Who signs certificates.
    pub authority: &'a Authority,
}

/// The administrator's kubeconfig in a run folder.
#[must_use]
pub fn admin_kubeconfig(run: &Path) -> PathBuf {
    run.join("kubeconfig")
}

/// The API server's audit log in a run folder.
#[must_use]
pub fn audit_log(run: &Path) -> PathBuf {
    run.join("audit.log")
}

impl Parts<'_> {
    /// Starts all four and waits until the API server is ready.
    ///
    /// # Errors
    /// One of them does not start.
    pub async fn start(&self) -> Result<ControlPlane> {
        let server = Server {
            url: format!("https://{}:{API_PORT}", self.addresses.control_plane),
            authority: self.authority.certificate().to_owned(),
        };
        let admin = self.authority.client("admin", "admin", Some("system:masters"))?;
        let path = admin_kubeconfig(self.run);
        kubeconfig::for_certificate(&path, &server, &admin)?;
        let keys = self.authority.signing_key("service-accounts")?;

        let mut daemons = vec![
            self.launcher.start(&self.etcd()?)?,
            self.launcher.start(&self.api_server(&keys.0, &keys.1)?)?,
        ];
        let client = client::from_file(&path).await?;
        let needed: Vec<&Daemon> = daemons.iter().collect();
        wait::until("ready API server", START, &needed, || client::ready(&client)).await?;

        daemons.push(self.launcher.start(&self.controller_manager(&server, &keys.0)?)?);
        daemons.push(self.launcher.start(&self.scheduler(&server)?)?);
        Ok(ControlPlane { daemons, server, client })
    }

    /// A kubeconfig of its own for one of the cluster's parts.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn user(&self, server: &Server, name: &str, user: &str, group: &str) -> Result<PathBuf> {
        let group = Some(group).filter(|g| !g.is_empty());
        let pair = self.authority.client(name, user, group)?;
        let path = self.run.join("pki").join(format!("{name}.kubeconfig"));
        kubeconfig::for_certificate(&path, server, &pair)?;
        Ok(path)
    }

    fn etcd(&self) -> Result<Program> {
        let [clients, peers] = self.etcd_urls();
        Ok(Program::new("etcd", self.tools.path("etcd")?).args([
            "--name=local".to_owned(),
            format!("--data-dir={}", self.run.join("etcd").display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=local={peers}"),
            // A cluster that is thrown away anyhow need not survive a loss of power.
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ]))
    }

    /// On loopback: of the namespace on a real node, of the host with an address of our own on a fake one.
    fn etcd_urls(&self) -> [String; 2] {
        let address = if self.addresses.network.is_some() {
            [127, 0, 0, 1].into()
        } else {
            self.addresses.control_plane
        };
        ETCD_PORTS.map(|port| format!("http://{address}:{port}"))
    }

    fn api_server(&self, signing_key: &Path, public_key: &Path) -> Result<Program> {
        let serving = self.authority.server("api-server", api_server_subjects(self.addresses)?)?;
        let to_kubelet =
            self.authority.client("api-server-to-kubelet", "api-server", Some("system:masters"))?;
        let policy = self.run.join("audit-policy.yaml");
        fs::write(&policy, AUDIT_POLICY)?;
        let [etcd, _] = self.etcd_urls();
        let address = self.addresses.control_plane;
        let program = Program::new("kube-apiserver", self.tools.path("kube-apiserver")?);
        let program = program.args([
            format!("--etcd-servers={etcd}"),
            format!("--bind-address={address}"),
            format!("--secure-port={API_PORT}"),
            format!("--service-cluster-ip-range={}", self.addresses.services),
            format!("--client-ca-file={}", self.authority.file().display()),
            format!("--tls-cert-file={}", serving.certificate_file.display()),
            format!("--tls-private-key-file={}", serving.key_file.display()),
            format!("--kubelet-client-certificate={}", to_kubelet.certificate_file.display()),
            format!("--kubelet-client-key={}", to_kubelet.key_file.display()),
            format!("--kubelet-certificate-authority={}", self.authority.file().display()),
            // Otherwise logs and exec look the node's name up in DNS.
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-signing-key-file={}", signing_key.display()),
            format!("--service-account-key-file={}", public_key.display()),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--enable-admission-plugins=NodeRestriction".to_owned(),
            "--allow-privileged=true".to_owned(),
            format!("--audit-policy-file={}", policy.display()),
            format!("--audit-log-path={}", audit_log(self.run).display()),
            // In megabytes: at the default of 100 the log would move elsewhere under those who count in it.
            "--audit-log-maxsize=100000".to_owned(),
        ]);
        Ok(program.args(self.advertised()))
    }

    /// A loopback address may not stand in the endpoints of the Service `kubernetes`, so a fake cluster has none there.
    fn advertised(&self) -> Vec<String> {
        if self.addresses.network.is_some() {
            vec![format!("--advertise-address={}", self.addresses.control_plane)]
        } else {
            // RFC 5737 keeps this address for documentation; with no reconciler nothing ever names it.
            vec![
                "--advertise-address=203.0.113.1".to_owned(),
                "--endpoint-reconciler-type=none".to_owned(),
            ]
        }
    }

    fn controller_manager(&self, server: &Server, signing_key: &Path) -> Result<Program> {
        let user = "system:kube-controller-manager";
        let kubeconfig = self.user(server, "controller-manager", user, "")?;
        let path = self.tools.path("kube-controller-manager")?;
        Ok(Program::new("kube-controller-manager", path).args([
            format!("--kubeconfig={}", kubeconfig.display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            // Without it controllers are refused and StatefulSets hang.
            "--use-service-account-credentials=true".to_owned(),
            format!("--service-account-private-key-file={}", signing_key.display()),
            format!("--root-ca-file={}", self.authority.file().display()),
            "--kube-api-qps=300".to_owned(),
            "--kube-api-burst=600".to_owned(),
        ]))
    }

    fn scheduler(&self, server: &Server) -> Result<Program> {
        let kubeconfig = self.user(server, "scheduler", "system:kube-scheduler", "")?;
        Ok(Program::new("kube-scheduler", self.tools.path("kube-scheduler")?).args([
            format!("--kubeconfig={}", kubeconfig.display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ]))
    }
}
