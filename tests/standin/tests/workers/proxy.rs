//! A network that carries every question to the backend, and loses the first answer to each.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const UNREADY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
/// What comes through of the first answer to a download.
const HALF: usize = 900;

type Lost = Arc<Mutex<BTreeSet<String>>>;

/// Questions that are never answered.
#[derive(Clone, Default)]
struct Never {
    that_hold: Option<&'static str>,
    asked: Arc<AtomicUsize>,
}

/// The network, for as long as it lives.
pub struct Proxy {
    pub at: SocketAddr,
    work: JoinHandle<()>,
    lost: Lost,
    never: Never,
}

impl Proxy {
    /// In front of a backend. The first connection is closed at once, and the second told that nobody is ready.
    pub async fn before(backend: String) -> Self {
        Self::that_never_brings(backend, None).await
    }

    /// The same, where no answer at all comes through to questions that hold this.
    pub async fn that_never_brings(backend: String, that_hold: Option<&'static str>) -> Self {
        let never = Never { that_hold, ..Never::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let lost = Lost::default();
        let (losing, keeping) = (lost.clone(), never.clone());
        let work = tokio::spawn(async move {
            drop(listener.accept().await.unwrap());
            let (mut second, _) = listener.accept().await.unwrap();
            question(&mut second).await.unwrap();
            second.write_all(UNREADY).await.unwrap();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(client, backend.clone(), losing.clone(), keeping.clone()));
            }
        });
        Self { at, work, lost, never }
    }

    /// How often it was asked what is never answered.
    pub fn asked_in_vain(&self) -> usize {
        self.never.asked.load(Ordering::Relaxed)
    }

    /// The questions whose first answer was lost.
    pub fn lost(&self) -> Vec<String> {
        self.lost.lock().unwrap().iter().cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// However it ends, it is closed then.
async fn carry(mut client: TcpStream, backend: String, lost: Lost, never: Never) -> io::Result<()> {
    let asked = question(&mut client).await?;
    let named = name(&asked);
    if never.that_hold.is_some_and(|it| named.contains(it)) {
        never.asked.fetch_add(1, Ordering::Relaxed);
        return Ok(());
    }
    let mut backend = TcpStream::connect(backend).await?;
    backend.write_all(&asked).await?;
    if !lost.lock().unwrap().insert(named.clone()) {
        return copy_bidirectional(&mut client, &mut backend).await.map(drop);
    }
    let most = if named.contains("/export/zip/") { HALF } else { 0 };
    let (mut asks, mut hears) = client.split();
    let (mut answers, mut listens) = backend.split();
    let answer = async {
        let mut bytes = vec![0; most.max(1)];
        answers.read_exact(&mut bytes).await?;
        hears.write_all(&bytes[..most]).await
    };
    tokio::select! {
        lost = answer => lost,
        asked = copy(&mut asks, &mut listens) => asked.map(drop),
    }
}

/// What comes first: of a query all of it, since it is named in its body.
async fn question(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut asked = Vec::new();
    loop {
        if client.read_buf(&mut asked).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let is_query = asked.starts_with(b"POST /api/query");
        let has_head = asked.windows(4).any(|it| it == b"\r\n\r\n");
        if has_head && (!is_query || asked.ends_with(b"}")) {
            return Ok(asked);
        }
    }
}

/// The path of a question, or of the function that a query is for.
fn name(asked: &[u8]) -> String {
    let text = String::from_utf8_lossy(asked);
    let function = text.split_once("\"path\":\"").and_then(|(_, it)| it.split('"').next());
    let path = text.split([' ', '?']).nth(1).unwrap_or_default();
    function.filter(|_| path == "/api/query").unwrap_or(path).to_owned()
}
