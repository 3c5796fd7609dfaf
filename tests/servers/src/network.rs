//! A network before a server: it does with each request what a test wants, and remembers what was asked.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt, copy, sink},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What ends the head of a request or an answer.
const BLANK: &[u8] = b"\r\n\r\n";

/// What becomes of a request and of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server gets the one, and the client the other.
    Carried,
    /// The server does not see these headers, whose names are in lower case.
    Without(&'static [&'static str]),
    /// The server does not hear of it. The client is told this status, and this code as S3 has them.
    Refused(u16, &'static str),
    /// The server does it, and the client does not hear of that.
    Unheard,
    /// The client gets so many bytes of the body of the answer.
    BrokenOff(usize),
    /// The last byte of the body of the answer is another one when the client gets it.
    Altered,
}

/// A request, by its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, as it was sent.
    pub method: String,
    /// Path and query, as they were sent.
    pub path: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Asked {
    fn of(head: &str) -> Self {
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let header = |it: &str| {
            let (name, value) = it.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self {
            method: first.next().unwrap_or_default(),
            path: first.next().unwrap_or_default(),
            headers: lines.filter_map(header).collect(),
        }
    }

    /// What a header says, whose name is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// Whether its query has this parameter.
    #[must_use]
    pub fn has(&self, parameter: &str) -> bool {
        let query = self.path.split_once('?').map_or("", |it| it.1);
        query.split('&').any(|it| it.split('=').next() == Some(parameter))
    }

    /// The head as the server gets it. It ends each connection, so that each has one request.
    fn head(&self, without: &[&str]) -> String {
        let is_kept = |name: &str| name != "connection" && !without.contains(&name);
        let kept = self.headers.iter().filter(|(name, _)| is_kept(name));
        let lines: Vec<_> = kept.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (method, path, lines) = (&self.method, &self.path, lines.concat());
        format!("{method} {path} HTTP/1.1\r\n{lines}connection: close\r\n\r\n")
    }
}

type Rule = Box<dyn FnMut(&Asked) -> Fate + Send>;

struct Inner {
    server: SocketAddr,
    rule: Mutex<Rule>,
    asked: Mutex<Vec<Asked>>,
}

/// The network, until it is dropped. It speaks plain HTTP.
pub struct Network {
    address: SocketAddr,
    inner: Arc<Inner>,
    work: JoinHandle<()>,
}

impl Network {
    /// Before this server. Whatever is asked is carried, until something else is said.
    ///
    /// # Errors
    /// There is no port for it.
    pub async fn before(server: impl Into<SocketAddr>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let rule: Mutex<Rule> = Mutex::new(Box::new(|_| Fate::Carried));
        let inner = Arc::new(Inner { server: server.into(), rule, asked: Mutex::default() });
        let shared = inner.clone();
        let work = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let inner = shared.clone();
                // However it ends, the connection is closed then.
                tokio::spawn(async move { inner.carry(client).await });
            }
        });
        Ok(Self { address, inner, work })
    }

    /// `http://HOST:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From here on every request has the fate that this says, and those before are forgotten.
    pub fn does(&self, rule: impl FnMut(&Asked) -> Fate + Send + 'static) {
        *locked(&self.inner.rule) = Box::new(rule);
        locked(&self.inner.asked).clear();
    }

    /// From here on what is so is refused, and everything else is carried.
    pub fn refuses(
        &self,
        which: impl Fn(&Asked) -> bool + Send + 'static,
        status: u16,
        code: &'static str,
    ) {
        self.does(move |it| if which(it) { Fate::Refused(status, code) } else { Fate::Carried });
    }

    /// What was asked, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        locked(&self.inner.asked).clone()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Network {} before {}", self.address, self.inner.server)
    }
}

impl Inner {
    async fn carry(&self, mut client: TcpStream) -> io::Result<()> {
        let (head, body) = head(&mut client).await?;
        let asked = Asked::of(&String::from_utf8_lossy(&head));
        locked(&self.asked).push(asked.clone());
        let fate = (locked(&self.rule))(&asked);
        let without = match fate {
            Fate::Refused(status, code) => return refuse(client, status, code).await,
            Fate::Without(headers) => headers,
            _ => &[],
        };
        let mut server = TcpStream::connect(self.server).await?;
        server.write_all(asked.head(without).as_bytes()).await?;
        server.write_all(&body).await?;
        let (mut asks, mut hears) = client.split();
        let (mut answers, mut listens) = server.split();
        let mut answer = Vec::new();
        tokio::select! {
            read = answers.read_to_end(&mut answer) => read.map(drop)?,
            gone = copy(&mut asks, &mut listens) => return gone.map(drop),
        }
        let most = match fate {
            Fate::Unheard => 0,
            Fate::BrokenOff(most) => body_of(&answer).unwrap_or_default() + most,
            _ => answer.len(),
        };
        answer.truncate(most);
        if let Some(last) = answer.last_mut().filter(|_| fate == Fate::Altered) {
            *last ^= 1;
        }
        hears.write_all(&answer).await
    }
}

/// The head of a request, and what has come of its body.
async fn head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        if client.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(at) = body_of(&head) {
            let body = head.split_off(at);
            return Ok((head, body));
        }
    }
}

/// Where the body begins.
fn body_of(message: &[u8]) -> Option<usize> {
    message.windows(BLANK.len()).position(|it| it == BLANK).map(|at| at + BLANK.len())
}

/// The client closes the connection: bytes of it that nobody has read would take the answer away.
async fn refuse(mut client: TcpStream, status: u16, code: &str) -> io::Result<()> {
    let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} {code}\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await?;
    copy(&mut client, &mut sink()).await.map(drop)
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
