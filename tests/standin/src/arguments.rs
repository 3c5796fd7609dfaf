//! The command line of `convex-local-backend`, as far as it is documented.

use std::{net::Ipv4Addr, path::PathBuf};

use clap::{Parser, builder::BoolishValueParser};

/// The backend's options. The secret is among them: anyone who may list processes can read it.
#[derive(Parser, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a command line has switches")]
#[command(name = "convex-local-backend", about = "A stand-in for Convex's backend (not Convex)")]
pub struct Arguments {
    /// Name of the deployment.
    #[arg(long)]
    pub instance_name: String,
    /// 32 bytes as 64 hexadecimal digits.
    #[arg(long)]
    pub instance_secret: String,
    /// Port of the API.
    #[arg(long, default_value_t = 3210)]
    pub port: u16,
    /// Port of the site proxy.
    #[arg(long, default_value_t = 3211)]
    pub site_proxy_port: u16,
    /// Address to listen on: IPv4 only, as upstream.
    #[arg(long, env = "STANDIN_BIND", default_value_t = Ipv4Addr::UNSPECIFIED)]
    pub interface: Ipv4Addr,
    /// Public base URL of the API, or empty.
    #[arg(long, default_value = "", value_parser = origin)]
    pub convex_origin: String,
    /// Public base URL of the site, or empty.
    #[arg(long, default_value = "")]
    pub convex_site: String,
    /// Proxy for `fetch`; accepted and not used.
    #[arg(long)]
    pub convex_http_proxy: Option<String>,
    /// What the beacon calls this installation; nothing is ever sent.
    #[arg(long)]
    pub beacon_tag: Option<String>,
    /// No beacon. The variable is read by a boolean parser that refuses an empty value.
    #[arg(long, env = "DISABLE_BEACON", value_parser = BoolishValueParser::new())]
    pub disable_beacon: bool,
    /// Hide function logs from clients; accepted and not used.
    #[arg(long)]
    pub redact_logs_to_client: bool,
    /// Let the database connection be plain.
    #[arg(long)]
    pub do_not_require_ssl: bool,
    /// Keep files in S3.
    #[arg(long)]
    pub s3_storage: bool,
    /// Keep files in a folder; which one is not used: they lie with the rest.
    #[arg(long)]
    pub local_storage: Option<String>,
    /// Write the log to this file as well; accepted and not used.
    #[arg(long)]
    pub local_log_sink: Option<PathBuf>,
    /// Database driver.
    #[arg(long, default_value = "sqlite")]
    pub db: Driver,
    /// URL of a database server, or path of the file.
    #[arg(default_value = "convex_local_backend.sqlite3")]
    pub db_spec: String,
}

/// Database drivers by the names that the entrypoint uses.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A file.
    Sqlite,
    /// A Postgres server.
    #[value(name = "postgres-v5")]
    Postgres,
    /// A MySQL server.
    #[value(name = "mysql-v5")]
    Mysql,
}

fn origin(text: &str) -> Result<String, String> {
    let allowed = text.is_empty() || text.starts_with("http://") || text.starts_with("https://");
    allowed.then(|| text.to_owned()).ok_or_else(|| "must start with http:// or https://".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(extra: &[&str]) -> Result<Arguments, clap::Error> {
        let fixed =
            ["convex-local-backend", "--instance-name=a", "--instance-secret=b", "--port=3210"];
        Arguments::try_parse_from(fixed.iter().chain(extra))
    }

    #[test]
    fn the_ports_are_fixed_since_a_flag_given_twice_is_refused() {
        let error = parse(&["--port=4000"]).unwrap_err().to_string();
        assert!(error.contains("cannot be used multiple times"), "{error}");
    }

    #[test]
    fn an_origin_is_empty_or_a_web_address() {
        assert!(parse(&["--convex-origin="]).is_ok());
        assert!(parse(&["--convex-origin=https://api.example.org"]).is_ok());
        let error = parse(&["--convex-origin=api.example.org"]).unwrap_err().to_string();
        assert!(error.contains("must start with http:// or https://"), "{error}");
    }

    #[test]
    fn the_interface_is_ipv4_only() {
        assert!(parse(&["--interface=::1"]).is_err());
    }
}
