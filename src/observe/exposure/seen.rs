//! What is seen of Gateways and their classes, which is not everything everywhere: an operator of one namespace sees the
//! Gateways of that one, and no classes where its role does not let it.

use gateway_api::{gatewayclasses::GatewayClass, gateways::Gateway};
use kube::ResourceExt;

use crate::context::{GatewayApi, Presence};

/// The Gateways and their classes, as far as they may be seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Every Gateway that may be seen.
    pub(super) gateways: Vec<Gateway>,
    /// Every class; none where they may not be looked at.
    pub(super) classes: Option<Vec<GatewayClass>>,
    /// Where Gateways may be looked for.
    pub(super) within: Within,
}

/// Where Gateways may be looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Within {
    /// In every namespace.
    #[default]
    Everywhere,
    /// In this one.
    Namespace(String),
    /// In none.
    Nowhere,
}

/// A parent that is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    /// It is there.
    There(&'a Gateway),
    /// It is not there.
    Missing,
    /// It may not be looked for.
    Hidden,
}

impl Seen {
    /// What the watches have brought.
    pub(super) fn of(api: &GatewayApi) -> Self {
        let watched = |presence| presence == Presence::Watched;
        let within = match &api.namespace {
            _ if !watched(api.gateways.served.presence()) => Within::Nowhere,
            Some(namespace) => Within::Namespace(namespace.clone()),
            None => Within::Everywhere,
        };
        let classes = watched(api.classes.served.presence()).then(|| api.classes.readable());
        Self { gateways: api.gateways.readable(), classes, within }
    }

    /// The Gateway of this namespace and name.
    pub(super) fn gateway(&self, namespace: &str, name: &str) -> Found<'_> {
        let named =
            |it: &&Gateway| it.name_any() == name && it.namespace().as_deref() == Some(namespace);
        match self.gateways.iter().find(named) {
            Some(found) => Found::There(found),
            None if self.may_look(namespace) => Found::Missing,
            None => Found::Hidden,
        }
    }

    fn may_look(&self, namespace: &str) -> bool {
        match &self.within {
            Within::Everywhere => true,
            Within::Namespace(only) => only == namespace,
            Within::Nowhere => false,
        }
    }

    /// The class of this name.
    pub(super) fn class(&self, name: &str) -> Option<&GatewayClass> {
        self.classes.iter().flatten().find(|it| it.name_any() == name)
    }

    /// Whether it is known that there is no class of this name.
    pub(super) fn lacks_class(&self, name: &str) -> bool {
        self.classes.is_some() && self.class(name).is_none()
    }

    /// Who serves the class of a Gateway; none where that cannot be seen.
    pub(super) fn controller(&self, namespace: &str, gateway: &str) -> Option<&str> {
        let Found::There(gateway) = self.gateway(namespace, gateway) else { return None };
        self.class(&gateway.spec.gateway_class_name).map(|it| it.spec.controller_name.as_str())
    }
}

/// Whether a class says that routes may use this.
pub(super) fn lists(class: &GatewayClass, feature: &str) -> bool {
    let features = class.status.as_ref().and_then(|it| it.supported_features.as_ref());
    features.is_some_and(|all| all.iter().any(|it| it.name == feature))
}
