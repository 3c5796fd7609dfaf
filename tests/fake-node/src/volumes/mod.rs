//! Volumes: folders of this machine, found or filled, and linked into the file tree of each container.

mod files;
mod source;

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::VolumeMount;
pub use source::{MountError, prepare};

/// The folder of each volume, by the volume's name.
pub type Volumes = BTreeMap<String, PathBuf>;

/// Links every mount of a container into its file tree.
///
/// # Errors
/// Where a link cannot be made.
pub fn mount(root: &Path, mounts: &[VolumeMount], volumes: &Volumes) -> io::Result<()> {
    for volume in volumes.values() {
        unmount(root, volume)?;
    }
    let mut mounts: Vec<_> = mounts.iter().collect();
    // What lies above must be linked before what lies in it.
    mounts.sort_by_key(|mount| Path::new(&mount.mount_path).components().count());
    for mount in mounts {
        let Some(volume) = volumes.get(&mount.name) else { continue };
        let target = match &mount.sub_path {
            Some(inside) => volume.join(inside),
            None => volume.clone(),
        };
        if !target.exists() {
            fs::create_dir_all(&target)?;
        }
        link(&target, &root.join(mount.mount_path.trim_start_matches('/')))?;
    }
    Ok(())
}

/// What another pod had mounted within a volume is an empty folder there once that pod is gone, as the mount point that
/// a kubelet makes.
fn unmount(root: &Path, volume: &Path) -> io::Result<()> {
    // …/pods/<uid>/containers/<name>
    let Some(pods) = root.ancestors().nth(3) else { return Ok(()) };
    for entry in fs::read_dir(volume)? {
        let path = entry?.path();
        if fs::read_link(&path).is_ok_and(|target| target.starts_with(pods)) {
            fs::remove_file(&path)?;
            fs::create_dir(&path)?;
        }
    }
    Ok(())
}

fn link(target: &Path, at: &Path) -> io::Result<()> {
    if let Some(parent) = at.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::symlink_metadata(at) {
        // An earlier run of the container, or of another pod on the same volume, left it.
        Ok(found) if found.is_symlink() => fs::remove_file(at)?,
        Ok(found) if found.is_dir() => fs::remove_dir(at)?,
        Ok(_) => fs::remove_file(at)?,
        Err(_) => (),
    }
    symlink(target, at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mount_within_a_mount_is_linked_after_it_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for volume in ["data", "tmp"] {
            fs::create_dir(at(volume)).unwrap();
        }
        let mounts: Vec<VolumeMount> = serde_json::from_value(json!([
            {"name": "tmp", "mountPath": "/convex/data/tmp"},
            {"name": "data", "mountPath": "/convex/data"},
            {"name": "data", "mountPath": "/part", "subPath": "inner"},
        ]))
        .unwrap();
        let volumes = ["data", "tmp"].map(|name| (name.to_owned(), at(name))).into();
        for _ in 0..2 {
            mount(&at("root"), &mounts, &volumes).unwrap();
        }
        fs::write(at("root/convex/data/tmp/x"), "").unwrap();
        fs::write(at("root/part/y"), "").unwrap();
        assert!(at("tmp/x").exists());
        assert!(at("data/inner/y").exists());
    }

    #[test]
    fn what_another_pod_had_mounted_in_a_volume_is_an_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for made in ["claim", "pods/1/volumes/tmp"] {
            fs::create_dir_all(at(made)).unwrap();
        }
        let mounts =
            |json: serde_json::Value| -> Vec<VolumeMount> { serde_json::from_value(json).unwrap() };
        let data = json!({"name": "data", "mountPath": "/data"});
        let within = json!({"name": "tmp", "mountPath": "/data/storage"});
        let first: Volumes = [("data", "claim"), ("tmp", "pods/1/volumes/tmp")]
            .map(|(name, path)| (name.to_owned(), at(path)))
            .into();
        mount(&at("pods/1/containers/a"), &mounts(json!([data, within])), &first).unwrap();
        assert!(at("claim/storage").is_symlink());
        fs::remove_dir_all(at("pods/1")).unwrap();
        let second: Volumes = [("data".to_owned(), at("claim"))].into();
        mount(&at("pods/2/containers/a"), &mounts(json!([data])), &second).unwrap();
        assert!(at("claim/storage").is_dir() && !at("claim/storage").is_symlink());
    }
}
