//! By which scheme clients come to each host.

use crate::{
    api::{ConvexInstance, Mode},
    plan::{
        host::{self, Purpose, Schemes},
        route::Way,
    },
};

/// As the spec says it, or as the listeners that let a host in say it. Where not all of them can be seen now, it is what was
/// last told, so that a Gateway that is away for a moment restarts no backend; else the safe one.
pub(super) fn of(instance: &ConvexInstance, ways: &[(Purpose, String, Way)]) -> Schemes {
    let networking = &instance.spec.networking;
    if networking.way_in() != Mode::Shared {
        return Schemes::all(networking.tls_secret_ref.is_some());
    }
    let secure = |purpose| {
        let way = ways.iter().find(|(of, ..)| *of == purpose).map(|(.., way)| way);
        let seen = way.filter(|it| it.complete).map(Way::is_secure);
        let partly = || way.filter(|it| !it.listeners.is_empty()).map(Way::is_secure);
        seen.or_else(|| last(instance, purpose)).or_else(partly).unwrap_or(true)
    };
    Schemes {
        api: secure(Purpose::Api),
        site: secure(Purpose::Site),
        dashboard: secure(Purpose::Dashboard),
    }
}

/// Whether clients of this host came by HTTPS when that was last told; none where it never was.
pub(super) fn last(instance: &ConvexInstance, purpose: Purpose) -> Option<bool> {
    let host = host::of(&instance.spec.networking, purpose)?;
    let told = instance.status.as_ref()?.endpoints.as_ref()?;
    let url = match purpose {
        Purpose::Api => told.api_url.as_deref(),
        Purpose::Site => told.site_url.as_deref(),
        Purpose::Dashboard => told.dashboard_url.as_deref(),
    };
    let (scheme, of) = url?.split_once("://")?;
    (of == host).then_some(scheme == "https")
}

#[cfg(test)]
mod tests;
