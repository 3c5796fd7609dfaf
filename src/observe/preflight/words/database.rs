//! What is amiss with a database, and what to do about it.

use kube::ResourceExt;

use super::About;
use crate::{
    api::Engine,
    plan::names::Names,
    worker::preflight::reason::{Reason, Why},
};

impl About<'_> {
    /// Where the URL is.
    fn url(&self) -> String {
        let db = &self.instance.spec.backend.db;
        let (secret, key) = (db.secret_ref.as_deref(), db.url_key.as_deref());
        format!(
            "the URL in Secret \"{}\", key \"{}\"",
            secret.unwrap_or_default(),
            key.unwrap_or_default()
        )
    }

    fn is_postgres(&self) -> bool {
        self.instance.spec.backend.db.engine == Engine::Postgres
    }

    pub(super) fn database(&self, reason: Reason, why: Option<Why>, code: &str) -> String {
        let (url, name) = (self.url(), &self.database);
        match reason {
            Reason::DatabaseUnresolvable => format!(
                "the host of {url} is not known to the cluster's DNS: correct it there. A Service of another namespace is called NAME.NAMESPACE.svc"
            ),
            Reason::DatabaseUnreachable => self.unreachable(why, code),
            Reason::DatabaseCertificateInvalid => self.certificate(why),
            Reason::DatabaseEncryptionRefused => format!(
                "the server of {url} offers no encryption: switch it on there, or set spec.backend.db.requireSSL: false where the network is to be trusted"
            ),
            Reason::DatabaseLoginFailed if why == Some(Why::Rules) => format!(
                "the server refuses this user, or its address, or a connection that is not encrypted{code}: allow the user of {url} in its rules (pg_hba.conf), and leave spec.backend.db.requireSSL at true where it wants encryption"
            ),
            Reason::DatabaseLoginFailed => format!(
                "the server refuses user or password of {url}{code}: correct them there. The Secret is read again within 30 s, and the pod made anew"
            ),
            Reason::DatabaseMissing => self.missing(why, code),
            Reason::DatabaseEmpty => format!(
                "database \"{name}\" on the server of {url} is empty, and users were let in before{}: it would be served as if there had never been any data. Lead to the server that has it, or restore it from a backup. {}",
                self.earlier(),
                self.anew()
            ),
            Reason::DatabasePermissionDenied => self.denied(why, code),
            Reason::DatabaseReadOnly if why == Some(Why::Fenced) => format!(
                "table read_only of database \"{name}\" has a row, which keeps every backend from starting: somebody has fenced it off, as for a move. Delete the row once it is this instance's turn"
            ),
            Reason::DatabaseReadOnly => format!(
                "the server of {url} takes no writes{code}: it is a standby, or was made read-only. Name the primary; CloudNativePG's Service for it ends in -rw"
            ),
            Reason::DatabaseUnsupported if why == Some(Why::MariaDb) => "the server is MariaDB, which lacks the collation of the backend's tables (utf8mb4_0900_bin): use MySQL 8, or create the instance anew with engine postgres".to_owned(),
            Reason::DatabaseUnsupported => "the server is too old for the backend: use MySQL 8.0.17 or later".to_owned(),
            Reason::DatabaseConnectionsExhausted => format!(
                "the server takes no further connection{code}: raise max_connections, or end some of its clients"
            ),
            _ if why == Some(Why::Rules) => {
                format!("{url} is not taken by the driver: correct it there")
            }
            _ => format!(
                "the database refused the preflight{code}: the log of container gate and of the server say more"
            ),
        }
    }

    fn unreachable(&self, why: Option<Why>, code: &str) -> String {
        let url = self.url();
        match why {
            Some(Why::Refused) => format!(
                "nobody listens at host and port of {url}: start the server, or correct the URL"
            ),
            Some(Why::TimedOut) => format!(
                "the server of {url} does not answer in time: it may be down, or a NetworkPolicy or a firewall may keep this namespace from it"
            ),
            Some(Why::Starting) => format!("the server of {url} is starting or stopping{code}"),
            _ => format!(
                "what listens at host and port of {url} ends the connection: it may be no {} server, or one that is being started",
                if self.is_postgres() { "PostgreSQL" } else { "MySQL" }
            ),
        }
    }

    fn certificate(&self, why: Option<Why>) -> String {
        let db = &self.instance.spec.backend.db;
        let url = self.url();
        let authority = db.ca_secret_ref.as_ref().map(|secret| {
            format!("Secret \"{secret}\", key \"{}\"", db.ca_key.as_deref().unwrap_or("ca.crt"))
        });
        match (why, authority) {
            (Some(Why::Host), _) => format!(
                "the certificate of the server does not name the host of {url}: name the server there as its certificate does, or have one issued for this host"
            ),
            (Some(Why::Expired), _) => format!(
                "the certificate of the server of {url} is expired or not valid yet: renew it, and look at the clocks"
            ),
            (Some(Why::Authorities), Some(authority)) => {
                format!(
                    "the certificate authorities in {authority} cannot be read: put them there as PEM"
                )
            }
            (_, Some(authority)) => format!(
                "the certificate of the server of {url} is signed by none of the authorities in {authority}: put that of the server there"
            ),
            (_, None) => format!(
                "the certificate of the server of {url} is signed by an authority that nobody knows: put the authority into a Secret and name that in spec.backend.db.caSecretRef (for CloudNativePG <cluster>-ca)"
            ),
        }
    }

    /// With the statement to be run.
    fn missing(&self, why: Option<Why>, code: &str) -> String {
        let name = &self.database;
        if self.served || why == Some(Why::Served) {
            return format!(
                "database \"{name}\", which users were let in to before{}, is not on the server of {}: lead back to the server that has it, or restore it from a backup. None is made in its place. {}",
                self.earlier(),
                self.url(),
                self.anew()
            );
        }
        let sql = if self.is_postgres() {
            format!("CREATE DATABASE \"{name}\" OWNER \"USER-OF-THE-URL\";")
        } else {
            format!("CREATE DATABASE `{name}`; GRANT ALL ON `{name}`.* TO 'USER-OF-THE-URL'@'%';")
        };
        if why == Some(Why::Create) {
            return format!(
                "database \"{name}\" is not on the server, and the user of {} may not make it{code}: have an administrator of the server run {sql}",
                self.url()
            );
        }
        format!(
            "database \"{name}\" is not on the server of {}, and a backend of this instance name opens no other: run {sql} or set spec.backend.db.createDatabase: IfMissing",
            self.url()
        )
    }

    fn instance_secret(&self) -> String {
        let of_the_spec = self.instance.spec.backend.instance.secret_ref.clone();
        of_the_spec.unwrap_or_else(|| Names::of(&self.instance.name_any()).instance_secret())
    }

    /// Who says so, where it was not this instance.
    fn earlier(&self) -> String {
        if self.served {
            String::new()
        } else {
            format!(", as Secret \"{}\" says", self.instance_secret())
        }
    }

    /// The way to an empty one: what remembers that there was another one is left behind. An earlier instance may have left its Secret
    /// and never any data.
    fn anew(&self) -> String {
        format!(
            "To begin anew, create an instance of another name; where there never was any data, delete this one and Secret \"{}\", and create it again",
            self.instance_secret()
        )
    }

    fn denied(&self, why: Option<Why>, code: &str) -> String {
        let (name, url) = (&self.database, self.url());
        match (why, self.is_postgres()) {
            (Some(Why::Tables), true) => format!(
                "the user of {url} may make no tables in database \"{name}\": run there GRANT CREATE ON SCHEMA public TO \"USER-OF-THE-URL\"; or make the user owner of the database"
            ),
            (Some(Why::Schema), true) => format!(
                "database \"{name}\" has no schema for the user of {url}: its search_path leads nowhere. Run there CREATE SCHEMA public AUTHORIZATION \"USER-OF-THE-URL\";"
            ),
            (_, true) => format!(
                "the user of {url} is refused by database \"{name}\"{code}: run GRANT ALL ON DATABASE \"{name}\" TO \"USER-OF-THE-URL\"; or make the user its owner"
            ),
            (_, false) => format!(
                "the user of {url} is refused by database \"{name}\"{code}: run GRANT ALL ON `{name}`.* TO 'USER-OF-THE-URL'@'%';"
            ),
        }
    }
}
