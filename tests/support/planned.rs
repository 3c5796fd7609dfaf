//! What is planned for an instance, with keys that are the same in every run.

use std::sync::Arc;

use chrono::DateTime;
use convex_operator::{
    api::ConvexInstance,
    convex::{AdminKey, InstanceName, InstanceSecret},
    observe::{
        AdminFound, Children, Control, Exposure, Keys, KeysFound, Outside, Preflight, Requisites,
        Source, World, engine,
    },
    plan::{self, Child, Step, names::Names, outside::Settings},
};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use serde_json::{Value, json};
use statemachine::{Action, Backend, Observed, Release, Store, worlds::worlds};

/// The secret of every instance here.
pub const SECRET: &str = "cafebabecafebabecafebabecafebabecafebabecafebabecafebabecafebabe";
/// The admin key of every instance here; it opens nothing.
pub const ADMIN_KEY: &str = "canary|01cafebabe";

pub fn instance(name: &str, change: impl FnOnce(&mut Value)) -> ConvexInstance {
    let mut spec = json!({"environment": "dev", "version": "v1",
        "backend": {"db": {"engine": "sqlite"}}});
    change(&mut spec);
    serde_json::from_value(json!({
        "apiVersion": "convex.icod.de/v1alpha1", "kind": "ConvexInstance", "spec": spec,
        "metadata": {"name": name, "namespace": "shop", "uid": "00000000-0000-0000-0000-000000000001"},
    }))
    .unwrap()
}

/// Sets a place of a spec, making the maps above it.
pub fn set(spec: &mut Value, place: &str, value: Value) {
    let mut at = spec;
    for part in place.trim_start_matches('/').split('/') {
        at = &mut at[part];
    }
    *at = value;
}

pub fn keys(instance: &ConvexInstance) -> Keys {
    let spec = &instance.spec.backend.instance;
    let own = format!("{}-instance", instance.name_any());
    let name = spec.name.clone().unwrap_or_else(|| instance.name_any());
    let name = InstanceName::parse(name).unwrap();
    Keys {
        deployment: name.clone(),
        name,
        of_the_operator: spec.secret_ref.is_none(),
        secret: InstanceSecret::parse(SECRET).unwrap(),
        admin: AdminKey::parse(ADMIN_KEY).unwrap(),
        found: if spec.secret_ref.is_some() { KeysFound::Named } else { KeysFound::Nowhere },
        admin_found: AdminFound::Nowhere,
        source: Source {
            secret: spec.secret_ref.clone().unwrap_or(own),
            key: spec.secret_key.clone().unwrap_or_else(|| "INSTANCE_SECRET".to_owned()),
        },
    }
}

pub fn release(instance: &ConvexInstance) -> Release {
    let spec = &instance.spec;
    let image = || format!("example.com/backend:{}", spec.version);
    Release {
        version: spec.version.clone(),
        image: spec.backend.image.clone().unwrap_or_else(image),
        engine: engine(instance),
    }
}

/// The claim that the spec names, as somebody made it.
fn claim(instance: &ConvexInstance) -> Option<Arc<PersistentVolumeClaim>> {
    let storage = &instance.spec.backend.storage.pvc;
    let name = storage.existing_claim.as_deref()?;
    let claim = json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size.as_deref().unwrap_or("10Gi")}}}});
    Some(Arc::new(serde_json::from_value(claim).unwrap()))
}

/// The steps that an instance is owed which serves, or is stopped.
pub fn steps(instance: &ConvexInstance, stopped: bool) -> Vec<Step> {
    steps_reading(instance, stopped, Settings::new())
}

/// The same of one that reads this of servers outside.
pub fn steps_reading(instance: &ConvexInstance, stopped: bool, outside: Settings) -> Vec<Step> {
    let home = Backend { release: release(instance), store: Store::Original };
    let mut facts: Observed = worlds().next().unwrap();
    facts.pins.home = Some(home.clone());
    let world = World {
        facts,
        names: Names::of(&instance.name_any()),
        children: Children {
            claims: claim(instance).map(|it| (Store::Original, it)).into_iter().collect(),
            ..Children::default()
        },
        keys: Some(keys(instance)),
        references: None,
        requisites: Requisites::default(),
        barred: None,
        keys_obstacle: None,
        outside: Outside::reading(outside),
        preflight: Preflight::default(),
        trouble: None,
        exposure: Exposure::default(),
        control: Control::default(),
        answer: None,
        hold: None,
        jobs: convex_operator::observe::jobs::Jobs::default(),
        again: None,
        unmigrated: None,
        unanswered: None,
        unmade: None,
        leftovers: Vec::new(),
        now: DateTime::UNIX_EPOCH,
        operator_namespace: "convex-system".to_owned(),
        dashboard_repository: "example.com/dashboard".to_owned(),
        worker_image: "example.com/operator:v0".to_owned(),
    };
    let backend = if stopped { Action::EnsureBackendStopped } else { Action::EnsureBackendRolled };
    let owed = [
        Action::EnsureSecretsCreated,
        Action::EnsureStoreStamped(home.clone()),
        backend(home),
        Action::EnsureSurroundingsApplied,
        Action::EnsureTrafficFlowing,
    ];
    plan::owed(instance, &owed, &world).steps
}

/// The objects of the steps, in their order.
pub fn objects(steps: &[Step]) -> Vec<Value> {
    let json = |it: &Step| match it {
        Step::Create(secret) => serde_json::to_value(&*secret.0),
        Step::Start(it) => serde_json::to_value(it),
        Step::Ensure(Child::Secret(it)) => serde_json::to_value(&*it.0),
        Step::Ensure(Child::ConfigMap(it)) => serde_json::to_value(it),
        Step::Ensure(Child::Claim(it)) => serde_json::to_value(it),
        Step::Ensure(Child::Service(it)) => serde_json::to_value(it),
        Step::Ensure(Child::StatefulSet(it)) => serde_json::to_value(it),
        Step::Ensure(Child::Deployment(it)) => serde_json::to_value(it),
        Step::Ensure(Child::ServiceAccount(it)) => serde_json::to_value(it),
        Step::Ensure(Child::NetworkPolicy(it)) => serde_json::to_value(it),
        Step::Ensure(Child::Budget(it)) => serde_json::to_value(it),
        other => Ok(json!({"step": format!("{other:?}")})),
    };
    steps.iter().map(|it| json(it).unwrap()).collect()
}

pub fn yaml(steps: &[Step]) -> String {
    let documents = objects(steps);
    let documents = documents.iter().map(|it| serde_saphyr::to_string(it).unwrap());
    documents.fold(String::new(), |all, it| all + "---\n" + it.trim_end() + "\n")
}
