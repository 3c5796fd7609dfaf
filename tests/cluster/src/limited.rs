//! Volumes that can be full: filesystems in memory, of exactly the size that their claims ask for.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::{process::output, undo::mounts};

/// Mounts one where nothing is mounted yet.
///
/// # Errors
/// The size is none that `mount` knows, or this is not root.
pub fn mount(path: &Path, size: &Quantity) -> Result<()> {
    if is_mounted(path)? {
        return Ok(());
    }
    let options = format!("size={}", in_words_of_mount(size)?);
    let arguments = ["-t", "tmpfs", "-o", &options, "limited", &path.to_string_lossy()];
    output("mount", arguments).map(drop)
}

/// Makes the one that is mounted there larger; a folder needs nothing.
///
/// # Errors
/// As [`mount`].
pub fn grow(path: &Path, size: &Quantity) -> Result<()> {
    if !is_mounted(path)? {
        return Ok(());
    }
    let options = format!("remount,size={}", in_words_of_mount(size)?);
    output("mount", ["-o", &options, &path.to_string_lossy()]).map(drop)
}

/// Unmounts the one that is mounted there; a folder needs nothing.
///
/// # Errors
/// It is in use.
pub fn unmount(path: &Path) -> Result<()> {
    if is_mounted(path)? { output("umount", [path]).map(drop) } else { Ok(()) }
}

fn is_mounted(path: &Path) -> Result<bool> {
    let mounted = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(mounts::points(&mounted, |kind| kind == "tmpfs").iter().any(|it| it == path))
}

/// `8Mi` is `8m`: both count in powers of two (tmpfs(5)).
fn in_words_of_mount(size: &Quantity) -> Result<String> {
    let known = ["Ki", "Mi", "Gi"].into_iter().find_map(|unit| {
        let number: u32 = size.0.strip_suffix(unit)?.parse().ok()?;
        Some(format!("{number}{}", unit[..1].to_lowercase()))
    });
    known.with_context(|| format!("{} is not written in whole Ki, Mi or Gi", size.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_to_mount_in_its_own_words() {
        let told = |size: &str| in_words_of_mount(&Quantity(size.into())).ok();
        assert_eq!(told("8Mi").as_deref(), Some("8m"));
        assert_eq!(told("1Gi").as_deref(), Some("1g"));
        assert_eq!(told("1.5Gi"), None);
        assert_eq!(told("10M"), None);
    }
}
