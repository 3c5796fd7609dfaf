//! The table itself.

use super::Scope::{Cluster, Own, Watched};
use super::Verb::{Create, Delete, Get, List, Patch, Update, Watch};
use super::{Rule, Verb};

const READ: &[Verb] = &[Get, List, Watch];
const OWN_CHILDREN: &[Verb] = &[Get, List, Watch, Create, Patch, Delete];

/// Every permission that the operator has.
pub const RULES: &[Rule] = &[
    Rule {
        scope: Watched,
        group: "convex.icod.de",
        resources: &["convexinstances"],
        names: &[],
        verbs: &[Get, List, Watch, Patch],
        reason: "What users ask for. Written to only to add and remove the operator's own finalizer.",
    },
    Rule {
        scope: Watched,
        group: "convex.icod.de",
        resources: &["convexinstances/status"],
        names: &[],
        verbs: &[Update, Patch],
        reason: "Where the operator keeps the phase and reports what it sees.",
    },
    Rule {
        scope: Watched,
        group: "",
        resources: &["secrets"],
        names: &[],
        verbs: &[Get, Create, Patch, Delete],
        reason: "The keys of an instance are created once, what its backend reads of servers is kept up to \
                 date, and Secrets that a spec names are read by name. No list and no watch: a stolen token \
                 cannot look around.",
    },
    Rule {
        scope: Watched,
        group: "",
        resources: &["configmaps", "services", "persistentvolumeclaims"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "The record of the gate, the addresses and the storage of an instance.",
    },
    Rule {
        scope: Watched,
        group: "apps",
        resources: &["statefulsets", "deployments"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "The one backend and the dashboard of an instance.",
    },
    Rule {
        scope: Watched,
        group: "networking.k8s.io",
        resources: &["ingresses"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "The way to the hosts of an instance, where its spec asks for an Ingress.",
    },
    Rule {
        scope: Watched,
        group: "networking.k8s.io",
        resources: &["networkpolicies"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "Who may open connections to the pods of an instance, where its spec says so.",
    },
    Rule {
        scope: Watched,
        group: "policy",
        resources: &["poddisruptionbudgets"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "How many pods of an instance a drain of nodes leaves, where its spec says so.",
    },
    Rule {
        scope: Watched,
        group: "",
        resources: &["serviceaccounts"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "As whom a cloud knows the pods of an instance: an account without any role and without a token is \
                 made where its spec gives annotations for one, and one that it names is looked up.",
    },
    Rule {
        scope: Cluster,
        group: "scheduling.k8s.io",
        resources: &["priorityclasses"],
        names: &[],
        verbs: &[Get],
        reason: "A pod of a class that does not exist is not made, so a class that a spec names is looked up first.",
    },
    Rule {
        scope: Watched,
        group: "gateway.networking.k8s.io",
        resources: &["httproutes", "gateways"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "The routes to the hosts of an instance, and a Gateway of its own where its spec asks for one. \
                 Gateways of others are read, for a route to one that does not exist is told by nobody.",
    },
    Rule {
        scope: Watched,
        group: "gateway.nginx.org",
        resources: &["clientsettingspolicies"],
        names: &[],
        verbs: OWN_CHILDREN,
        reason: "NGINX Gateway Fabric refuses bodies of more than 1 MiB, which a policy next to the route lifts.",
    },
    Rule {
        scope: Cluster,
        group: "gateway.networking.k8s.io",
        resources: &["gatewayclasses"],
        names: &[],
        verbs: READ,
        reason: "Who serves a Gateway, and what he can do, is said by its class.",
    },
    Rule {
        scope: Watched,
        group: "batch",
        resources: &["jobs"],
        names: &[],
        verbs: &[Get, List, Watch, Create, Delete],
        reason: "What carries data for an upgrade: the proof of an image, exports, cold copies, imports.",
    },
    Rule {
        scope: Watched,
        group: "",
        resources: &["pods"],
        names: &[],
        verbs: READ,
        reason: "Why a backend is not ready is said by its Pod: the image, the crash, the missing node. \
                 The operator asks a backend at the address of its Pod.",
    },
    Rule {
        scope: Watched,
        group: "",
        resources: &["pods/log"],
        names: &[],
        verbs: &[Get],
        reason: "A backend serves before its migrations are finished, and only its log says when they \
                 are. It is read while an upgrade waits for that.",
    },
    Rule {
        scope: Watched,
        group: "events.k8s.io",
        resources: &["events"],
        names: &[],
        verbs: &[Create, Patch],
        reason: "One event for each transition, and one when something begins to block. A repeated event \
                 is counted up in place.",
    },
    Rule {
        scope: Cluster,
        group: "storage.k8s.io",
        resources: &["storageclasses"],
        names: &[],
        verbs: &[List],
        reason: "A claim that stays pending is explained by the classes that there are.",
    },
    Rule {
        scope: Own,
        group: "coordination.k8s.io",
        resources: &["leases"],
        names: &[],
        verbs: &[Create],
        reason: "The lease that makes one of several operators the active one is created at the first \
                 start. A name cannot be asked for when creating.",
    },
    Rule {
        scope: Own,
        group: "coordination.k8s.io",
        resources: &["leases"],
        names: &["convex-operator"],
        verbs: &[Get, Patch],
        reason: "The lease is renewed by its holder and taken over when it has run out.",
    },
];
