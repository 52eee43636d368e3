use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long the server may take to start on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Serves until standard input ends, which it also does when the test is killed.
const SCRIPT: &str = include_str!("aws_server.py");

/// A server of its own process for S3, with atomic conditional puts, for S3 Tables and for Glue: moto, from the Python that
/// `ICEGATE_PYTHON` names, which needs the packages of `local/tests/it/python/requirements.txt`. It takes any credentials.
#[derive(Debug)]
pub struct S3Server {
    child: Child,
    address: SocketAddr,
}

impl S3Server {
    /// The server that the tests of this binary share, started by the first of them; `None`, and a line that says that `test` is
    /// skipped, where there is no Python for it.
    #[must_use]
    pub fn shared(test: &str) -> Option<&'static Self> {
        static SHARED: OnceLock<Option<S3Server>> = OnceLock::new();
        let server = SHARED.get_or_init(Self::start).as_ref();
        if server.is_none() {
            let _ = writeln!(
                std::io::stderr(),
                "skipped {test}: ICEGATE_PYTHON does not name a Python with local/tests/it/python/requirements.txt installed"
            );
        }
        server
    }

    /// A server for one test; `None` where `ICEGATE_PYTHON` is not set.
    ///
    /// # Panics
    /// Where it doesn't start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let python = std::env::var_os("ICEGATE_PYTHON")?;
        let [port] = crate::free_ports();
        let mut command = Command::new(python);
        command.args(["-c", SCRIPT, &port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("ICEGATE_PYTHON can't be run: {error}"));
        let mut server = Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        server.wait_until_ready();
        Some(server)
    }

    fn wait_until_ready(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!(
                    "the S3 server ended with {status}: are the packages of local/tests/it/python/requirements.txt installed?"
                );
            }
            assert!(began.elapsed() < PATIENCE, "the S3 server did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket of a name that no other call gets.
    ///
    /// # Panics
    /// Where the server doesn't.
    #[must_use]
    pub fn bucket(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bucket-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        self.create_bucket(&name);
        name
    }

    /// Makes a bucket.
    ///
    /// # Panics
    /// Where the server doesn't.
    pub fn create_bucket(&self, name: &str) {
        let request = format!("PUT /{name} HTTP/1.0\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", self.address);
        let mut answer = String::new();
        let sent = TcpStream::connect(self.address).and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.read_to_string(&mut answer)
        });
        assert!(sent.is_ok() && answer.split_whitespace().nth(1) == Some("200"), "bucket {name} is not made: {sent:?} {answer}");
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
