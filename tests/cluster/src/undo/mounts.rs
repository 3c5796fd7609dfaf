//! Where filesystems are mounted.

use std::path::PathBuf;

/// Mount points of filesystems whose type passes, in the order of mounting (proc(5): field 5, and the type after " - ").
pub(crate) fn points(mountinfo: &str, passes: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    mountinfo
        .lines()
        .filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let point = mount.split(' ').nth(4)?;
            passes(kind.split(' ').next()?).then(|| PathBuf::from(point.replace("\\040", " ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn mounts_are_read_with_their_type() {
        let text = "22 1 0:5 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                    23 1 0:6 / /a\\040b rw shared:1 - tmpfs tmpfs rw\n";
        assert_eq!(points(text, |k| k == "cgroup"), [Path::new("/sys/fs/cgroup/cpu")]);
        assert_eq!(points(text, |_| true)[1], Path::new("/a b"));
    }
}
