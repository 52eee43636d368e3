use std::time::Duration;

/// `limit` of a search where the client gives none.
pub(crate) const DEFAULT_LIMIT: usize = 20;
/// Largest `limit` of a search.
pub(crate) const MAX_LIMIT: usize = 256 << 10;
/// Bytes of a query's text, and of a form.
pub(crate) const MAX_QUERY_BYTES: usize = 128 << 10;
/// Bytes of a form; a query's text is part of it.
pub(crate) const MAX_FORM_BYTES: usize = 1 << 20;
/// Bytes of an answer.
pub(crate) const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Exemplars of a metrics query, and how many there are where the client doesn't say.
pub(crate) const MAX_EXEMPLARS: usize = 100;
/// Names of attributes, or values of one, in an answer.
pub(crate) const MAX_NAMES: usize = 1_000_000;

/// Bounds of queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TempoConfig {
    /// How long a query may take, from the request to the written answer.
    pub query_timeout: Duration,
    /// Queries that run at once.
    pub max_concurrent_queries: usize,
    /// Largest `spss` of a search.
    pub max_spans_per_span_set: usize,
    /// Bytes of a trace that is asked for by its id, as protobuf.
    pub max_trace_bytes: usize,
    /// How far the spans of a trace that is searched for may start before or after the time that is searched.
    pub trace_reach: Duration,
    /// So many rows are searched at once; more in slices of time, newest first, each of which opens its files anew.
    pub rows_at_once: u64,
}

impl Default for TempoConfig {
    fn default() -> Self {
        Self {
            query_timeout: Duration::from_secs(60),
            max_concurrent_queries: 64,
            max_spans_per_span_set: 100,
            max_trace_bytes: 50 << 20,
            trace_reach: Duration::from_secs(3_600),
            rows_at_once: 200_000,
        }
    }
}
