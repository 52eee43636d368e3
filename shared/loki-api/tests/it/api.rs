//! The router over a small corpus, half of it in the table and half in the WAL.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use icegate_engine::{Engine, EngineConfig};
use icegate_loki_api::{BuildInfo, LokiConfig, LokiState, Metrics, router};
use icegate_model::{Clock, IdGenerator, RandomIds, RequestId, Signal, SystemClock, Table, TenantId, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use icegate_storage::Root;
use icegate_tables::{Append, FileOptions, Ledger, Tables};
use icegate_testkit::ManualClock;
use icegate_wal::{Wal, Writer, WriterConfig};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tower::ServiceExt;

use crate::otlp::{Log, request};

/// 2024-01-01T00:00:00Z, the time of the documented examples.
pub(crate) const T0: i64 = 1_704_067_200;
pub(crate) const TRACE: &str = "5b8efff798038103d269b633813fc60c";
pub(crate) const TENANT: &str = "my-tenant";

/// In the table.
pub(crate) const SHIFTED: [Log; 2] = [
    Log::info("api-service", T0, "Request processed successfully"),
    Log { attributes: &[("user.id", "u1")], trace_id: TRACE, ..Log::error("api-service", T0 + 60, "login failed") },
];
/// In the WAL.
pub(crate) const FRESH: [Log; 2] =
    [Log::info("api-service", T0 + 120, "level=warn msg=\"login ok\""), Log::error("api-gateway", T0 + 180, "Payment timeout")];
const FOREIGN: [Log; 1] = [Log::info("secret-service", T0 + 1, "of another tenant")];

pub(crate) struct Api {
    router: Router,
    pub(crate) registry: Registry,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// `data.result` of a query.
    pub(crate) fn result(&self) -> Value {
        self.json()["data"]["result"].take()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Api {
    /// The corpus with the default configuration; the clock stands an hour after the first line.
    pub(crate) async fn new() -> Self {
        Self::with(LokiConfig::default()).await
    }

    pub(crate) async fn with(config: LokiConfig) -> Self {
        let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
        let wal = Arc::new(Wal::new(Root::memory()));
        tables.migrate_create(false).await.unwrap();
        let batches = rows(TENANT, &SHIFTED).into_iter().map(|(_, batch)| batch).collect::<Vec<_>>();
        let files = tables.write_files(Table::Logs, batches, FileOptions::default()).await.unwrap();
        tables.commit(Table::Logs, Append { files, ledger: Ledger::default() }).await.unwrap();
        append(&wal, TENANT, &FRESH).await;
        append(&wal, "other", &FOREIGN).await;
        Self::over(tables, wal, config)
    }

    pub(crate) fn over(tables: Arc<Tables>, wal: Arc<Wal>, config: LokiConfig) -> Self {
        Self::over_engine(tables, wal, EngineConfig::default(), config)
    }

    pub(crate) fn over_engine(tables: Arc<Tables>, wal: Arc<Wal>, engine: EngineConfig, config: LokiConfig) -> Self {
        let engine = Engine::new(tables, Some(wal), engine).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_secs(T0 + 3_600)));
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let build = BuildInfo { version: "1.2.3".to_owned(), revision: "abcdef".to_owned() };
        Self { router: router(LokiState { engine: Arc::new(engine), clock, config, metrics, build }), registry }
    }

    /// What a server serves.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// What is counted, as Prometheus reads it.
    pub(crate) fn metrics_text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }

    /// With the routes of another router.
    pub(crate) fn merge(self, other: Router) -> Self {
        Self { router: self.router.merge(other), ..self }
    }

    /// A GET as the test tenant.
    pub(crate) async fn get(&self, path: &str, params: &[(&str, &str)]) -> Reply {
        self.get_with(path, params, &[("X-Scope-OrgID", TENANT)]).await
    }

    pub(crate) async fn get_with(&self, path: &str, params: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        let question = if params.is_empty() { "" } else { "?" };
        let uri = format!("{path}{question}{}", encoded(params));
        let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A POST with a form as the test tenant.
    pub(crate) async fn post(&self, path: &str, params: &[(&str, &str)]) -> Reply {
        let request = Request::post(path)
            .header("X-Scope-OrgID", TENANT)
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        self.send(request.body(Body::from(encoded(params))).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// `query_range` as the test tenant, over the corpus' hour.
    pub(crate) async fn range(&self, query: &str, more: &[(&str, &str)]) -> Reply {
        let mut params = vec![("query", query), ("start", "1704067200"), ("end", "1704070800")];
        params.extend(more);
        self.get("/loki/api/v1/query_range", &params).await
    }

    pub(crate) async fn instant(&self, query: &str) -> Reply {
        self.get("/loki/api/v1/query", &[("query", query)]).await
    }
}

pub(crate) fn encoded(params: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let byte = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect()
    };
    params.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}

pub(crate) fn rows(tenant: &str, logs: &[Log]) -> Vec<(Table, arrow::array::RecordBatch)> {
    let tenant: TenantId = tenant.parse().unwrap();
    let origin = Origin { tenant, account: None, ingested: Timestamp::from_secs(T0 + 300) };
    let rows = decode(Signal::Logs, Encoding::Json, &request(logs), &origin, &Limits::default()).unwrap();
    assert_eq!(rows.accepted, logs.len() as u64);
    rows.batches
}

pub(crate) async fn append(wal: &Arc<Wal>, tenant: &str, logs: &[Log]) {
    append_rows(wal, tenant, rows(tenant, logs)).await;
}

pub(crate) async fn append_rows(wal: &Arc<Wal>, tenant: &str, batches: Vec<(Table, arrow::array::RecordBatch)>) {
    let config = WriterConfig { flush_interval: Duration::from_millis(5), ..WriterConfig::default() };
    let metrics = icegate_wal::Metrics::default();
    let (writer, task) = Writer::start(Arc::clone(wal), config, Arc::new(SystemClock), Arc::new(RandomIds), metrics);
    let id = RequestId(RandomIds.unique().0);
    let request = icegate_wal::Request { id, tenant: tenant.parse().unwrap(), account: None, batches };
    writer.append(request).await.unwrap();
    task.close().await;
}

/// Lines of `api`, a millisecond apart, as the test tenant's.
pub(crate) async fn append_lines(wal: &Arc<Wal>, lines: Vec<String>) {
    let entry = |(at, line)| {
        let time = Timestamp::from_secs(T0 + 1) + Duration::from_millis(at);
        icegate_otlp::LogEntry { time, line, metadata: Vec::new() }
    };
    let entries = (0..).zip(lines).map(entry).collect();
    let stream = icegate_otlp::LogStream { labels: vec![("service_name".to_owned(), "api".to_owned())], entries };
    let origin = Origin { tenant: TENANT.parse().unwrap(), account: None, ingested: Timestamp::from_secs(T0 + 300) };
    let batches = icegate_otlp::log_streams(vec![stream], &origin, &Limits::default()).unwrap().batches;
    append_rows(wal, TENANT, batches).await;
}
