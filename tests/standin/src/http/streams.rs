//! Bodies of any size, from and to the disk, a chunk at a time.

use std::{io, path::Path};

use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt, stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
};

const CHUNK: usize = 1 << 16;

/// Writes a body to a new file that is safe on disk, and says how many bytes it has.
pub async fn keep(body: Body, path: &Path) -> io::Result<u64> {
    let mut file = File::create(path).await?;
    let mut chunks = body.into_data_stream();
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(io::Error::other)?;
        file.write_all(&chunk).await?;
        bytes += chunk.len() as u64;
    }
    file.flush().await?;
    file.sync_all().await?;
    Ok(bytes)
}

/// The content of a file.
pub fn content(file: File) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(chunk), file)))
    })
}

/// A content that the connection breaks after.
pub fn broken_off(
    content: impl Stream<Item = io::Result<Bytes>>,
) -> impl Stream<Item = io::Result<Bytes>> {
    content.chain(stream::once(async {
        // The server sends what it has only once it has to wait.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    }))
}
