//! Rules on pods, on what stands beside them, and on what is tuned.

use on_cluster::{Case, Instance, rule};
use serde_json::{Value, json};

pub fn cases() -> Vec<Case> {
    let parts = ["backend", "dashboard"];
    let of_parts = parts.into_iter().flat_map(|part| {
        [marks(part), placement(part), accounts(part), volumes(part), mounts(part), budgets(part)]
    });
    let beside = [sources(), tuning(), policies()];
    of_parts.chain(beside).flatten().collect()
}

fn pod(part: &str, field: &str, value: impl Into<Value>) -> Instance {
    Instance::dev("a").with(&format!("{part}.pod.{field}"), value)
}

fn marks(part: &str) -> Vec<Case> {
    let of = |what: &str| {
        rule(&format!("spec.{part}.pod.{what}"), "the operator and Kubernetes find the pods by")
    };
    let with = |what: &str, key: &str| pod(part, what, json!({key: "x"}));
    let mut labels = of("labels").accepts(with("labels", "azure.workload.identity/use"));
    for key in [
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/component",
        "app.kubernetes.io/managed-by",
        "convex.icod.de/traffic",
        "pod-template-hash",
    ] {
        labels = labels.refuses(with("labels", key));
    }
    let annotations = of("annotations")
        .accepts(with("annotations", "mesh.example.com/inject"))
        .refuses(with("annotations", "convex.icod.de/version"))
        .refuses(with("annotations", "convex.icod.de/config-hash"));
    let value = |text: &str| pod(part, "labels", json!({"team": text}));
    let mut values = rule(&format!("spec.{part}.pod.labels"), "the value of a label is letters")
        .accepts(value(""))
        .accepts(value("a_b.C-1"));
    for text in ["a b", "a/b", "-a", "a.", "a\n", "ä"] {
        values = values.refuses(value(text));
    }
    vec![labels, values, annotations]
}

fn placement(part: &str) -> Vec<Case> {
    let at = |what: &str| format!("spec.{part}.pod.{what}");
    let taint = |toleration: Value| pod(part, "tolerations", json!([toleration]));
    let class = |name: &str| pod(part, "priorityClassName", name);
    vec![
        rule(&at("tolerations[]"), "name the key of a taint other than that of the control plane")
            .accepts(taint(json!({"key": "dedicated", "operator": "Exists"})))
            .accepts(taint(json!({"key": "node.kubernetes.io/unreachable", "operator": "Exists",
                "effect": "NoExecute", "tolerationSeconds": 30})))
            .refuses(taint(json!({"operator": "Exists"})))
            .refuses(taint(json!({"key": "", "operator": "Exists"})))
            .refuses(taint(json!({"key": "node-role.kubernetes.io/control-plane"})))
            .refuses(taint(json!({"key": "node-role.kubernetes.io/master"}))),
        rule(&at("priorityClassName"), "does not begin with system-")
            .accepts(class("important"))
            .refuses(class("system-cluster-critical"))
            .refuses(class("system-node-critical"))
            .refuses(class("Important")),
    ]
}

fn accounts(part: &str) -> Vec<Case> {
    let account = |account: Value| pod(part, "serviceAccount", account);
    let annotations = json!({"eks.amazonaws.com/role-arn": "arn"});
    let at = |below: &str| format!("spec.{part}.pod.{below}");
    let named = |name: &str| pod(part, "imagePullSecrets", json!([{"name": name}]));
    vec![
        rule(&at("serviceAccount"), "give either the name of an account that exists")
            .accepts(account(json!({"name": "web"})))
            .accepts(account(json!({"annotations": annotations})))
            .refuses(account(json!({})))
            .refuses(account(json!({"annotations": {}})))
            .refuses(account(json!({"name": "web", "annotations": annotations}))),
        rule(&at("serviceAccount.name"), "must be the name of an object")
            .accepts(account(json!({"name": "a.b-c"})))
            .refuses(account(json!({"name": "other/web"})))
            .refuses(account(json!({"name": "system:admin"}))),
        rule(&at("imagePullSecrets[].name"), "must be the name of an object")
            .accepts(named("mirror"))
            .refuses(named("other/mirror")),
    ]
}

fn volumes(part: &str) -> Vec<Case> {
    let at = |below: &str| format!("spec.{part}.pod.volumes[]{below}");
    let volume = |volume: Value| pod(part, "volumes", json!([volume]));
    let called = |name: &str| volume(json!({"name": name, "emptyDir": {}}));
    let projected =
        |source: Value| volume(json!({"name": "x", "projected": {"sources": [source]}}));
    let mut names = rule(&at(".name"), "none of the operator's own volumes").accepts(called("ca"));
    for name in ["data", "credentials", "tmp", "copy", "cache", "Ca", "a_b", "-a"] {
        names = names.refuses(called(name));
    }
    let mut kinds = rule(&at(""), "a volume is one of configMap, secret")
        .accepts(volume(json!({"name": "x", "csi": {"driver": "d"}})))
        .accepts(volume(json!({"name": "x", "persistentVolumeClaim": {"claimName": "c"}})))
        .refuses(volume(json!({"name": "x"})))
        .refuses(volume(json!({"name": "x", "emptyDir": {}, "configMap": {"name": "c"}})));
    for absent in ["hostPath", "nfs", "ephemeral", "image"] {
        kinds = kinds.refuses(volume(json!({"name": "x", absent: {"path": "/etc"}})));
    }
    let sources =
        rule(&at(".projected.sources[]"), "a token of a service account is not to be had")
            .accepts(projected(json!({"secret": {"name": "s"}})))
            .refuses(projected(json!({"serviceAccountToken": {"path": "token"}})))
            .refuses(projected(json!({"clusterTrustBundle": {"path": "ca"}})));
    vec![names, kinds, sources]
}

fn mounts(part: &str) -> Vec<Case> {
    let at = |below: &str| format!("spec.{part}.pod.volumeMounts[].{below}");
    let mount = |mount: Value| {
        pod(part, "volumes", json!([{"name": "x", "emptyDir": {}}]))
            .with(&format!("{part}.pod.volumeMounts"), json!([mount]))
    };
    let path = |path: &str| mount(json!({"name": "x", "mountPath": path}));
    let below = |path: &str| mount(json!({"name": "x", "mountPath": "/mnt", "subPath": path}));
    let mut paths = rule(&at("mountPath"), "must be an absolute path without '..'")
        .accepts(path("/etc/ssl/certs/extra.pem"))
        .accepts(path("/root/.aws"));
    for own in ["/convex", "/convex/data", "/convex/data/x", "/run/convex", "/run/credentials"] {
        paths = paths.refuses(path(own));
    }
    for odd in ["/", "etc", "/tmp", "/etc", "/mnt/../convex", "/mnt/", "//convex", "/./convex"] {
        paths = paths.refuses(path(odd));
    }
    for secret in ["/var/run/secrets/kubernetes.io/serviceaccount", "/proc/1", "/dev/sda"] {
        paths = paths.refuses(path(secret));
    }
    let mut within =
        rule(&at("subPath"), "must be a path within the volume").accepts(below("a/.b/c"));
    for out in ["../..", "a/../../b", "/etc", "a/", "..", "."] {
        within = within.refuses(below(out));
    }
    let taken = rule(&format!("spec.{part}.pod"), "every mount takes one of the volumes beside it")
        .accepts(path("/mnt"))
        .refuses(mount(json!({"name": "y", "mountPath": "/mnt"})))
        .refuses(pod(part, "volumeMounts", json!([{"name": "data", "mountPath": "/mnt"}])));
    vec![paths, within, taken]
}

fn budgets(part: &str) -> Vec<Case> {
    let field = format!("{part}.podDisruptionBudget");
    let budget = |budget: Value| Instance::dev("a").with(&field, budget);
    vec![
        rule(&format!("spec.{field}"), "give minAvailable or maxUnavailable")
            .accepts(budget(json!({"maxUnavailable": 0})))
            .accepts(budget(json!({"minAvailable": 1})))
            .refuses(budget(json!({})))
            .refuses(budget(json!({"minAvailable": 1, "maxUnavailable": 1}))),
    ]
}

fn sources() -> Vec<Case> {
    let at = |below: &str| format!("spec.backend.envFrom[]{below}");
    let source = |source: Value| Instance::dev("a").with("backend.envFrom", json!([source]));
    let config = json!({"name": "app"});
    let prefixed =
        |prefix: &str| source(json!({"prefix": prefix, "configMapRef": {"name": "app"}}));
    let named = |of: &str| {
        let with = |name: &str| source(json!({of: {"name": name}}));
        rule(&at(&format!(".{of}.name")), "must be the name of an object")
            .accepts(with("app"))
            .refuses(with("other/app"))
    };
    vec![
        rule(&at(""), "a source is either a configMapRef or a secretRef")
            .accepts(source(json!({"secretRef": config})))
            .refuses(source(json!({})))
            .refuses(source(json!({"secretRef": config, "configMapRef": config}))),
        rule(&at(".prefix"), "must be the name of an environment variable")
            .accepts(prefixed("APP_"))
            .refuses(prefixed("A="))
            .refuses(prefixed("1")),
        named("configMapRef"),
        named("secretRef"),
    ]
}

fn tuning() -> Vec<Case> {
    let retention =
        |time: &str| Instance::dev("a").with("backend.tuning", json!({"documentRetention": time}));
    let connections =
        |instance: Instance| instance.with("backend.tuning.maxDatabaseConnections", 50);
    vec![
        rule("spec.backend.tuning.documentRetention", "must be a length of time above zero")
            .accepts(retention("336h"))
            .refuses(retention("0s"))
            .refuses(retention("14d")),
        rule("spec.backend", "sqlite is in the backend's own process")
            .accepts(connections(Instance::postgres("a")))
            .refuses(connections(Instance::dev("a"))),
    ]
}

fn policies() -> Vec<Case> {
    let policy = |policy: Value| Instance::dev("a").with("networkPolicy", policy);
    let hosted = |policy: Value| {
        let networking = json!({"host": "api.example.com", "gatewayClassName": "any"});
        Instance::dev("a").with("networking", networking).with("networkPolicy", policy)
    };
    let gateways = json!([{"namespaceSelector": {"matchLabels": {"name": "gateways"}}}]);
    vec![
        rule("spec", "what serves spec.networking.host runs in some namespace")
            .accepts(hosted(json!({"enabled": true, "from": gateways})))
            .accepts(hosted(json!({"enabled": true, "from": []})))
            .accepts(hosted(json!({"enabled": false})))
            .accepts(policy(json!({"enabled": true})))
            .refuses(hosted(json!({"enabled": true}))),
        rule("spec.networkPolicy.from[]", "a peer without podSelector")
            .accepts(policy(json!({"from": [{"podSelector": {}}]})))
            .refuses(policy(json!({"from": [{}]}))),
    ]
}
