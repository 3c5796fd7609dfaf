//! The images of a real node: made here from programs of this machine, never pulled.

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    binaries::Programs,
    host,
    image::{Config, Image, Rootfs},
};

/// The image that holds a pod's namespaces open.
pub const PAUSE: &str = "local.test/pause:1";
/// Where stand-ins for Convex's backend are.
pub const BACKEND: &str = "stand-in.test/convex-backend";
/// Where stand-ins for Convex's dashboard are.
pub const DASHBOARD: &str = "stand-in.test/convex-dashboard";
/// The versions that exist; any other fails to be pulled.
pub const VERSIONS: [&str; 5] = [
    "6efab6f2da47c0c8a3d7b8e2f4a1c5d6e7f80912",
    "00bd9272a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "v1",
    "v2",
    "v3",
];
/// A version whose programs say that it is this one, whatever their environment says; only real nodes have it.
pub const FOREIGN: &str = "foreign";
/// The operator's image.
pub const OPERATOR: &str = "convex-operator:dev";

/// What may be called in a shell of the backend's image: what the operator's pods and people who look around need.
const APPLETS: [&str; 9] = ["sh", "cp", "kill", "mkdir", "ls", "cat", "id", "sleep", "wget"];
/// The programs of Convex's image, as scripts: few bytes to copy, and mode 744 as there, so that only root may run them
/// where they are (the operator copies them for the user that it runs the backend as).
const ENTRY_POINTS: [&str; 5] = [
    "run_backend.sh",
    "convex-local-backend",
    "generate_key",
    "read_credentials.sh",
    "generate_admin_key.sh",
];
const STAND_IN: &str = "usr/lib/stand-in/convex-standin";

/// Waits until it is told to stop, and reaps what ends in its pod.
///
/// # Errors
/// busybox is missing.
pub fn pause() -> Result<Image> {
    let mut rootfs = Rootfs::default();
    shell(&mut rootfs)?;
    let script = "trap 'exit 0' TERM INT; while :; do sleep 1000000 & wait $!; done";
    let words = ["/bin/sh", "-c", script].map(ToOwned::to_owned).to_vec();
    let config = Config { entrypoint: words, ..Config::default() };
    Ok(Image { name: "pause".into(), tags: vec![PAUSE.into()], rootfs, config })
}

/// The stand-in for Convex's backend.
///
/// # Errors
/// The stand-in was not built, or busybox is missing.
pub fn backend(programs: &Programs) -> Result<Image> {
    stand_in(programs, "backend", tags_of(BACKEND), "")
}

/// The same as a version that nothing but its image makes another one.
///
/// # Errors
/// As [`backend`].
pub fn foreign(programs: &Programs) -> Result<Image> {
    let says = format!("export CONVEX_RELEASE_VERSION_DEV={FOREIGN}\n");
    stand_in(programs, FOREIGN, vec![format!("{BACKEND}:{FOREIGN}")], &says)
}

fn stand_in(programs: &Programs, name: &str, tags: Vec<String>, first: &str) -> Result<Image> {
    let mut rootfs = Rootfs::default();
    shell(&mut rootfs)?;
    authorities(&mut rootfs)?;
    rootfs.program(STAND_IN, programs.path("convex-standin")?)?;
    for program in ENTRY_POINTS {
        // The stand-in knows by its name which program it is to be.
        rootfs.link(&format!("usr/lib/stand-in/{program}"), "convex-standin");
        let script = format!("#!/bin/sh\n{first}exec /usr/lib/stand-in/{program} \"$@\"\n");
        rootfs.file(&format!("convex/{program}"), script.into_bytes(), 0o744);
    }
    rootfs.folder("convex/data", 0o755);
    rootfs.folder("tmp", 0o1777);
    let config = Config {
        entrypoint: vec!["./run_backend.sh".into()],
        working_dir: "/convex".into(),
        volumes: vec!["/convex/data".into()],
        ..Config::default()
    };
    Ok(Image { name: name.into(), tags, rootfs, config })
}

/// The stand-in for Convex's dashboard, which runs as its own user.
///
/// # Errors
/// The stand-in was not built.
pub fn dashboard(programs: &Programs) -> Result<Image> {
    let mut rootfs = Rootfs::default();
    rootfs.program(STAND_IN, programs.path("convex-standin")?)?;
    rootfs.file("etc/passwd", b"nextjs:x:1001:1001::/app:/bin/false\n".to_vec(), 0o644);
    rootfs.file("etc/group", b"nodejs:x:1001:\n".to_vec(), 0o644);
    rootfs.folder("app", 0o755);
    rootfs.folder("tmp", 0o1777);
    let config = Config {
        entrypoint: vec![format!("/{STAND_IN}"), "dashboard".into()],
        working_dir: "/app".into(),
        // By name, as upstream: a pod that must not run as root has to say which number that is.
        user: "nextjs".into(),
        ..Config::default()
    };
    Ok(Image { name: "dashboard".into(), tags: tags_of(DASHBOARD), rootfs, config })
}

/// The operator.
///
/// # Errors
/// It was not built.
pub fn operator(programs: &Programs) -> Result<Image> {
    let mut rootfs = Rootfs::default();
    rootfs.program("usr/local/bin/convex-operator", programs.path("convex-operator")?)?;
    rootfs.folder("tmp", 0o1777);
    authorities(&mut rootfs)?;
    let config = Config {
        entrypoint: vec!["/usr/local/bin/convex-operator".into()],
        command: vec!["run".into()],
        user: "65532:65532".into(),
        ..Config::default()
    };
    Ok(Image { name: "operator".into(), tags: vec![OPERATOR.into()], rootfs, config })
}

/// Those of this machine, where the images' own bases have theirs: clients of servers refuse to begin without any.
fn authorities(rootfs: &mut Rootfs) -> Result<()> {
    let found = rustls_native_certs::load_native_certs();
    ensure!(
        !found.certs.is_empty(),
        "this host has no certificate authorities: {:?}",
        found.errors
    );
    let pem = found.certs.iter().fold(String::new(), |bundle, certificate| {
        let text = STANDARD.encode(certificate);
        format!("{bundle}-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    });
    rootfs.file("etc/ssl/certs/ca-certificates.crt", pem.into_bytes(), 0o644);
    Ok(())
}

fn shell(rootfs: &mut Rootfs) -> Result<()> {
    let busybox = host::find("busybox").context("busybox is missing on this host")?;
    rootfs.program("bin/busybox", &busybox)?;
    for applet in APPLETS {
        rootfs.link(&format!("bin/{applet}"), "busybox");
    }
    Ok(())
}

fn tags_of(repository: &str) -> Vec<String> {
    VERSIONS.iter().map(|version| format!("{repository}:{version}")).collect()
}
