//! An HTTP server that answers as a test tells it to, for what no real S3 server does on demand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What is done about a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Head and body, after which the connection stays.
    Answer(String),
    /// Some of an answer, after which the connection is closed.
    Broken(String),
    /// Some of an answer, after which nothing comes.
    Stalled(String),
}

type Script = Box<dyn Fn(usize, &Asked) -> Reply + Send + Sync>;

/// The server; it ends with the test's runtime.
pub(crate) struct Scripted {
    pub(crate) endpoint: String,
    state: Arc<State>,
}

struct State {
    script: Script,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
}

impl Scripted {
    /// Answers by `script`, which gets the number of the request, from 0.
    pub(crate) async fn start(script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State { script: Box::new(script), asked: Mutex::default(), connections: AtomicUsize::new(0) });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(Arc::clone(&accepting), stream));
            }
        });
        Self { endpoint, state }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

async fn serve(state: Arc<State>, stream: TcpStream) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let asked = read(&mut stream).await?;
        let reply = {
            let mut all = state.asked.lock().unwrap();
            all.push(asked.clone());
            (state.script)(all.len() - 1, &asked)
        };
        match reply {
            Reply::Answer(text) => stream.write_all(text.as_bytes()).await.ok()?,
            Reply::Broken(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                return None;
            }
            Reply::Stalled(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                tokio::time::sleep(Duration::from_secs(3_600)).await;
            }
        }
    }
}

/// A request with its body, which is dropped.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let (first, rest) = lines.split_first()?;
    let headers = rest.iter().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let asked = Asked { method: first.split(' ').next()?.to_owned(), headers: headers.collect() };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(asked)
}

/// An answer with a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nETag: \"tag\"\r\nLast-Modified: Fri, 27 Nov 2026 00:00:00 GMT\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// S3's error body.
pub(crate) fn error(status: &str, code: &str) -> Reply {
    Reply::Answer(answer(status, "", &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")))
}

pub(crate) fn slow_down() -> Reply {
    error("503 Slow Down", "SlowDown")
}

pub(crate) fn ok() -> Reply {
    Reply::Answer(answer("200 OK", "", ""))
}
