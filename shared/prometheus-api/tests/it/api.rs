//! The router over metrics that were taken in as OTLP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use icegate_engine::{Engine, EngineConfig};
use icegate_model::{Clock, IdGenerator, RandomIds, RequestId, Signal, SystemClock, Table, TenantId, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use icegate_prometheus_api::{BuildInfo, PrometheusConfig, PrometheusState, router};
use icegate_storage::Root;
use icegate_tables::{Append, FileOptions, Ledger, Tables};
use icegate_testkit::ManualClock;
use icegate_wal::{Wal, Writer, WriterConfig};
use serde_json::Value;
use tower::ServiceExt;

/// 2024-01-01T00:00:00Z.
pub(crate) const T0: i64 = 1_704_067_200;
pub(crate) const TENANT: &str = "my-tenant";

pub(crate) struct Store {
    tables: Arc<Tables>,
    wal: Arc<Wal>,
}

pub(crate) struct Api(Router);

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.json()["data"].take()
    }
}

impl Store {
    pub(crate) async fn new() -> Self {
        let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
        tables.migrate_create(false).await.unwrap();
        Self { tables, wal: Arc::new(Wal::new(Root::memory())) }
    }

    /// Rows that were shifted.
    pub(crate) async fn shifted(&self, requests: &[Value]) {
        self.shifted_rows(requests.iter().flat_map(|request| rows(TENANT, request)).collect()).await;
    }

    pub(crate) async fn shifted_rows(&self, rows: Batches) {
        let batches: Vec<_> = rows.into_iter().map(|(_, batch)| batch).collect();
        let files = self.tables.write_files(Table::Metrics, batches, FileOptions::default()).await.unwrap();
        self.tables.commit(Table::Metrics, Append { files, ledger: Ledger::default() }).await.unwrap();
    }

    /// Rows that were not.
    pub(crate) async fn fresh(&self, tenant: &str, requests: &[Value]) {
        self.fresh_rows(tenant, requests.iter().map(|request| rows(tenant, request)).collect()).await;
    }

    pub(crate) async fn fresh_rows(&self, tenant: &str, requests: Vec<Batches>) {
        let config = WriterConfig { flush_interval: Duration::from_millis(5), ..WriterConfig::default() };
        let metrics = icegate_wal::Metrics::default();
        let (writer, task) = Writer::start(Arc::clone(&self.wal), config, Arc::new(SystemClock), Arc::new(RandomIds), metrics);
        for batches in requests {
            let id = RequestId(RandomIds.unique().0);
            let tenant = tenant.parse().unwrap();
            writer.append(icegate_wal::Request { id, tenant, account: None, batches }).await.unwrap();
        }
        task.close().await;
    }

    pub(crate) fn api(&self, config: PrometheusConfig) -> Api {
        let engine = Engine::new(Arc::clone(&self.tables), Some(Arc::clone(&self.wal)), EngineConfig::default()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_secs(T0 + 60)));
        let build = BuildInfo { version: "1.2.3".to_owned(), revision: "abc".to_owned() };
        Api(router(PrometheusState { engine: Arc::new(engine), clock, config, build }))
    }
}

impl Api {
    pub(crate) async fn send(&self, method: Method, path: &str, tenant: &str, body: Option<(&str, &str)>) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("X-Scope-OrgID", tenant);
        if let Some((content_type, _)) = body {
            request = request.header("Content-Type", content_type);
        }
        let body = body.map_or_else(Body::empty, |(_, text)| Body::from(text.to_owned()));
        let (head, body) = self.0.clone().oneshot(request.body(body).unwrap()).await.unwrap().into_parts();
        let body = to_bytes(body, 64 << 20).await.unwrap();
        Reply { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, TENANT, None).await
    }
}

/// Rows of one request.
pub(crate) type Batches = Vec<(Table, arrow::array::RecordBatch)>;

/// Whose rows they are, taken in at [`T0`].
pub(crate) fn origin(tenant: &str) -> Origin {
    let tenant: TenantId = tenant.parse().unwrap();
    Origin { tenant, account: None, ingested: Timestamp::from_secs(T0) }
}

fn rows(tenant: &str, request: &Value) -> Batches {
    let origin = origin(tenant);
    let request = request.to_string();
    decode(Signal::Metrics, Encoding::Json, request.as_bytes(), &origin, &Limits::default()).unwrap().batches
}
