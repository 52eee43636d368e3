//! Tables and a WAL in memory, filled and shifted the way the processes do it, and the API over them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use icegate_engine::{Engine, EngineConfig};
use icegate_model::{IdGenerator, RandomIds, RequestId, Signal, SystemClock, Table, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use icegate_shift::{ShiftConfig, Shifter};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_tempo_api::{BuildInfo, Metrics, Streams, TempoConfig, TempoState, router_and_streams};
use icegate_testkit::ManualClock;
use icegate_wal::{Wal, Writer, WriterConfig};
use serde_json::{Value, json};
use tower::ServiceExt;

/// When the tests' spans start, in seconds: a multiple of every step that tests use.
pub(crate) const T0: i64 = 1_663_200_000;
/// What time it is for the API.
const NOW: i64 = T0 + 1_800;

/// Where spans are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Wal,
    Table,
    Both,
}

impl State {
    pub(crate) const ALL: [Self; 3] = [Self::Wal, Self::Table, Self::Both];
}

pub(crate) struct World {
    tables: Arc<Tables>,
    wal: Arc<Wal>,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The JSON of an answer that succeeded.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.headers.get("content-type").map(|value| value.to_str().unwrap())
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self::without_tables();
        world.tables.migrate_create(false).await.unwrap();
        world
    }

    /// A world in which nobody has created the tables.
    pub(crate) fn without_tables() -> Self {
        let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
        Self { tables, wal: Arc::new(Wal::new(Root::memory())) }
    }

    /// A world with these OTLP/JSON requests of the tenant `default`; in [`State::Both`] every second one is in the table.
    pub(crate) async fn with(requests: &[Value], state: State) -> Self {
        let world = Self::new().await;
        let (shifted, fresh): (Vec<_>, Vec<_>) = requests.iter().enumerate().partition(|(at, _)| match state {
            State::Wal => false,
            State::Table => true,
            State::Both => at % 2 == 0,
        });
        for (_, request) in shifted {
            world.ingest("default", request).await;
        }
        world.shift().await;
        for (_, request) in fresh {
            world.ingest("default", request).await;
        }
        world
    }

    pub(crate) async fn ingest(&self, tenant: &str, request: &Value) {
        self.ingest_bytes(tenant, Encoding::Json, request.to_string().as_bytes()).await;
    }

    pub(crate) async fn ingest_bytes(&self, tenant: &str, encoding: Encoding, body: &[u8]) {
        let origin = Origin { tenant: tenant.parse().unwrap(), account: None, ingested: Timestamp::from_secs(NOW) };
        let rows = decode(Signal::Traces, encoding, body, &origin, &Limits::default()).unwrap();
        assert_eq!(rows.rejected.count, 0, "{:?}", rows.rejected);
        if rows.batches.is_empty() {
            return;
        }
        let config = WriterConfig { flush_interval: Duration::from_millis(1), ..WriterConfig::default() };
        let metrics = icegate_wal::Metrics::default();
        let (writer, task) = Writer::start(Arc::clone(&self.wal), config, Arc::new(SystemClock), Arc::new(RandomIds), metrics);
        let id = RequestId(RandomIds.unique().0);
        let request = icegate_wal::Request { id, tenant: origin.tenant, account: None, batches: rows.batches };
        writer.append(request).await.unwrap();
        task.close().await;
    }

    /// Moves what is in the WAL to the table.
    pub(crate) async fn shift(&self) {
        let (tables, wal) = (Arc::clone(&self.tables), Arc::clone(&self.wal));
        let metrics = icegate_shift::Metrics::default();
        Shifter::new(tables, wal, ShiftConfig::default(), Arc::new(SystemClock), metrics).pass(Table::Spans).await.unwrap();
    }

    pub(crate) fn api(&self) -> Api {
        self.api_with(TempoConfig { max_spans_per_span_set: 10_000, ..TempoConfig::default() }, EngineConfig::default())
    }

    /// The API that searches slices of time however few rows there are.
    pub(crate) fn api_in_slices(&self) -> Api {
        let config = TempoConfig { max_spans_per_span_set: 10_000, rows_at_once: 0, ..TempoConfig::default() };
        self.api_with(config, EngineConfig::default())
    }

    pub(crate) fn api_with(&self, config: TempoConfig, engine: EngineConfig) -> Api {
        self.api_and_streams(config, engine).0
    }

    pub(crate) fn api_and_streams(&self, config: TempoConfig, engine: EngineConfig) -> (Api, Streams) {
        let engine = Engine::new(Arc::clone(&self.tables), Some(Arc::clone(&self.wal)), engine).unwrap();
        let (router, streams) = router_and_streams(TempoState {
            engine: Arc::new(engine),
            clock: Arc::new(ManualClock::at(Timestamp::from_secs(NOW))),
            config,
            metrics: Metrics::default(),
            build: BuildInfo { version: "1.2.3".to_owned(), revision: "abc".to_owned() },
        });
        (Api(router), streams)
    }
}

/// The API, asked without a port.
pub(crate) struct Api(Router);

impl Api {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(path, &[]).await
    }

    /// With parameters that are written as a client does.
    pub(crate) async fn query(&self, path: &str, params: &[(&str, &str)]) -> Reply {
        let pairs: Vec<_> = params.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.get(&format!("{path}?{}", pairs.join("&"))).await
    }

    pub(crate) async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (head, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, 100 << 20).await.unwrap().to_vec();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }
}

/// A text as a part of a query string.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A request of spans of one service.
pub(crate) fn request(service: &str, spans: Vec<Value>) -> Value {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": service}}]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})
}

/// A span: ids as digits, times in milliseconds after [`T0`].
pub(crate) fn span(trace: &str, id: &str, parent: Option<&str>, name: &str, start: i64, duration: i64) -> Value {
    let nanos = |millis: i64| (T0 * 1_000_000_000 + millis * 1_000_000).to_string();
    let mut span = json!({
        "traceId": format!("{trace:0>32}"), "spanId": format!("{id:0>16}"), "name": name, "kind": 2,
        "startTimeUnixNano": nanos(start), "endTimeUnixNano": nanos(start + duration),
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = json!(format!("{parent:0>16}"));
    }
    span
}
