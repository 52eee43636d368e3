use std::collections::HashMap;
use std::time::Duration;

use icegate_model::TenantId;

/// `limit` where the client gives none.
pub(crate) const DEFAULT_LIMIT: usize = 100;
/// Most points of a series.
pub(crate) const MAX_POINTS: usize = 11_000;
/// Bytes of a form; a query's text is at most 128 KiB of it.
pub(crate) const MAX_FORM_BYTES: usize = 1 << 20;
/// Bytes of an answer.
pub(crate) const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Selectors of one `series` request.
pub(crate) const MAX_SELECTORS: usize = 100;

/// Series of volumes.
pub(crate) const MAX_VOLUME_SERIES: usize = 5_000;
/// Detected fields, and values of one.
pub(crate) const MAX_FIELDS: usize = 1_000;

/// Bounds of queries, and how errors are written.
#[derive(Clone, Debug)]
pub struct LokiConfig {
    /// How long a query may take, from the request to the written answer.
    pub query_timeout: Duration,
    /// Largest `limit` of a log query.
    pub max_entries_limit: usize,
    /// How errors are written where the client doesn't ask for JSON.
    pub error_format: ErrorFormat,
    /// Most series of an answer.
    pub max_query_series: usize,
    /// Queries that run at once.
    pub max_concurrent_queries: usize,
    /// Queries of one tenant that run at once.
    pub max_concurrent_queries_per_tenant: Option<usize>,
    /// Tails of one tenant at once.
    pub max_concurrent_tail_requests: usize,
    /// Longest time from a query's start to its end.
    pub max_query_length: Option<Duration>,
    /// Longest window of a metric query.
    pub max_query_range: Option<Duration>,
    /// Bytes of the files and segments that a query's scans are planned over.
    pub max_query_bytes_read: Option<u64>,
    /// Whether a line filter of 32 hexadecimal digits also finds the lines of that trace.
    pub trace_id_line_filter: bool,
    /// What holds for single tenants instead; `max_concurrent_queries`, and overrides in them, count for nothing there.
    pub overrides: HashMap<TenantId, LokiConfig>,
}

/// How an error's body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorFormat {
    /// The message alone, as Loki does.
    #[default]
    Text,
    /// `{"status":"error","errorType":…,"error":…,"message":…}`
    Json,
}

impl Default for LokiConfig {
    fn default() -> Self {
        Self {
            query_timeout: Duration::from_secs(60),
            max_entries_limit: 5_000,
            error_format: ErrorFormat::Text,
            max_query_series: 10_000,
            max_concurrent_queries: 64,
            max_concurrent_queries_per_tenant: None,
            max_concurrent_tail_requests: 10,
            max_query_length: None,
            max_query_range: None,
            max_query_bytes_read: None,
            trace_id_line_filter: true,
            overrides: HashMap::new(),
        }
    }
}
