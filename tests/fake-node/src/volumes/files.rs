//! Files of a volume that is made of objects.

use std::{fs, io, path::Path};

use k8s_openapi::api::core::v1::KeyToPath;

use super::MountError;
use crate::objects::Values;

/// Writes the keys of an object as files below `own`: all of them, or those that `items` chooses.
///
/// # Errors
/// Where a chosen key is missing or a file cannot be written.
pub fn write(
    volume: &str,
    values: &Values,
    items: Option<&[KeyToPath]>,
    optional: Option<bool>,
    own: &Path,
) -> Result<(), MountError> {
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        values.iter().try_for_each(|(key, value)| put(own, key, value))?;
        return Ok(());
    };
    for item in items {
        match values.get(&item.key) {
            Some(value) => put(own, &item.path, value)?,
            None if optional == Some(true) => (),
            None => {
                return Err(MountError::NoKey { volume: volume.to_owned(), key: item.key.clone() });
            }
        }
    }
    Ok(())
}

/// Writes one file below `own`.
///
/// # Errors
/// Where it cannot be written.
pub fn put(own: &Path, path: &str, value: &[u8]) -> io::Result<()> {
    let path = own.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        [("a", "1"), ("b", "2")].map(|(k, v)| (k.to_owned(), v.as_bytes().to_owned())).into()
    }

    fn item(key: &str, path: &str) -> KeyToPath {
        KeyToPath { key: key.to_owned(), path: path.to_owned(), mode: None }
    }

    #[test]
    fn every_key_is_a_file_unless_some_are_chosen() {
        let folder = tempfile::tempdir().unwrap();
        write("v", &values(), None, None, folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"2");
        let chosen = tempfile::tempdir().unwrap();
        write("v", &values(), Some(&[item("a", "x/y")]), None, chosen.path()).unwrap();
        assert_eq!(fs::read(chosen.path().join("x/y")).unwrap(), b"1");
        assert!(!chosen.path().join("b").exists());
    }

    #[test]
    fn a_chosen_key_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let items = [item("gone", "x")];
        let error =
            write("v", &values(), Some(&items), None, folder.path()).unwrap_err().to_string();
        assert!(error.contains("non-existent secret key: gone"), "{error}");
        write("v", &values(), Some(&items), Some(true), folder.path()).unwrap();
    }
}
