//! The API on a port, over the corpus in each of the places where lines can be.

use std::sync::Arc;

use icegate_engine::{Engine, EngineConfig};
use icegate_loki_api::{BuildInfo, LokiConfig, LokiState, Metrics, router};
use icegate_model::{RandomIds, SystemClock, Table, Timestamp};
use icegate_storage::Root;
use icegate_tables::{Append, FileOptions, Ledger, Tables};
use icegate_testkit::ManualClock;
use icegate_wal::Wal;
use prometheus_client::registry::Registry;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::api::{FRESH, SHIFTED, T0, TENANT, append, rows};

/// Where the corpus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// All of it in the WAL.
    Wal,
    /// All of it in the table.
    Table,
    /// Half of it in each.
    Both,
}

impl Stored {
    pub(crate) const ALL: [Self; 3] = [Self::Wal, Self::Table, Self::Both];

    /// Files and segments.
    pub(crate) const fn objects(self) -> u64 {
        if matches!(self, Self::Both) { 2 } else { 1 }
    }
}

pub(crate) struct Served {
    base: String,
    client: Client,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Served {
    pub(crate) async fn new(stored: Stored) -> Self {
        Self::with(stored, LokiConfig::default()).await
    }

    pub(crate) async fn with(stored: Stored, config: LokiConfig) -> Self {
        let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
        let wal = Arc::new(Wal::new(Root::memory()));
        tables.migrate_create(false).await.unwrap();
        let all: Vec<_> = SHIFTED.into_iter().chain(FRESH).collect();
        match stored {
            Stored::Wal => append(&wal, TENANT, &all).await,
            Stored::Table => write(&tables, &all).await,
            Stored::Both => {
                write(&tables, &SHIFTED).await;
                append(&wal, TENANT, &FRESH).await;
            }
        }
        let engine = Arc::new(Engine::new(tables, Some(wal), EngineConfig::default()).unwrap());
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(T0 + 3_600)));
        let metrics = Metrics::register(&mut Registry::default());
        let build = BuildInfo { version: "1.2.3".to_owned(), revision: "abcdef".to_owned() };
        let router = router(LokiState { engine, clock, config, metrics, build });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, client: Client::new(), server }
    }

    /// A GET as the test tenant.
    pub(crate) fn get(&self, path: &str, params: &[(&str, &str)]) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).query(params).header("X-Scope-OrgID", TENANT)
    }

    /// A POST of a form as the test tenant.
    pub(crate) fn post(&self, path: &str, params: &[(&str, &str)]) -> RequestBuilder {
        let body = reqwest::Url::parse_with_params("http://x/", params).unwrap().query().unwrap_or_default().to_owned();
        let post = self.client.post(format!("{}{path}", self.base)).header("X-Scope-OrgID", TENANT);
        post.header("Content-Type", "application/x-www-form-urlencoded").body(body)
    }

    /// The same answer to a GET and a POST, without `stats`.
    pub(crate) async fn json(&self, path: &str, params: &[(&str, &str)]) -> Value {
        let (got, posted) = (answer(self.get(path, params)).await, answer(self.post(path, params)).await);
        assert_eq!(got, posted, "{path}");
        got
    }
}

/// Status 200, and the JSON without `data.stats`.
pub(crate) async fn answer(request: RequestBuilder) -> Value {
    let (status, text) = reply(request).await;
    assert_eq!(status, 200, "{text}");
    let mut document: Value = serde_json::from_str(&text).unwrap();
    if let Some(data) = document.get_mut("data").and_then(Value::as_object_mut) {
        data.remove("stats");
    }
    document
}

pub(crate) async fn reply(request: RequestBuilder) -> (u16, String) {
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

async fn write(tables: &Tables, logs: &[crate::otlp::Log]) {
    let batches = rows(TENANT, logs).into_iter().map(|(_, batch)| batch).collect::<Vec<_>>();
    let files = tables.write_files(Table::Logs, batches, FileOptions::default()).await.unwrap();
    tables.commit(Table::Logs, Append { files, ledger: Ledger::default() }).await.unwrap();
}
