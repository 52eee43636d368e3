//! Every catalog that the suite runs on. One that needs a server is skipped, with a line that says so, where there is none.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use icegate_model::{Clock, SystemClock, Table, Timestamp};
use icegate_storage::aws::{AwsOptions, sdk_config};
use icegate_storage::{Root, Stores};
use icegate_tables::{GlueOptions, RestOptions, Tables};
use icegate_testkit::{LocalStack, ManualClock, S3Server, SeededIds};

use crate::rows::NEW_YEAR;
use crate::untouchable::Untouchable;

/// Opens the tables as another process would, with ids of this seed.
type Open = Arc<dyn Fn(u64) -> BoxFuture<'static, Arc<Tables>> + Send + Sync>;

/// Tables on one backend, with a clock that the test moves.
pub(crate) struct Bench {
    pub(crate) tables: Arc<Tables>,
    pub(crate) clock: Arc<ManualClock>,
    /// The warehouse, on backends where the tables lie in one that the test can reach.
    pub(crate) root: Root,
    /// The table bucket, on AWS S3 Tables.
    pub(crate) table_bucket: Option<(aws_sdk_s3tables::Client, String)>,
    open: Open,
    _directory: Option<tempfile::TempDir>,
}

impl Bench {
    async fn new(root: Root, clock: Arc<ManualClock>, open: Open) -> Self {
        let (tables, another) = (open(1).await, open(1_000).await);
        let (created, by_another) = futures::join!(tables.migrate_create(false), another.migrate_create(false));
        assert_eq!(created.unwrap().len() + by_another.unwrap().len(), Table::ALL.len(), "each table is created once");
        Self { tables, clock, root, table_bucket: None, open, _directory: None }
    }

    /// The tables as another process sees them.
    pub(crate) async fn another(&self, seed: u64) -> Arc<Tables> {
        (self.open)(seed).await
    }
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("tables", &self.tables).finish_non_exhaustive()
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(NEW_YEAR)))
}

fn ids(seed: u64) -> Arc<SeededIds> {
    Arc::new(SeededIds::new(seed))
}

/// Another process on the same warehouse, whose objects are of another time than the test's.
pub(crate) fn process(root: &Root, clock: &Arc<ManualClock>, seed: u64) -> Tables {
    dated_process(root, clock, seed).believing_its_clock()
}

/// Another process on a warehouse whose objects are dated by the test's clock.
pub(crate) fn dated_process(root: &Root, clock: &Arc<ManualClock>, seed: u64) -> Tables {
    Tables::object_store(root.clone(), Arc::clone(clock) as Arc<dyn Clock>, ids(seed))
}

/// What decides how old something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    ByTheTestsClock,
    ByTheStore,
}

impl Age {
    fn told(self, tables: Tables) -> Tables {
        if self == Self::ByTheStore { tables } else { tables.believing_its_clock() }
    }
}

async fn on_warehouse(root: Root) -> Bench {
    let clock = clock();
    let open = {
        let (root, clock) = (root.clone(), Arc::clone(&clock));
        Arc::new(move |seed| {
            let tables = Arc::new(process(&root, &clock, seed));
            async move { tables }.boxed()
        })
    };
    Bench::new(root, clock, open).await
}

/// No two processes share a catalog in memory: here the others are the first.
pub(crate) async fn on_memory() -> Bench {
    let (root, clock) = (Root::memory(), clock());
    let tables = Arc::new(Tables::memory(root.clone(), Arc::clone(&clock) as Arc<dyn Clock>, ids(1)).believing_its_clock());
    let open = Arc::new(move |_| {
        let tables = Arc::clone(&tables);
        async move { tables }.boxed()
    });
    Bench::new(root, clock, open).await
}

pub(crate) async fn on_files() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::open(&format!("file://{}/warehouse/", directory.path().display())).unwrap();
    Bench { _directory: Some(directory), ..on_warehouse(root).await }
}

/// S3 at this URL.
fn s3(endpoint: &str) -> AwsOptions {
    AwsOptions {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(("key".to_owned(), "secret".to_owned())),
        ..AwsOptions::default()
    }
}

pub(crate) async fn on_s3(test: &str) -> Option<Bench> {
    Some(on_warehouse(s3_root(test)?).await)
}

/// A bucket of its own.
pub(crate) fn s3_root(test: &str) -> Option<Root> {
    let server = S3Server::shared(test)?;
    Some(Stores::new(s3(&server.endpoint())).open(&format!("s3://{}/warehouse/", server.bucket())).unwrap())
}

/// A Glue of its own: one region of the server.
pub(crate) async fn on_glue(test: &str) -> Option<Bench> {
    let server = S3Server::shared(test)?;
    Some(glue_at(server, &server.endpoint(), Age::ByTheTestsClock).await)
}

/// The same, reached under this URL.
pub(crate) async fn glue_at(server: &S3Server, endpoint: &str, age: Age) -> Bench {
    static REGIONS: AtomicU32 = AtomicU32::new(0);
    let (stores, warehouse) = (Stores::new(s3(endpoint)), format!("s3://{}/warehouse", server.bucket()));
    let region = format!("region-{}", REGIONS.fetch_add(1, Ordering::SeqCst));
    let aws = AwsOptions { region: Some(region), ..s3(endpoint) };
    let (clock, root) = (clock(), stores.open(&format!("{warehouse}/")).unwrap());
    let open = {
        let clock = Arc::clone(&clock);
        let options = GlueOptions { catalog_id: None, warehouse, aws };
        Arc::new(move |seed| {
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            let tables = Arc::new(age.told(Tables::glue(options.clone(), stores.clone(), clock, ids(seed))));
            async move { tables }.boxed()
        })
    };
    Bench::new(root, clock, open).await
}

/// A table bucket of its own, in whose tables' buckets a listing or a deletion fails the test.
pub(crate) async fn on_s3_tables(test: &str) -> Option<Bench> {
    let server = S3Server::shared(test)?;
    Some(s3_tables_at(&server.endpoint(), Age::ByTheTestsClock).await)
}

/// The same, reached under this URL.
pub(crate) async fn s3_tables_at(endpoint: &str, age: Age) -> Bench {
    static BUCKETS: AtomicU32 = AtomicU32::new(0);
    let aws = s3(endpoint);
    let name = format!("tables-{}-{}", std::process::id(), BUCKETS.fetch_add(1, Ordering::SeqCst));
    let client = aws_sdk_s3tables::Client::new(&sdk_config(&aws).await);
    let arn = client.create_table_bucket().name(name).send().await.unwrap().arn;
    let stores = Stores::new(aws.clone()).with_wrap(|store| Arc::new(Untouchable(store)));
    let clock = clock();
    let table_bucket = Some((client, arn.clone()));
    let open = {
        let clock = Arc::clone(&clock);
        Arc::new(move |seed| {
            let (arn, aws, stores, clock) = (arn.clone(), aws.clone(), stores.clone(), Arc::clone(&clock));
            async move { Arc::new(age.told(Tables::s3_tables(arn, aws, stores, clock, ids(seed)))) }.boxed()
        })
    };
    Bench { table_bucket, ..Bench::new(Root::memory(), clock, open).await }
}

/// A branch of Nessie's of its own.
pub(crate) async fn on_rest(test: &str) -> Option<Bench> {
    static BRANCHES: AtomicU32 = AtomicU32::new(0);
    let stack = LocalStack::shared(test)?;
    let nessie = stack.place("NESSIE");
    let branch = format!("branch-{}-{}", std::process::id(), BRANCHES.fetch_add(1, Ordering::SeqCst));
    make_branch(nessie, &branch).await;
    let stores = Stores::new(AwsOptions {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(stack.place("S3_ENDPOINT").to_owned()),
        credentials: Some(("minioadmin".to_owned(), "minioadmin".to_owned())),
        ..AwsOptions::default()
    });
    let options = RestOptions {
        uri: format!("{nessie}/iceberg"),
        warehouse: Some("s3://warehouse/".to_owned()),
        prefix: Some(branch),
        ..RestOptions::default()
    };
    // The server stamps new tables by its own clock, and a table's time only goes forward.
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let open = {
        let clock = Arc::clone(&clock);
        Arc::new(move |seed| {
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            let tables = Tables::rest(options.clone(), stores.clone(), clock, ids(seed)).unwrap();
            let tables = Arc::new(tables.believing_its_clock());
            async move { tables }.boxed()
        })
    };
    Some(Bench::new(Root::memory(), clock, open).await)
}

async fn make_branch(nessie: &str, name: &str) {
    let http = reqwest::Client::new();
    let main: serde_json::Value = http.get(format!("{nessie}/api/v2/trees/main")).send().await.unwrap().json().await.unwrap();
    let url = format!("{nessie}/api/v2/trees?name={name}&type=BRANCH");
    let made = http.post(url).json(&main["reference"]).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.text().await.unwrap());
}
