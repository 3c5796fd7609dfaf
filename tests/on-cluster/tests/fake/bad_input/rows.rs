//! The rows: a field of the spec, what it is spoilt with, and what has to become of that.

mod servers;

use serde_json::{Value, json};

/// What has to become of a row.
pub enum Verdict {
    /// The API server refuses it with these words, and with no others.
    Refused(&'static str),
    /// The API server refuses it of an instance that is there without it, with these words and with no others.
    Kept(&'static str),
    /// This field does not exist: the API server refuses it where the client asks for that, as kubectl does.
    Unknown(&'static str),
    /// It is taken, and the operator waits with this reason and these words, and makes no backend.
    Told(&'static str, &'static str),
    /// It is taken and the backend made, but nobody gets in from outside: the condition `Exposed` has this reason and these words.
    Unexposed(&'static str, &'static str),
    /// It looks bad and is none: the operator begins with it.
    Taken,
}
use Verdict::{Kept, Refused, Taken, Unexposed, Unknown};

/// The host of an instance that is older than every row.
pub const HELD: &str = "held.example.com";

pub type Row = (&'static str, Value, Verdict);

pub fn all() -> Vec<Row> {
    let parts = [
        names(),
        images(),
        environment(),
        pods(),
        rights(),
        absent(),
        servers::database(),
        servers::storage(),
    ];
    parts.into_iter().chain([hosts(), volumes(), pinned()]).flatten().collect()
}

fn long(count: usize) -> String {
    "a".repeat(count)
}

fn names() -> Vec<Row> {
    let refused = || Refused("metadata.name must be at most 52 characters");
    [long(53), long(63), long(64), long(253), "a.b".to_owned(), "1st".to_owned(), "42".to_owned()]
        .into_iter()
        .map(|it| ("metadata.name", json!(it), refused()))
        .collect()
}

fn images() -> Vec<Row> {
    let tags = ["v1; rm -rf /", "$(id)", "`id`", "a\nb", "a\0b"];
    let mut rows: Vec<Row> =
        tags.map(|it| ("version", json!(it), Refused("must be an image tag"))).into();
    rows.push(("version", json!(long(10_000)), Refused("may not be more than")));
    let both = format!("evil/x:v1@sha256:{}", "0".repeat(64));
    for image in ["user:pw@evil/x", "user:pw@evil/x:v1", "evil/x@sha256:short", "evil/x", &both] {
        for field in ["backend.image", "dashboard.image"] {
            let words = "and not both, without credentials";
            rows.push((field, json!(image), Refused(words)));
        }
    }
    rows
}

fn environment() -> Vec<Row> {
    let named = |name: &str| json!([{"name": name, "value": "1"}]);
    let many: Value =
        (0..5_000).map(|at| json!({"name": format!("V{at}"), "value": "1"})).collect();
    // 1.4 MB.
    let huge: Value =
        (0..100).map(|at| json!({"name": format!("V{at}"), "value": long(14_000)})).collect();
    let twice = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let mut rows = vec![
        ("backend.env", twice, Refused("Duplicate value")),
        ("backend.env", many, Refused("Too many: 5000")),
        ("backend.env", huge, Refused("may not be more than 4096")),
    ];
    for name in ["INSTANCE_SECRET", "POSTGRES_URL", "LD_PRELOAD", "PATH", "SHELLOPTS"] {
        let words = "is set by the operator or by the image";
        rows.push(("backend.env", named(name), Refused(words)));
    }
    for value in ["$(INSTANCE_SECRET)", "https://logs.example.com/?key=$(POSTGRES_URL)"] {
        let says = json!([{"name": "URL", "value": value}]);
        let words = "may not refer to another variable with $(NAME)";
        rows.push(("backend.env", says, Refused(words)));
    }
    for name in ["A=B", "A\nPATH", "1ST"] {
        let words = "must be the name of an environment variable";
        rows.push(("backend.env", named(name), Refused(words)));
    }
    rows
}

fn pods() -> Vec<Row> {
    let volume = |mut source: Value| {
        source["name"] = "extra".into();
        json!([source])
    };
    // The volume is in order, so that only the mount is not.
    let mounted = |path: &str| {
        let mount = json!([{"name": "extra", "mountPath": "/extra", "subPath": path}]);
        json!({"volumes": volume(json!({"emptyDir": {}})), "volumeMounts": mount})
    };
    let token = json!({"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}});
    let annotated = json!({"convex.icod.de/paused": "x"});
    let control_plane = json!([{"key": "node-role.kubernetes.io/control-plane"}]);
    let within = || Refused("must be a path within the volume");
    let choose = || Refused("choose another key");
    vec![
        ("backend.pod.labels", json!({"a": long(64)}), Refused("may not be more than 63")),
        ("backend.pod.labels", json!({"a": "b c"}), Refused("the value of a label is letters")),
        ("backend.pod.labels", json!({"app.kubernetes.io/name": "x"}), choose()),
        ("backend.pod.annotations", annotated, choose()),
        ("backend.pod.volumes", volume(token), Refused("a token of a service account")),
        (
            "backend.pod.volumes",
            volume(json!({"hostPath": {"path": "/"}})),
            Refused("a path of a node (hostPath) is not to be had"),
        ),
        ("backend.pod", mounted("../.."), within()),
        ("backend.pod", mounted("/etc"), within()),
        (
            "backend.pod.priorityClassName",
            json!("system-cluster-critical"),
            Refused("does not begin with system-"),
        ),
        ("backend.pod.tolerations", control_plane, Refused("other than that of the control plane")),
        (
            "backend.pod.tolerations",
            json!([{"operator": "Exists"}]),
            Refused("without a key all taints are put up with"),
        ),
    ]
}

fn rights() -> Vec<Row> {
    let parts = [
        ("backend.security.pod", "backend.security.container"),
        ("dashboard.security.pod", "dashboard.security.container"),
    ];
    let mut rows: Vec<Row> = Vec::new();
    for (pod, container) in parts {
        for powerful in [
            json!({"privileged": true}),
            json!({"allowPrivilegeEscalation": true}),
            json!({"procMount": "Unmasked"}),
            json!({"capabilities": {"add": ["SYS_ADMIN"]}}),
            json!({"capabilities": {"drop": []}}),
        ] {
            let words = "remove privileged, allowPrivilegeEscalation, procMount and capabilities";
            rows.push((container, powerful, Refused(words)));
        }
        for over in [pod, container] {
            rows.push((over, json!({"runAsUser": 0}), Refused("user 0 is root")));
            rows.push((over, json!({"runAsNonRoot": false}), Refused("user 0 is root")));
            let loose = json!({"seccompProfile": {"type": "Unconfined"}});
            rows.push((over, loose, Refused("stay confined")));
        }
    }
    let profile = json!({"profile": "Privileged"});
    rows.push(("backend.security", profile, Refused("supported values: \"Restricted\"")));
    rows
}

/// What no pod can be given, for there is no field for it.
fn absent() -> Vec<Row> {
    let container = json!([{"name": "x", "image": "x:v1"}]);
    [
        ("backend.pod.hostNetwork", json!(true)),
        ("backend.pod.hostPID", json!(true)),
        ("backend.pod.hostIPC", json!(true)),
        ("backend.pod.nodeName", json!("node-1")),
        ("backend.pod.serviceAccountName", json!("cluster-admin-sa")),
        ("backend.pod.automountServiceAccountToken", json!(true)),
        ("backend.pod.initContainers", container.clone()),
        ("backend.pod.containers", container.clone()),
        ("backend.pod.ephemeralContainers", container.clone()),
        ("backend.sidecars", container),
        ("backend.podTemplate", json!({"spec": {"hostNetwork": true}})),
        ("backend.db.secretNamespace", json!("other")),
        ("backend.s3.secretNamespace", json!("other")),
    ]
    .map(|(path, value)| (path, value, Unknown(path)))
    .into()
}

fn hosts() -> Vec<Row> {
    let host = |host: &str| json!({"host": host, "ingress": {}});
    let mut rows: Vec<Row> = ["*", "*.example.com", "API.example.com", "10.0.0.1", "localhost"]
        .into_iter()
        .chain(["kubernetes.default.svc", "cluster.local", "a.example.com/x", "a.example.com."])
        .map(|it| ("networking", host(it), Refused("must be a host name")))
        .collect();
    let longest = format!("{}.example", long(250));
    rows.push(("networking", host(&longest), Refused("may not be more than 253")));
    let label = format!("{}.example", long(64));
    rows.push(("networking", host(&label), Refused("must be a host name")));
    rows.push(("networking", host("xn--bcher-kva.example"), Taken));
    let elsewhere = json!({"host": "a.example.com", "parentRefs": [{"name": "a/b"}]});
    rows.push(("networking", elsewhere, Refused("must be the name of an object")));
    let conflict = "ConvexInstance \"holder\", which keeps it";
    rows.push(("networking", host(HELD), Unexposed("HostConflict", conflict)));
    // This cluster has no Gateway API.
    let shared = json!({"host": "b.example.com", "parentRefs": [{"name": "public"}]});
    let remedy = "install the standard channel of the Gateway API";
    rows.push(("networking", shared, Unexposed("GatewayAPINotInstalled", remedy)));
    rows
}

fn volumes() -> Vec<Row> {
    ["0", "-1Gi", "1e30", "1Ei", "ten"]
        .map(|it| ("backend.storage.pvc.size", json!(it), Refused("must be a quantity")))
        .into()
}

/// Where the data is, and what it belongs to.
fn pinned() -> Vec<Row> {
    let mysql = json!({"engine": "mysql", "secretRef": "good-database", "urlKey": "uri"});
    vec![
        ("backend.storage.pvc.size", json!("5Gi"), Kept("a volume can grow and not shrink")),
        (
            "backend.storage.pvc.storageClassName",
            json!("fast"),
            Kept("a claim cannot change its storage class"),
        ),
        (
            "backend.storage.pvc.existingClaim",
            json!("another"),
            Kept("existingClaim says where the data is and cannot change"),
        ),
        ("backend.instance.name", json!("another"), Kept("spec.backend.instance.name is part of")),
        ("backend.db", mysql, Kept("the engine holds the data and cannot change")),
    ]
}
