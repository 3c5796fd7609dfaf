//! The Services of an instance. The backend's is what lets traffic in.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{
    Inputs,
    backend::{API_PORT, SITE_PORT},
    dashboard,
    labels::{self, Part},
};

/// Whether the backend's Service leads to the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// It does.
    Flows,
    /// It leads nowhere, and keeps its address.
    Held,
}

/// The Service of the backend.
#[must_use]
pub fn backend(inputs: &Inputs<'_>, traffic: Traffic) -> Service {
    let mut selector = labels::selector(inputs.instance, Part::Backend);
    let open = if traffic == Traffic::Flows { "flows" } else { "held" };
    // Pods carry "flows" from their birth; "held" is carried by none.
    selector.insert(labels::TRAFFIC.to_owned(), open.to_owned());
    Service {
        metadata: labels::owned(inputs.instance, Part::Backend, inputs.names.backend_service()),
        spec: Some(ServiceSpec {
            selector: Some(selector),
            ports: Some(vec![port("api", API_PORT), port("site", SITE_PORT)]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// Whether a Service leads to a backend.
#[must_use]
pub fn flows(service: &Service) -> bool {
    let selector = service.spec.as_ref().and_then(|it| it.selector.as_ref());
    selector.and_then(|it| it.get(labels::TRAFFIC)).is_some_and(|it| it == "flows")
}

/// The Service of the dashboard.
#[must_use]
pub fn dashboard(inputs: &Inputs<'_>) -> Service {
    let wanted = &inputs.instance.spec.dashboard.service;
    let mut metadata = labels::owned(inputs.instance, Part::Dashboard, inputs.names.dashboard());
    metadata.annotations = Some(wanted.annotations.clone()).filter(|it| !it.is_empty());
    let balanced = wanted.load_balancer_class.is_some();
    Service {
        metadata,
        spec: Some(ServiceSpec {
            // Said in any case, so that it goes back with what asked for it.
            type_: Some(if balanced { "LoadBalancer" } else { "ClusterIP" }.to_owned()),
            load_balancer_class: wanted.load_balancer_class.clone(),
            selector: Some(labels::selector(inputs.instance, Part::Dashboard)),
            ports: Some(vec![port("http", dashboard::PORT)]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn port(name: &str, number: i32) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: number,
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String(name.to_owned())),
        ..ServicePort::default()
    }
}
