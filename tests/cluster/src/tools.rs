//! The Go programs of a cluster, built from modules and kept by the hash of what went in.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use ring::digest::{Context as Hasher, SHA256};

use crate::{checkout::Checkout, process::captured, progress};

/// A Go module under `tests/tools` and the programs that its `tool` lines name.
#[derive(Debug)]
struct Module {
    name: &'static str,
    /// The module whose version the linker writes into the programs.
    stamped: Option<&'static str>,
    programs: &'static [(&'static str, &'static str)],
}

const MODULES: [Module; 3] = [
    Module { name: "etcd", stamped: None, programs: &[("server", "etcd")] },
    Module {
        name: "kubernetes",
        stamped: Some("k8s.io/kubernetes"),
        programs: &[
            ("kube-apiserver", "kube-apiserver"),
            ("kube-controller-manager", "kube-controller-manager"),
            ("kube-proxy", "kube-proxy"),
            ("kube-scheduler", "kube-scheduler"),
            ("kubectl", "kubectl"),
            ("kubelet", "kubelet"),
        ],
    },
    Module { name: "helm", stamped: None, programs: &[("helm", "helm")] },
];

/// The data plane of the Gateway API: only who asks for one builds it. What its module replaces and excludes its own `go.mod`
/// does too, and does not hand on.
const GATEWAY: Module =
    Module { name: "traefik", stamped: None, programs: &[("traefik", "traefik")] };

/// An S3 server: only who starts one builds it.
const OBJECT_STORAGE: Module =
    Module { name: "versitygw", stamped: None, programs: &[("versitygw", "versitygw")] };

/// Where the built programs are.
#[derive(Clone, Debug)]
pub struct Tools {
    paths: Vec<(&'static str, PathBuf)>,
}

impl Tools {
    /// The path of a program.
    ///
    /// # Errors
    /// No module builds it.
    pub fn path(&self, program: &str) -> Result<&Path> {
        let found = self.paths.iter().find(|(name, _)| *name == program);
        found
            .map(|(_, path)| path.as_path())
            .with_context(|| format!("no tool is called {program}"))
    }

    /// Every program with its path.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.paths.iter().map(|(name, path)| (*name, path.as_path()))
    }
}

/// Builds what is missing, and says where everything is.
///
/// # Errors
/// Go is missing, or a build fails.
pub fn ensure(checkout: &Checkout) -> Result<Tools> {
    let mut paths = Vec::new();
    for module in &MODULES {
        let bin = module.ensure(checkout)?;
        paths.extend(module.programs.iter().map(|(_, name)| (*name, bin.join(name))));
    }
    Ok(Tools { paths })
}

/// A data plane of the Gateway API.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The program.
    pub program: PathBuf,
    /// The folder of the definitions that it was built against.
    pub definitions: PathBuf,
}

/// Builds the data plane where it is missing, and says where everything is.
///
/// # Errors
/// Go is missing, or a build fails.
pub fn gateway(checkout: &Checkout) -> Result<Gateway> {
    let program = GATEWAY.ensure(checkout)?.join("traefik");
    Ok(Gateway { program, definitions: gateway_definitions(checkout)? })
}

/// The folder of the definitions of the Gateway API, as the data plane is built against them.
///
/// # Errors
/// Go is missing, or the module cannot be had.
pub fn gateway_definitions(checkout: &Checkout) -> Result<PathBuf> {
    let mut go = Command::new("go");
    go.args(["mod", "download", "-json", "sigs.k8s.io/gateway-api"])
        .current_dir(checkout.root().join("tests/tools").join(GATEWAY.name));
    let module: serde_json::Value = serde_json::from_str(&captured(&mut go)?)?;
    let folder = module["Dir"].as_str().context("go names no folder of the Gateway API")?;
    Ok(Path::new(folder).join("config/crd/standard"))
}

/// Builds the S3 server where it is missing, and says where it is.
///
/// # Errors
/// Go is missing, or the build fails.
pub fn object_storage(checkout: &Checkout) -> Result<PathBuf> {
    Ok(OBJECT_STORAGE.ensure(checkout)?.join("versitygw"))
}

impl Module {
    fn ensure(&self, checkout: &Checkout) -> Result<PathBuf> {
        let source = checkout.root().join("tests/tools").join(self.name);
        let flags = self.linker_flags(&source)?;
        let tools = checkout.cache().join("tools");
        let home = tools.join(&hash(&source, &flags)?[..16]);
        if home.join("bin").is_dir() {
            return Ok(home.join("bin"));
        }
        fs::create_dir_all(&tools)?;
        let lock = File::create(tools.join("lock"))?;
        lock.lock().context("waiting for another build of the tools")?;
        if !home.join("bin").is_dir() {
            self.build(&source, &flags, &home)?;
        }
        Ok(home.join("bin"))
    }

    /// Builds beside the final place and renames: a folder that is there is complete.
    fn build(&self, source: &Path, flags: &str, home: &Path) -> Result<()> {
        let started = Instant::now();
        let names: Vec<_> = self.programs.iter().map(|(_, name)| *name).collect();
        progress::say(&format!(
            "building {} from the Go module {} (minutes, the first time)",
            names.join(", "),
            self.name
        ));
        let half = home.with_extension("half");
        if half.exists() {
            fs::remove_dir_all(&half)?;
        }
        let status = Command::new("go")
            .args(["build", "-trimpath", "-ldflags", flags, "-o"])
            .arg(format!("{}/bin/", half.display()))
            .arg("tool")
            .current_dir(source)
            .env("CGO_ENABLED", "0")
            .status()
            .context("starting go: is Go 1.26 installed and in PATH?")?;
        if !status.success() {
            bail!("go build in {} failed: {status}", source.display());
        }
        for (built, name) in self.programs {
            fs::rename(half.join("bin").join(built), half.join("bin").join(name))
                .with_context(|| format!("go build made no {built}"))?;
        }
        if home.exists() {
            fs::remove_dir_all(home)?;
        }
        fs::rename(&half, home)?;
        progress::done(&format!("built {}", names.join(", ")), started);
        Ok(())
    }

    /// Without a version stamp Kubernetes' clients refuse their server or misbehave.
    fn linker_flags(&self, source: &Path) -> Result<String> {
        let mut flags = "-s -w".to_owned();
        if let Some(stamped) = self.stamped {
            let version = required_version(&fs::read_to_string(source.join("go.mod"))?, stamped)?;
            flags.push_str(&version_stamp(&version)?);
        }
        Ok(flags)
    }
}

fn version_stamp(version: &str) -> Result<String> {
    use std::fmt::Write as _;
    let (major, rest) = version.trim_start_matches('v').split_once('.').context("not a version")?;
    let minor = rest.split('.').next().unwrap_or_default();
    let mut flags = String::new();
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in [
            ("gitVersion", version),
            ("gitMajor", major),
            ("gitMinor", minor),
            ("gitTreeState", "clean"),
            ("buildDate", "1970-01-01T00:00:00Z"),
        ] {
            write!(flags, " -X {package}.{name}={value}")?;
        }
    }
    Ok(flags)
}

fn required_version(go_mod: &str, module: &str) -> Result<String> {
    go_mod
        .lines()
        .map(|line| line.trim().trim_start_matches("require "))
        .find_map(|line| line.strip_prefix(module)?.strip_prefix(' '))
        .and_then(|rest| rest.split_whitespace().next())
        .map(ToOwned::to_owned)
        .with_context(|| format!("go.mod does not require {module}"))
}

fn hash(source: &Path, flags: &str) -> Result<String> {
    let mut hasher = Hasher::new(&SHA256);
    for name in ["go.mod", "go.sum"] {
        let path = source.join(name);
        hasher.update(&fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
        hasher.update(&[0]);
    }
    hasher.update(flags.as_bytes());
    Ok(hex::encode(hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_comes_from_the_requirement() {
        let go_mod =
            "module m\n\nrequire k8s.io/kubernetes v1.36.3\n\nrequire (\n\tk8s.io/kube v9\n)";
        assert_eq!(required_version(go_mod, "k8s.io/kubernetes").unwrap(), "v1.36.3");
        assert_eq!(required_version(go_mod, "k8s.io/kube").unwrap(), "v9");
        assert!(required_version(go_mod, "k8s.io/other").is_err());
    }

    #[test]
    fn programs_are_stamped_with_their_version() {
        let flags = version_stamp("v1.36.3").unwrap();
        assert!(flags.contains("-X k8s.io/component-base/version.gitVersion=v1.36.3"));
        assert!(flags.contains("-X k8s.io/client-go/pkg/version.gitMinor=36"));
    }

    #[test]
    fn the_hash_follows_sums_and_flags() {
        let source = tempfile::tempdir().unwrap();
        fs::write(source.path().join("go.mod"), "module m\n").unwrap();
        fs::write(source.path().join("go.sum"), "one\n").unwrap();
        let first = hash(source.path(), "-s").unwrap();
        assert_eq!(first, hash(source.path(), "-s").unwrap());
        assert_ne!(first, hash(source.path(), "-w").unwrap());
        fs::write(source.path().join("go.sum"), "two\n").unwrap();
        assert_ne!(first, hash(source.path(), "-s").unwrap());
    }

    #[test]
    fn the_committed_modules_are_complete() {
        let checkout = Checkout::find().unwrap();
        for module in MODULES.iter().chain([&GATEWAY, &OBJECT_STORAGE]) {
            let source = checkout.root().join("tests/tools").join(module.name);
            assert!(hash(&source, &module.linker_flags(&source).unwrap()).is_ok());
        }
    }
}
