//! An Ingress of its own, for clusters without the Gateway API. It knows hosts and no rewriting of paths.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule,
    IngressServiceBackend, IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::{
    Inputs,
    backend::{API_PORT, SITE_PORT},
    dashboard,
    host::Purpose,
    labels::{self, Part},
};
use crate::api::Ingress as Wanted;

/// The Ingress with a rule for every host.
#[must_use]
pub fn ingress(inputs: &Inputs<'_>, wanted: &Wanted, hosts: &[(Purpose, String)]) -> Ingress {
    let names = hosts.iter().map(|(_, host)| host.clone()).collect();
    let tls = inputs.instance.spec.networking.tls_secret_ref.clone();
    let mut metadata = labels::owned(inputs.instance, Part::Backend, inputs.names.way_in());
    metadata.annotations = Some(wanted.annotations.clone());
    Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            rules: Some(hosts.iter().map(|(purpose, host)| rule(inputs, *purpose, host)).collect()),
            tls: tls
                .map(|secret| vec![IngressTLS { hosts: Some(names), secret_name: Some(secret) }]),
            ..IngressSpec::default()
        }),
        status: None,
    }
}

fn rule(inputs: &Inputs<'_>, purpose: Purpose, host: &str) -> IngressRule {
    let (service, port) = match purpose {
        Purpose::Api => (inputs.names.backend_service(), API_PORT),
        Purpose::Site => (inputs.names.backend_service(), SITE_PORT),
        Purpose::Dashboard => (inputs.names.dashboard(), dashboard::PORT),
    };
    let service = IngressServiceBackend {
        name: service,
        port: Some(ServiceBackendPort { number: Some(port), name: None }),
    };
    let path = HTTPIngressPath {
        path: Some("/".to_owned()),
        path_type: "Prefix".to_owned(),
        backend: IngressBackend { service: Some(service), resource: None },
    };
    IngressRule {
        host: Some(host.to_owned()),
        http: Some(HTTPIngressRuleValue { paths: vec![path] }),
    }
}

#[cfg(test)]
mod tests;
