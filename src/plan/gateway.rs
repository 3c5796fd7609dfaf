//! A Gateway of its own: two listeners for every host, where there is TLS, and one where there is none.

use gateway_api::gateways::{
    Gateway, GatewayListeners, GatewayListenersTls, GatewayListenersTlsCertificateRefs,
    GatewayListenersTlsMode, GatewaySpec,
};

use super::{
    Inputs,
    host::Purpose,
    labels::{self, Part},
};

/// The Gateway of this class. A TLS Secret that is not there yet may be about to be made because of it, as cert-manager does.
#[must_use]
pub fn gateway(inputs: &Inputs<'_>, class: &str, hosts: &[(Purpose, String)]) -> Gateway {
    let networking = &inputs.instance.spec.networking;
    let tls = networking.tls_secret_ref.as_deref();
    let listeners = hosts.iter().flat_map(|(purpose, host)| {
        let secure = tls.map(|secret| secure(*purpose, host, secret));
        [plain(*purpose, host)].into_iter().chain(secure)
    });
    let mut metadata = labels::owned(inputs.instance, Part::Backend, inputs.names.way_in());
    metadata.annotations = Some(networking.gateway_annotations.clone());
    Gateway {
        metadata,
        spec: GatewaySpec {
            gateway_class_name: class.to_owned(),
            listeners: listeners.collect(),
            ..GatewaySpec::default()
        },
        status: None,
    }
}

fn plain(purpose: Purpose, host: &str) -> GatewayListeners {
    GatewayListeners {
        name: section(purpose, false),
        hostname: Some(host.to_owned()),
        port: 80,
        protocol: "HTTP".to_owned(),
        ..GatewayListeners::default()
    }
}

fn secure(purpose: Purpose, host: &str, secret: &str) -> GatewayListeners {
    let certificate =
        GatewayListenersTlsCertificateRefs { name: secret.to_owned(), ..Default::default() };
    GatewayListeners {
        name: section(purpose, true),
        port: 443,
        protocol: "HTTPS".to_owned(),
        tls: Some(GatewayListenersTls {
            mode: Some(GatewayListenersTlsMode::Terminate),
            certificate_refs: Some(vec![certificate]),
            ..GatewayListenersTls::default()
        }),
        ..plain(purpose, host)
    }
}

/// What the listener of a host is called.
#[must_use]
pub fn section(purpose: Purpose, tls: bool) -> String {
    format!("{}-{}", purpose.word(), if tls { "https" } else { "http" })
}

#[cfg(test)]
mod tests;
