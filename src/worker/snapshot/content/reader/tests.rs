use std::{
    fs::File,
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use super::*;
use crate::worker::snapshot::{Content, content::tests::with_files};

/// It counts what is read of it, and gives no more than so much at once.
struct Counted {
    file: File,
    most: usize,
    read: AtomicU64,
}

impl Counted {
    fn of(bytes: &[u8], most: usize) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Self { file, most, read: AtomicU64::new(0) }
    }
}

impl Archive for Counted {
    fn bytes(&self) -> io::Result<u64> {
        Archive::bytes(&self.file)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let most = into.len().min(self.most);
        let read = Archive::read_at(&self.file, &mut into[..most], at)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[test]
fn an_archive_of_many_small_files_is_read_once_to_be_judged() {
    for (count, bytes) in [(400, 10_600), (4000, 100), (3, 300_000)] {
        let bytes = with_files(count, bytes);
        let archive = Counted::of(&bytes, usize::MAX);
        let content = Content::judge(&archive, Sum::default()).unwrap();
        assert_eq!(content.files, count as u64);
        let (read, whole) = (archive.read.into_inner(), bytes.len() as u64);
        assert!(read >= whole && read * 10 <= whole * 12, "{read} of {whole} bytes were read");
    }
}

#[test]
fn a_place_in_an_archive_is_read_from_wherever_it_was_before() {
    let bytes: Vec<u8> = (0..200_000_u32).map(|it| (it % 251).to_le_bytes()[0]).collect();
    for most in [usize::MAX, 1000] {
        let archive = Counted::of(&bytes, most);
        let mut reader = Reader::told(&archive).unwrap();
        for at in [0, 65_530, 65_500, 199_990, 131_072, 1, 199_999, 200_000, 400_000] {
            reader.seek(SeekFrom::Start(at as u64)).unwrap();
            let mut read = Vec::new();
            (&mut reader).take(50_000).read_to_end(&mut read).unwrap();
            let (from, to) = (at.min(bytes.len()), (at + 50_000).min(bytes.len()));
            assert!(read == bytes[from..to], "{at}, at most {most} at once");
        }
        assert_eq!(reader.told, 200_000, "no more than there is");
        assert_eq!(reader.seek(SeekFrom::End(-1)).unwrap(), 199_999);
        assert!(reader.seek(SeekFrom::Start(0)).and(reader.seek(SeekFrom::Current(-1))).is_err());
    }
}
