//! The operator's program as a process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::OnceLock,
    time::Duration,
};

/// The variables with which cargo tells a program about its package.
const OF_A_PACKAGE: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// Where it is: built as this test was, since it is of another package.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "--workspace", "--bin", "convex-operator"]);
        let folder = Path::new(env!("CARGO_BIN_EXE_convex-standin")).parent().unwrap();
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        // Build scripts that look at what cargo tells this test would run anew each time.
        for (name, _) in std::env::vars_os() {
            let of_a_package = |it: &str| OF_A_PACKAGE.iter().any(|of| it.starts_with(of));
            if name.to_str().is_some_and(of_a_package) {
                cargo.env_remove(name);
            }
        }
        assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
        folder.join("convex-operator")
    })
}

/// Waits for the end of a process, and says how many bytes of it were resident at most.
pub async fn peak(child: &mut Child) -> (ExitStatus, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // The kernel keeps the maximum itself; it is gone with the process alone.
        peak = resident(&fs::read_to_string(&status).unwrap_or_default()).unwrap_or(peak);
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended, peak);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|it| it * 1024)
}
