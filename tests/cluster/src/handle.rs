//! A running cluster, for tests.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use kube::Client;

use crate::{
    audit,
    checkout::Checkout,
    client,
    control_plane::audit_log,
    description::Description,
    operator::{self, Ended, Options},
};

/// The variable that names the run folder of the cluster that tests are to use.
pub const VARIABLE: &str = "CONVEX_TEST_CLUSTER";

/// A cluster that somebody started.
#[derive(Clone)]
pub struct Cluster {
    description: Description,
    client: Client,
}

impl Cluster {
    /// The cluster whose run folder `CONVEX_TEST_CLUSTER` names.
    ///
    /// # Errors
    /// The variable is not set, or no cluster was started there.
    pub async fn from_env() -> Result<Self> {
        let run = env::var_os(VARIABLE).with_context(|| {
            format!("{VARIABLE} names no run folder: start a cluster with `./justw cluster-up`")
        })?;
        Self::open(&PathBuf::from(run)).await
    }

    /// The cluster of a run folder.
    ///
    /// # Errors
    /// No cluster was started there.
    pub async fn open(run: &Path) -> Result<Self> {
        let description = Description::read(run)?
            .with_context(|| format!("no cluster was started in {}", run.display()))?;
        let client = client::from_file(&description.kubeconfig).await?;
        Ok(Self { description, client })
    }

    /// A client of its administrator.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// What it is and where.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// Everything that its API server has answered.
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub fn audit(&self) -> Result<Vec<audit::Entry>> {
        self.audit_since(0)
    }

    /// Where the audit log ends now, for [`Self::audit_since`].
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub fn audit_mark(&self) -> Result<u64> {
        audit::mark(&audit_log(&self.description.run))
    }

    /// What its API server has answered since a mark.
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub fn audit_since(&self, mark: u64) -> Result<Vec<audit::Entry>> {
        audit::since(&audit_log(&self.description.run), mark)
    }

    /// What its API server has answered since a mark, on lines that hold all of these.
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub fn audit_matching(&self, mark: u64, needles: &[&str]) -> Result<Vec<audit::Entry>> {
        audit::matching(&audit_log(&self.description.run), mark, needles)
    }

    /// Stops the operator with SIGTERM; it stays stopped until it is started.
    ///
    /// # Errors
    /// None runs, or it does not end.
    pub async fn stop_operator(&self) -> Result<Ended> {
        operator::stop(&self.description).await
    }

    /// Starts the operator as usual and waits until it is ready.
    ///
    /// # Errors
    /// One runs already, or it does not become ready.
    pub async fn start_operator(&self) -> Result<()> {
        self.start_operator_with(&Options::default()).await
    }

    /// Starts the operator with more arguments (fake node only) and environment.
    ///
    /// # Errors
    /// As [`Self::start_operator`].
    pub async fn start_operator_with(&self, options: &Options) -> Result<()> {
        operator::start(&Checkout::find()?, &self.description, options).await
    }

    /// Stops the operator, starts it as usual, and says how the old one ended.
    ///
    /// # Errors
    /// As the two.
    pub async fn restart_operator(&self) -> Result<Ended> {
        let ended = self.stop_operator().await?;
        self.start_operator().await?;
        Ok(ended)
    }

    /// The words of a command that runs where pods and Cluster IPs can be reached; the first is the program.
    #[must_use]
    pub fn in_network(&self, command: &[&str]) -> Vec<String> {
        let enter = self.description.namespace().map(|name| {
            ["nsenter".to_owned(), format!("--net=/run/netns/{name}"), "--".to_owned()]
        });
        let command = command.iter().map(|word| (*word).to_owned());
        enter.into_iter().flatten().chain(command).collect()
    }
}
