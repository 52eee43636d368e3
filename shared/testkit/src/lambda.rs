//! AWS Lambda's Runtime API, as a function sees it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::LogFile;

/// How long a function may take for anything on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
const VERSION: &str = "/2018-06-01/runtime/";

/// One environment of a function: its process, and the Runtime API that gives it events.
///
/// It has what Lambda sets and what the test gives, and nothing of the test's own environment.
#[derive(Debug)]
pub struct LambdaFunction {
    child: Child,
    api: Arc<Api>,
    output: LogFile,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    /// Whether the function answered; otherwise it reported an error.
    pub ok: bool,
    /// What it sent: of a stream everything, with the prelude.
    pub body: Vec<u8>,
    /// Whether it was a stream.
    pub streamed: bool,
    /// Lambda's name of the invocation.
    pub request_id: String,
}

#[derive(Debug, Default)]
struct Api {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<Event>,
    waiting: HashMap<String, Sender<Invoked>>,
    given: u64,
    /// Calls of `next` that wait for an event.
    idle: usize,
    failed: Option<String>,
}

#[derive(Debug)]
struct Event {
    request_id: String,
    deadline_ms: u128,
    body: Vec<u8>,
}

impl LambdaFunction {
    /// Starts the binary `name` that lies beside the test's own, with these variables, in `folder`.
    ///
    /// # Panics
    /// Where it isn't built or doesn't start.
    #[must_use]
    pub fn start(name: &str, folder: &Path, variables: &[(&str, &str)]) -> Self {
        let binary = binary(name);
        assert!(binary.exists(), "{} is not built: cargo build -p icegate-{name}", binary.display());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        let api = Arc::new(Api::default());
        let serving = Arc::clone(&api);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let api = Arc::clone(&serving);
                std::thread::spawn(move || api.serve(stream));
            }
        });
        let output = LogFile::new();
        let child = spawn(&binary, name, folder, address, variables, &output);
        Self { child, api, output }
    }

    /// Invokes the function with an event and waits for the end. The function has `time`, as its deadline says; what takes longer is
    /// for the test to see.
    ///
    /// # Panics
    /// Where it doesn't end.
    #[must_use]
    pub fn invoke(&self, event: &[u8], time: Duration) -> Invoked {
        let invoked = self.begin(event, time).recv_timeout(PATIENCE);
        invoked.unwrap_or_else(|_| panic!("the function did not answer: {:?}\n{}", self.api.failed(), self.log().join("\n")))
    }

    /// Invokes the function without waiting: where it takes several invocations at once, they run at the same time.
    #[must_use]
    pub fn begin(&self, event: &[u8], time: Duration) -> Receiver<Invoked> {
        let (sender, receiver) = channel();
        let mut state = lock(&self.api.state);
        state.given += 1;
        let request_id = format!("00000000-0000-4000-8000-{:012}", state.given);
        let deadline_ms = (since_epoch() + time).as_millis();
        state.waiting.insert(request_id.clone(), sender);
        state.events.push(Event { request_id, deadline_ms, body: event.to_vec() });
        self.api.changed.notify_all();
        receiver
    }

    /// Waits until the function asks for an event, which is when Lambda would freeze its environment.
    ///
    /// # Panics
    /// Where it doesn't.
    pub fn wait_until_idle(&self) {
        let began = Instant::now();
        let mut state = lock(&self.api.state);
        while state.idle == 0 {
            assert!(began.elapsed() < PATIENCE, "the function does not ask for events\n{}", self.log().join("\n"));
            let waited = self.api.changed.wait_timeout(state, Duration::from_millis(50));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Stops the process where it is, as Lambda does with an environment that has answered.
    ///
    /// # Panics
    /// Where it can't be stopped.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it run on.
    ///
    /// # Panics
    /// Where it can't.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// Where it doesn't end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// Where it doesn't.
    pub fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) => assert!(began.elapsed() < PATIENCE, "the function does not end"),
                Err(error) => panic!("the function is gone: {error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal by its name.
    ///
    /// # Panics
    /// Where it can't be sent.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} can't be sent");
    }

    /// What it has written to standard output so far, by lines.
    ///
    /// # Panics
    /// Where it can't be read.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.output.text().lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for LambdaFunction {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a binary of this build lies: tests lie in `deps` below it.
fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_else(|error| panic!("no path of the test: {error}"));
    own.ancestors().nth(2).unwrap_or(&own).join(name)
}

fn spawn(binary: &Path, name: &str, folder: &Path, api: SocketAddr, variables: &[(&str, &str)], output: &LogFile) -> Child {
    let mut command = Command::new(binary);
    command.env_clear().current_dir(folder).stdin(Stdio::null()).stdout(output.stdio());
    for (name, value) in [
        ("AWS_LAMBDA_RUNTIME_API", api.to_string().as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
        ("AWS_REGION", "us-east-1"),
    ]
    .iter()
    .chain(variables)
    {
        command.env(name, value);
    }
    command.spawn().unwrap_or_else(|error| panic!("{} can't be run: {error}", binary.display()))
}

#[allow(clippy::disallowed_methods, reason = "Lambda's deadlines are of the system's clock")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Api {
    fn failed(&self) -> Option<String> {
        lock(&self.state).failed.clone()
    }

    /// Serves a connection until it ends.
    fn serve(&self, stream: TcpStream) {
        let Ok(mut writer) = stream.try_clone() else { return };
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            let (status, headers, body) = self.answer(request);
            let headers: String = headers.into_iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
            if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body)).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: Request) -> (&'static str, Vec<(&'static str, String)>, Vec<u8>) {
        let path = request.path.strip_prefix(VERSION).unwrap_or_default().to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["invocation", "next"]) => {
                let event = self.next();
                let headers = vec![
                    ("Lambda-Runtime-Aws-Request-Id", event.request_id),
                    ("Lambda-Runtime-Deadline-Ms", event.deadline_ms.to_string()),
                    ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:tried".to_owned()),
                    ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
                    ("Content-Type", "application/json".to_owned()),
                ];
                ("200 OK", headers, event.body)
            }
            ("POST", ["invocation", id, end @ ("response" | "error")]) => {
                let waiting = lock(&self.state).waiting.remove(*id);
                let Some(waiting) = waiting else { return ("400 Bad Request", Vec::new(), b"{}".to_vec()) };
                let (ok, request_id) = (*end == "response", (*id).to_owned());
                // Who waited may be gone.
                let _ = waiting.send(Invoked { ok, body: request.body, streamed: request.streamed, request_id });
                ("202 Accepted", Vec::new(), b"{}".to_vec())
            }
            ("POST", ["init", "error"]) => {
                lock(&self.state).failed = Some(String::from_utf8_lossy(&request.body).into_owned());
                ("202 Accepted", Vec::new(), b"{}".to_vec())
            }
            _ => ("404 Not Found", Vec::new(), b"{}".to_vec()),
        }
    }

    /// The next event, which may be long in coming.
    fn next(&self) -> Event {
        let mut state = lock(&self.state);
        state.idle += 1;
        self.changed.notify_all();
        while state.events.is_empty() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle -= 1;
        state.events.remove(0)
    }
}

struct Request {
    method: String,
    path: String,
    streamed: bool,
    body: Vec<u8>,
}

impl Request {
    /// Reads a request; `None` where the connection has ended.
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let first = line(reader)?;
        let mut parts = first.split(' ');
        let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let (mut length, mut chunked, mut streamed) = (0, false, false);
        loop {
            let header = line(reader)?;
            let Some((name, value)) = header.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "lambda-runtime-function-response-mode" => streamed = value == "streaming",
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if chunked {
            body = chunks(reader)?;
        }
        Some(Self { method, path, streamed, body })
    }
}

/// A chunked body, and the trailers behind it.
fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let head = line(reader)?;
        let length = usize::from_str_radix(head.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            while !line(reader)?.is_empty() {}
            return Some(body);
        }
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(&mut body[start..]).ok()?;
        line(reader)?;
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
