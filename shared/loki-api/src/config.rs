use std::time::Duration;

/// Bounds and defaults of the API.
#[derive(Clone, Debug)]
pub struct LokiConfig {
    /// How long a query may take, from the request to the written answer.
    pub query_timeout: Duration,
    /// `limit` where the client gives none.
    pub default_limit: usize,
    /// Largest `limit` of a log query.
    pub max_entries_limit: usize,
    /// Most series of an answer.
    pub max_query_series: usize,
    /// Most points of a series.
    pub max_points: usize,
    /// Longest range from `start` to `end`; none for any.
    pub max_query_length: Option<Duration>,
    /// Queries that run at once.
    pub max_concurrent_queries: usize,
    /// Bytes of a form.
    pub max_form_bytes: usize,
    /// Bytes of an answer.
    pub max_response_bytes: usize,
    /// Whether a line filter of 32 hexadecimal digits also finds the lines of that trace.
    pub trace_id_line_filter: bool,
    /// How errors are written where the client doesn't ask for JSON.
    pub error_format: ErrorFormat,
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
            default_limit: 100,
            max_entries_limit: 5_000,
            max_query_series: 10_000,
            max_points: 11_000,
            max_query_length: None,
            max_concurrent_queries: 64,
            max_form_bytes: 1 << 20,
            max_response_bytes: 256 << 20,
            trace_id_line_filter: true,
            error_format: ErrorFormat::Text,
        }
    }
}
