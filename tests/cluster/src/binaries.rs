//! Our own programs, built by cargo where they are needed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{checkout::Checkout, progress};

/// The variables with which cargo tells a program about its package.
const OF_A_PACKAGE: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// One line of `cargo build --message-format=json`; others than artifacts have no executable.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    executable: Option<PathBuf>,
}

/// Programs that cargo built.
#[derive(Debug, Default)]
pub struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Where the program of that name is.
    ///
    /// # Errors
    /// No package that was built has it.
    pub fn path(&self, name: &str) -> Result<&Path> {
        let found = self.0.get(name).map(PathBuf::as_path);
        found.with_context(|| format!("cargo built no program called {name}"))
    }
}

/// Builds programs of the workspace, and says where they are. The whole workspace is resolved, whichever of
/// them it is: so that programs and tests share what they are built from.
///
/// # Errors
/// One of them does not compile.
pub fn build(checkout: &Checkout, programs: &[&str]) -> Result<Programs> {
    let started = Instant::now();
    progress::say(&format!("building {}", programs.join(", ")));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What an outer `cargo run` says about its own package; build scripts that look at it would run anew each time.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|it| OF_A_PACKAGE.iter().any(|of| it.starts_with(of))) {
            command.env_remove(name);
        }
    }
    let done = command
        .args(["build", "--quiet", "--locked", "--workspace"])
        .arg("--message-format=json-render-diagnostics")
        .args(programs.iter().flat_map(|program| ["--bin", program]))
        .current_dir(checkout.root())
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    if !done.status.success() {
        bail!("cargo build of {} failed: {}", programs.join(", "), done.status);
    }
    progress::done(&format!("built {}", programs.join(", ")), started);
    executables(&String::from_utf8(done.stdout)?)
}

fn executables(messages: &str) -> Result<Programs> {
    let mut found = BTreeMap::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).context("cargo printed no JSON")?;
        if let Some(path) = message.executable {
            found.insert(name_of(&path)?, path);
        }
    }
    Ok(Programs(found))
}

fn name_of(path: &Path) -> Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(ToOwned::to_owned).with_context(|| format!("{} has no name", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/t/debug/fake-node"}
{"reason":"build-finished","success":true}
"#;
        let built = executables(messages).unwrap();
        assert_eq!(built.path("fake-node").unwrap(), Path::new("/t/debug/fake-node"));
        assert!(built.path("standin").is_err());
    }
}
