//! A webhook of somebody else that does not answer keeps the API server from writing.

use anyhow::Result;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use on_cluster::{Instance, played};
use serde_json::json;

#[tokio::test]
async fn a_write_that_goes_on_failing_is_told_and_made_once_it_can_be() -> Result<()> {
    played("webhook", async |stage| {
        let webhooks = Api::<ValidatingWebhookConfiguration>::all(stage.client());
        let name = stage.namespace().to_owned();
        let wanted = json!({"metadata": {"name": name}, "webhooks": [{
            "name": "nobody.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "failurePolicy": "Fail", "timeoutSeconds": 1,
            "clientConfig": {"url": "https://127.0.0.1:1/nobody"},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["deployments"]}],
        }]});
        webhooks.create(&PostParams::default(), &serde_json::from_value(wanted)?).await?;
        stage.create(&Instance::dev("dev")).await?;
        let told = stage.because("dev", "WriteFailed").await;
        webhooks.delete(&name, &DeleteParams::default()).await?;
        let message = told?.message;
        anyhow::ensure!(message.contains("nobody.example.org"), "{message}");
        stage.settled("dev").await?;
        Ok(())
    })
    .await
}
