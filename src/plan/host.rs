//! The hosts of an instance, and what each is for.

use crate::api::Networking;

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The API.
    Api,
    /// HTTP actions.
    Site,
    /// The dashboard.
    Dashboard,
}

impl Purpose {
    /// What its objects and listeners are called by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Site => "site",
            Self::Dashboard => "dashboard",
        }
    }
}

/// The hosts that the spec names. A dashboard that is off has none.
pub fn hosts(networking: &Networking, dashboard: bool) -> impl Iterator<Item = (Purpose, &str)> {
    let Networking { host, site_host, dashboard_host, .. } = networking;
    let named = [
        (Purpose::Api, host),
        (Purpose::Site, site_host),
        (Purpose::Dashboard, if dashboard { dashboard_host } else { &None }),
    ];
    named.into_iter().filter_map(|(purpose, host)| Some((purpose, host.as_deref()?)))
}

/// The host of a purpose, where the spec names one.
#[must_use]
pub fn of(networking: &Networking, purpose: Purpose) -> Option<&str> {
    match purpose {
        Purpose::Api => networking.host.as_deref(),
        Purpose::Site => networking.site_host.as_deref(),
        Purpose::Dashboard => networking.dashboard_host.as_deref(),
    }
}

/// Whether clients come by HTTPS, for each host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schemes {
    /// To the API.
    pub api: bool,
    /// To HTTP actions.
    pub site: bool,
    /// To the dashboard.
    pub dashboard: bool,
}

impl Schemes {
    /// The same for all hosts.
    #[must_use]
    pub const fn all(secure: bool) -> Self {
        Self { api: secure, site: secure, dashboard: secure }
    }

    /// The base URL of the host of a purpose, where the spec names one.
    #[must_use]
    pub fn url(self, networking: &Networking, purpose: Purpose) -> Option<String> {
        let secure = match purpose {
            Purpose::Api => self.api,
            Purpose::Site => self.site,
            Purpose::Dashboard => self.dashboard,
        };
        let scheme = if secure { "https" } else { "http" };
        of(networking, purpose).map(|host| format!("{scheme}://{host}"))
    }
}
