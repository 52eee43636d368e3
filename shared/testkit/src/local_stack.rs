use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

const PORTS: [&str; 6] =
    ["MINIO_PORT", "MINIO_CONSOLE_PORT", "NESSIE_PORT", "NESSIE_HEALTH_PORT", "COLLECTOR_GRPC_PORT", "COLLECTOR_HTTP_PORT"];

/// Services of the local stack as processes of their own, on free ports of this machine: MinIO, Nessie, the Collector.
///
/// `local/stack/build` makes them in the folder that `ICEGATE_STACK` names, and `local/stack/start` runs them, which ends them also
/// when the test is killed.
#[derive(Debug)]
pub struct LocalStack {
    child: Child,
    places: BTreeMap<String, String>,
}

impl LocalStack {
    /// MinIO and Nessie, shared by the tests of this binary and started by the first of them; `None`, and a line that says that `test`
    /// is skipped, where `ICEGATE_STACK` is not set.
    #[must_use]
    pub fn shared(test: &str) -> Option<&'static Self> {
        static SHARED: OnceLock<LocalStack> = OnceLock::new();
        if std::env::var_os("ICEGATE_STACK").is_none() {
            let line = format!("skipped {test}: ICEGATE_STACK does not name a folder that local/stack/build made");
            let _ = writeln!(std::io::stderr(), "{line}");
            return None;
        }
        Some(SHARED.get_or_init(|| Self::start(&["minio", "nessie"], &[])))
    }

    /// Starts services and waits until they answer. Variables tell the script of services that run elsewhere.
    ///
    /// # Panics
    /// Where one of them doesn't start.
    #[must_use]
    pub fn start(services: &[&str], variables: &[(&str, &str)]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../local/stack/start");
        let mut command = Command::new(script);
        command.args(services).stdin(Stdio::null()).stdout(Stdio::piped());
        for (name, port) in PORTS.into_iter().zip(crate::free_ports::<{ PORTS.len() }>()) {
            command.env(name, port.to_string());
        }
        let mut child =
            command.envs(variables.iter().copied()).spawn().unwrap_or_else(|error| panic!("local/stack/start: {error}"));
        let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok));
        let mut places = BTreeMap::new();
        for line in lines.into_iter().flatten() {
            if line == "ready" {
                return Self { child, places };
            }
            if let Some((name, place)) = line.split_once('=') {
                places.insert(name.to_owned(), place.to_owned());
            }
        }
        panic!("local/stack/start {services:?} ended before it was ready: {:?}", child.wait())
    }

    /// Where a service is, by the name that the script prints: `S3_ENDPOINT`, `NESSIE`, `COLLECTOR`.
    ///
    /// # Panics
    /// Where no such service was started.
    #[must_use]
    pub fn place(&self, name: &str) -> &str {
        self.places.get(name).unwrap_or_else(|| panic!("the stack has no {name}, but {:?}", self.places))
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
