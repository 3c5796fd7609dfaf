//! What can fail, by step. The names of the variants are metric labels and reasons of log lines.

/// A pass that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The children or Secrets of the instance could not be read.
    #[error("reading the cluster: {0}")]
    Observe(#[source] kube::Error),
    /// The edge that was taken could not be written.
    #[error("writing the status of an edge: {0}")]
    Advance(#[source] kube::Error),
    /// A child could not be written.
    #[error("writing a child: {0}")]
    Apply(#[source] kube::Error),
    /// The conditions could not be written.
    #[error("writing the status: {0}")]
    Report(#[source] kube::Error),
    /// The instance cannot be read by this operator.
    #[error("the instance cannot be decoded: {0}")]
    Decode(String),
}

impl Error {
    /// The name of the step, for metrics and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Observe(_) => "Observe",
            Self::Advance(_) => "Advance",
            Self::Apply(_) => "Apply",
            Self::Report(_) => "Report",
            Self::Decode(_) => "Decode",
        }
    }

    /// Somebody wrote since we read: the pass ends quietly and the next one looks again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status().is_some_and(|status| status.code == 409)
    }

    /// The instance, or its namespace, is gone or going.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status().is_some_and(|status| status.code == 404)
    }

    fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Observe(error)
            | Self::Advance(error)
            | Self::Apply(error)
            | Self::Report(error) => {
                let kube::Error::Api(status) = error else { return None };
                Some(status)
            }
            Self::Decode(_) => None,
        }
    }
}
