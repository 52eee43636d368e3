//! Where a process keeps its data: each store and catalog that is supported, with the servers that it needs.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use icegate_testkit::{LocalStack, S3Server, free_ports};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Part, Process, Settings, python, script};

/// A shift that comes this often leaves everything in the WAL.
pub(crate) const NEVER_MS: u64 = 86_400_000;

/// A place that no other test has.
pub(crate) struct Backend {
    folder: TempDir,
    /// The configuration's sections on storage.
    stores: String,
    variables: Vec<(&'static str, String)>,
    /// How a reader from outside finds the tables, for `python/rows.py`.
    tables: Value,
}

impl Backend {
    /// Plain files, and the object store's own catalog.
    pub(crate) fn files(_test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        let stores = format!(
            "catalog: {{ backend: !object_store , warehouse: \"file://{data}/warehouse/\" }}\n\
             storage: {{ backend: !filesystem {{ root_path: \"{data}\" }} }}\n\
             queue: {{ common: {{ base_path: \"file://{data}/queue/\" }} }}\n"
        );
        let tables = json!({ "catalog": "object_store", "warehouse": format!("{data}/warehouse") });
        Some(Self { folder, stores, variables: Vec::new(), tables })
    }

    /// S3, and the object store's own catalog.
    pub(crate) fn s3(test: &str) -> Option<Self> {
        let server = S3Server::shared(test)?;
        let (s3, bucket) = (server.endpoint(), server.bucket());
        let stores = format!(
            "catalog: {{ backend: !object_store , warehouse: \"s3://{bucket}/warehouse/\" }}\n{}",
            on_s3(&s3, REGION, &bucket, &format!("s3://{bucket}/queue/"))
        );
        let tables = json!({
            "catalog": "object_store", "warehouse": format!("s3://{bucket}/warehouse"), "region": REGION, "s3": s3, "key": KEY, "secret": KEY,
        });
        Some(Self { folder: tempfile::tempdir().unwrap(), stores, variables: aws(REGION), tables })
    }

    /// S3 and a Glue of its own: one region of the server.
    pub(crate) fn glue(test: &str) -> Option<Self> {
        let server = S3Server::shared(test)?;
        let (s3, bucket, region) = (server.endpoint(), server.bucket(), unique("region"));
        let stores = format!(
            "catalog: {{ backend: !glue {{ }}, warehouse: \"s3://{bucket}/warehouse/\" }}\n{}",
            on_s3(&s3, &region, &bucket, &format!("s3://{bucket}/queue/"))
        );
        let tables = json!({ "catalog": "glue", "uri": s3, "region": region, "s3": s3, "key": KEY, "secret": KEY });
        let mut variables = aws(&region);
        variables.push(("AWS_ENDPOINT_URL_GLUE", s3));
        Some(Self { folder: tempfile::tempdir().unwrap(), stores, variables, tables })
    }

    /// S3 and a table bucket.
    pub(crate) fn s3_tables(test: &str) -> Option<Self> {
        let (server, python) = (S3Server::shared(test)?, python(test)?);
        let (s3, bucket) = (server.endpoint(), server.bucket());
        let made = Command::new(python).arg(script("table_bucket.py")).args([&s3, &unique("tables")]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let arn = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let stores = format!(
            "catalog: {{ backend: !s3tables {{ table_bucket_arn: \"{arn}\" }} }}\n{}",
            on_s3(&s3, REGION, &bucket, &format!("s3://{bucket}/queue/"))
        );
        let tables = json!({
            "catalog": "s3tables", "uri": s3, "bucket": arn, "region": REGION, "s3": s3, "key": KEY, "secret": KEY,
        });
        let mut variables = aws(REGION);
        variables.push(("AWS_ENDPOINT_URL_S3TABLES", s3));
        Some(Self { folder: tempfile::tempdir().unwrap(), stores, variables, tables })
    }

    /// MinIO and a branch of Nessie's.
    pub(crate) fn minio_and_nessie(test: &str) -> Option<Self> {
        let stack = LocalStack::shared(test)?;
        let (s3, nessie) = (stack.place("S3_ENDPOINT"), stack.place("NESSIE"));
        let branch = unique("branch");
        nessie_branch(nessie, &branch);
        let stores = format!(
            "catalog:\n  backend: !rest {{ uri: \"{nessie}/iceberg\" }}\n  warehouse: s3://warehouse/\n  properties: {{ prefix: {branch} }}\n\
             {}",
            on_s3(s3, REGION, "warehouse", &format!("s3://queue/{branch}/"))
        );
        let tables = json!({
            "catalog": "rest", "uri": format!("{nessie}/iceberg"), "prefix": branch,
            "region": REGION, "s3": s3, "key": KEY, "secret": KEY,
        });
        Some(Self { folder: tempfile::tempdir().unwrap(), stores, variables: aws(REGION), tables })
    }

    /// Starts a process on it.
    pub(crate) async fn start(&self, part: Part, shift_interval_ms: u64) -> Process {
        self.start_on(free_ports(), part, shift_interval_ms).await
    }

    /// Starts a process on it that listens on these ports: OTLP over HTTP and gRPC, Loki, Tempo, Prometheus, metrics.
    pub(crate) async fn start_on(&self, ports: [u16; 6], part: Part, shift_interval_ms: u64) -> Process {
        let mut variables: Vec<_> = self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        variables.push(("ICEGATE_LOKI__MAX_QUERY_SERIES", "1000000"));
        let settings = Settings { data: self.folder.path(), shift_interval_ms, variables: &variables };
        Process::start_part(part, &settings, &self.stores, ports).await
    }

    /// The configuration's sections on storage.
    pub(crate) fn stores(&self) -> &str {
        &self.stores
    }

    /// Variables of the processes' environment.
    pub(crate) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// How a reader from outside finds the tables.
    pub(crate) const fn tables(&self) -> &Value {
        &self.tables
    }

    /// A folder for a test's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What readers from outside find in each table now: `{table: {"snapshot": id, "total": rows by the snapshot's summary,
    /// "pyiceberg": rows, "duckdb": rows}}`. `None` where there is no Python for it.
    pub(crate) fn rows(&self, test: &str) -> Option<Value> {
        let output = Command::new(python(test)?).arg(script("rows.py")).arg(self.tables.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(serde_json::from_slice(&output.stdout).unwrap())
    }
}

/// The user of the servers, and its secret.
const KEY: &str = "minioadmin";
const REGION: &str = "us-east-1";

/// The configuration's sections on an S3 server.
fn on_s3(endpoint: &str, region: &str, bucket: &str, queue: &str) -> String {
    format!(
        "storage: {{ backend: !s3 {{ bucket: {bucket}, region: {region}, endpoint: \"{endpoint}\" }} }}\n\
         queue: {{ common: {{ base_path: \"{queue}\" }} }}\n"
    )
}

/// Credentials as every AWS tool reads them.
fn aws(region: &str) -> Vec<(&'static str, String)> {
    [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", KEY), ("AWS_REGION", region)]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
}

/// A name that no other call in any test process gets.
fn unique(kind: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{kind}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst))
}

/// Makes a branch, on which tables are apart from those of every other.
fn nessie_branch(nessie: &str, name: &str) {
    let url = format!("{nessie}/api/v2/trees?name={name}&type=BRANCH");
    let main = curl(&["-fsS", &format!("{nessie}/api/v2/trees/main")]);
    let main: Value = serde_json::from_str(&main).unwrap();
    curl(&["-fsS", "-H", "Content-Type: application/json", "-d", &main["reference"].to_string(), &url]);
}

fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl").args(arguments).output().unwrap();
    assert!(output.status.success(), "curl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
