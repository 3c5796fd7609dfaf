//! A cluster of the user's own: what the demo makes there it removes, and what it finds there it leaves alone.

use std::{fs, path::PathBuf, process::Command, time::Duration, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    checkout::Checkout,
    host,
    operator::{NAME as RELEASE, NAMESPACE},
    process::captured,
    tools, wait,
};
use convex_operator::api::CRD_NAME;
use k8s_openapi::{
    api::core::v1::Namespace,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config,
    api::DeleteParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use on_cluster::{Kubectl, Reach, Witness};

use crate::{
    choice::Choice,
    image::Image,
    permission,
    sample::Sample,
    scene::{self, Scene},
    story::Story,
};

/// What needs nothing that a cluster may lack.
const SHOWN: Sample = Sample::Dev;
const REMOVED: Duration = Duration::from_mins(3);

/// A cluster of the user's own.
pub struct Own {
    checkout: Checkout,
    context: String,
    helm: PathBuf,
    image: Image,
    /// Whether the operator's namespace was there before.
    housed: bool,
    /// What the instance's part happens in.
    pub scene: Scene,
}

impl Own {
    /// Finds the tools, and whether the user may do here what the demo does.
    ///
    /// # Errors
    /// Something is missing or not allowed, or an operator is installed already; nothing was made.
    pub async fn open(choice: &Choice, context: &str, story: &mut Story) -> Result<Self> {
        let image = choice.own_image()?;
        let checkout = Checkout::find()?;
        story.part("tools", "kubectl and helm: yours, or else built from Go modules");
        let began = Instant::now();
        let [kubectl, helm] = [tool(&checkout, "kubectl")?, tool(&checkout, "helm")?];
        story.fact(began, &format!("{} and {}", kubectl.display(), helm.display()));
        story.part("cluster", &format!("context {context} of your kubeconfig"));
        let client = client(context).await?;
        let began = Instant::now();
        let version = client.apiserver_version().await.context("asking the API server")?;
        permission::check(&client).await?;
        let housed = is_free(&client).await?;
        story.fact(began, &format!("Kubernetes {}, you may install", version.git_version));
        let kubectl = Kubectl::in_context(&kubectl, context);
        let scene = scene(&checkout, client, kubectl).await?;
        Ok(Self { checkout, context: context.to_owned(), helm, image, housed, scene })
    }

    /// Installs the chart.
    ///
    /// # Errors
    /// Helm says why.
    pub async fn bring_operator(&self, choice: &Choice, story: &mut Story) -> Result<()> {
        story.part("operator", &format!("helm install {RELEASE} -n {NAMESPACE}"));
        let began = Instant::now();
        let mut helm = self.helm(&["upgrade", "--install", RELEASE]);
        helm.arg(self.checkout.root().join("charts/convex-operator"));
        helm.args(["--create-namespace", "--wait", "--timeout", "3m"]);
        let repositories = [
            format!("images.backend.repository={}", choice.backend_repository),
            format!("images.dashboard.repository={}", choice.dashboard_repository),
        ];
        for value in self.image.values().iter().chain(&repositories) {
            helm.args(["--set-string", value]);
        }
        tokio::task::spawn_blocking(move || captured(&mut helm)).await??;
        story.fact(began, "ready: a pod under its own role");
        Ok(())
    }

    /// Removes everything that the demo made, the instance first and while there is an operator to do it.
    ///
    /// # Errors
    /// Something stays; the message says what.
    pub async fn leave(self) -> Result<String> {
        let client = &self.scene.client;
        remove_namespace(client, &self.scene.namespace).await?;
        captured(&mut self.helm(&["uninstall", RELEASE, "--ignore-not-found", "--wait"]))?;
        let definitions = Api::<CustomResourceDefinition>::all(client.clone());
        if definitions.get_opt(CRD_NAME).await?.is_some() {
            definitions.delete(CRD_NAME, &DeleteParams::default()).await?;
        }
        if !self.housed {
            remove_namespace(client, NAMESPACE).await?;
        }
        Ok("Everything that the demo made is removed; the cluster is as it was".to_owned())
    }

    fn helm(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.helm);
        command.args(arguments);
        command.args(["--kube-context", &self.context, "--namespace", NAMESPACE]);
        command
    }
}

/// The user's own fits the cluster best; where there is none, ours does.
fn tool(checkout: &Checkout, name: &str) -> Result<PathBuf> {
    if let Some(found) = host::find(name) {
        return Ok(found);
    }
    Ok(tools::ensure(checkout)?.path(name)?.to_owned())
}

async fn client(context: &str) -> Result<Client> {
    let kubeconfig = Kubeconfig::read().context("reading your kubeconfig")?;
    let options =
        KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let config = config.with_context(|| format!("context {context} of your kubeconfig"))?;
    Client::try_from(config).context("making a client")
}

/// That no operator is here, for there can be only one; and whether the namespace for ours is there already.
async fn is_free(client: &Client) -> Result<bool> {
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    ensure!(
        definitions.get_opt(CRD_NAME).await?.is_none(),
        "{CRD_NAME} is installed in this cluster already, by you or by an earlier demo that was cut off. The demo removes what it finds its way to, so it does not begin here. If nobody uses it: helm uninstall {RELEASE} -n {NAMESPACE}; kubectl delete crd {CRD_NAME}"
    );
    Ok(Api::<Namespace>::all(client.clone()).get_opt(NAMESPACE).await?.is_some())
}

async fn scene(checkout: &Checkout, client: Client, kubectl: Kubectl) -> Result<Scene> {
    let sample = fs::read_to_string(checkout.root().join(SHOWN.path()))?;
    let namespace = scene::fresh_namespace(&client).await?;
    Ok(Scene {
        reach: Reach::Forwarded(kubectl.clone()),
        witness: Witness { client: client.clone(), namespace: namespace.clone(), log: None },
        node: None,
        kubectl,
        client,
        namespace,
        shown: SHOWN,
        sample,
    })
}

async fn remove_namespace(client: &Client, name: &str) -> Result<()> {
    let namespaces = Api::<Namespace>::all(client.clone());
    match namespaces.delete(name, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(()),
        Err(error) => bail!("namespace {name} stays: {error}"),
        Ok(_) => {}
    }
    wait::until(&format!("end of namespace {name}"), REMOVED, &[], || async {
        Ok(namespaces.get_opt(name).await?.is_none().then_some(()))
    })
    .await
}
