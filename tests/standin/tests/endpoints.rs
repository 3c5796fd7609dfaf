//! Every endpoint, asked by a real client.

#![allow(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

mod common;

use common::{Backend, Container, KEY, fetch};
use serde_json::{Value, json};

async fn check(backend: &Backend, key: Option<&str>) -> (u16, Value) {
    let mut request = reqwest::Client::new().get(backend.url("/api/check_admin_key"));
    if let Some(key) = key {
        request = request.header("Authorization", format!("convex {key}"));
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn the_plain_endpoints_answer_as_documented() {
    let backend = Container::new().with("INSTANCE_NAME", "acme").serving().await;
    for (path, answer) in
        [("/version", "v1"), ("/instance_version", "v1"), ("/instance_name", "acme")]
    {
        assert_eq!(backend.get(path).await, (200, answer.to_owned()), "{path}");
    }
    assert!(backend.get("/").await.1.starts_with("This Convex deployment is running."));
    assert_eq!(backend.get("/metrics").await.0, 200);
    assert_eq!(backend.get("/health").await.0, 404);
    assert_eq!(backend.get("/healthz").await.0, 404);
}

#[tokio::test]
async fn echo_gives_the_body_back() {
    let backend = Container::new().serving().await;
    let answer =
        reqwest::Client::new().post(backend.url("/echo")).body("hello").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn the_version_is_unknown_as_in_official_images() {
    let backend = Container::new().without("CONVEX_RELEASE_VERSION_DEV").serving().await;
    assert_eq!(backend.get("/version").await, (200, "unknown".to_owned()));
}

#[tokio::test]
async fn metrics_can_be_turned_off_with_the_literal_true_only() {
    let backend = Container::new().with("DISABLE_METRICS_ENDPOINT", "true").serving().await;
    let (status, body) = backend.get("/metrics").await;
    assert_eq!(status, 404);
    assert!(body.contains("MetricsDisabled"), "{body}");
    let backend = Container::new().with("DISABLE_METRICS_ENDPOINT", "1").serving().await;
    assert_eq!(backend.get("/metrics").await.0, 200);
}

#[tokio::test]
async fn a_good_key_is_taken_from_the_header_and_from_the_query() {
    let backend = Container::new().serving().await;
    let full = json!({ "success": true, "allowedOps": [], "isReadOnly": false });
    assert_eq!(check(&backend, Some(KEY)).await, (200, full));
    let key = KEY.replace('|', "%7C");
    assert_eq!(backend.get(&format!("/api/check_admin_key?adminKey={key}")).await.0, 200);
}

#[tokio::test]
async fn a_bad_key_is_401_and_no_key_is_403() {
    let backend = Container::new().serving().await;
    let (status, body) = check(&backend, Some("convex-self-hosted|01abcd")).await;
    assert_eq!((status, &body["code"]), (401, &json!("BadAdminKey")));
    let (status, body) = check(&backend, None).await;
    assert_eq!((status, &body["code"]), (403, &json!("BadDeployKey")));
}

#[tokio::test]
async fn the_systems_key_is_403_and_a_read_only_key_lists_what_it_may_do() {
    let public = "4361726e697461732c206c69746572616c6c79206d65616e696e6720226c6974";
    let acme = Container::new().with("INSTANCE_NAME", "acme-prod").with("INSTANCE_SECRET", public);
    let system =
        "acme-prod|010102030405060708090a0b0c559f2699a1affd2a0fe6c451579f601e34c692f56b93ea48";
    assert_eq!(check(&acme.serving().await, Some(system)).await.0, 403);
    let carnitas = Container::new()
        .with("INSTANCE_NAME", "carnitas")
        .with("INSTANCE_SECRET", &"ff".repeat(32));
    let reader =
        "carnitas|01a0a1a2a3a4a5a6a7a8a9aaab833078f6d3eed4446111f202a8a3960d331fff1f59b11fc7d201";
    let (status, body) = check(&carnitas.serving().await, Some(reader)).await;
    assert_eq!((status, &body["isReadOnly"]), (200, &json!(true)));
    assert_eq!(body["allowedOps"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn a_secret_that_nobody_gave_is_generated_and_opens_no_old_key() {
    let container = Container::new().without("INSTANCE_SECRET");
    let backend = container.serving().await;
    assert_eq!(check(&backend, Some(KEY)).await.0, 401);
    let output = container.command("./generate_admin_key.sh").output().unwrap();
    let key = String::from_utf8(output.stdout).unwrap();
    assert_eq!(check(&backend, Some(key.trim())).await.0, 200);
}

#[tokio::test]
async fn the_site_proxy_hides_two_paths_and_forwards_the_rest() {
    let backend = Container::new().serving().await;
    let site = |path: &str| format!("http://{}:3211{path}", backend.address);
    assert_eq!(fetch(&site("/version")).await, (200, "unknown".to_owned()));
    assert_eq!(fetch(&site("/metrics")).await.0, 200);
    let forwarded = fetch(&site("/hello?x=1")).await;
    assert_eq!(forwarded, backend.get("/http/hello?x=1").await);
    assert_eq!(forwarded.0, 404);
}

#[tokio::test]
async fn a_version_goes_wrong_as_it_was_asked_to() {
    let wishes = Container::new()
        .with("STANDIN_UNREADY_VERSIONS", "v1")
        .with("STANDIN_REJECT_KEY_VERSIONS", "v1,v2");
    let backend = wishes.serving().await;
    assert_eq!(backend.get("/version").await.0, 200);
    assert_eq!(backend.get("/instance_name").await.0, 503);
    assert_eq!(check(&backend, Some(KEY)).await.0, 401);
}

#[tokio::test]
async fn the_dashboard_serves_one_page_and_ends_on_sigterm() {
    let container = Container::new().with("NEXT_PUBLIC_DEPLOYMENT_URL", "https://api.example.org");
    let mut child = container.command("convex-standin").arg("dashboard").spawn().unwrap();
    let url = format!("http://{}:6791/", container.address);
    let page = loop {
        match reqwest::get(&url).await {
            Ok(page) => break page.text().await.unwrap(),
            Err(_) => assert!(child.try_wait().unwrap().is_none(), "the dashboard ended"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert!(page.contains("https://api.example.org"), "{page}");
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(child.wait().unwrap().success());
}
