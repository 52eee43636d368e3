use serde::Deserialize;

/// `tempo`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tempo {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// Seconds that a query may take.
    pub query_timeout_secs: u64,
    /// Queries of all tenants that run at once.
    pub max_concurrent_queries: usize,
    /// Largest `spss` of a search.
    pub max_spans_per_span_set: usize,
    /// Bytes of a trace that is asked for by its id, as protobuf.
    pub max_trace_bytes: usize,
    /// Seconds before and after the time that is searched within which a trace's spans are looked for.
    pub trace_reach_secs: u64,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            enabled: true,
            host: "0.0.0.0".to_owned(),
            port: 3200,
            query_timeout_secs: 60,
            max_concurrent_queries: 64,
            max_spans_per_span_set: 100,
            max_trace_bytes: 50 << 20,
            trace_reach_secs: 3_600,
        }
    }
}

/// `otlp_http`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpHttp {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// Bytes of a body as it is sent.
    pub max_body_bytes: usize,
    /// Bytes of a body when it is decompressed.
    pub max_decoded_bytes: usize,
    /// Bytes of one record, span or point.
    pub max_record_bytes: usize,
    /// Requests that are served at once.
    pub max_concurrent_requests: usize,
}

impl Default for OtlpHttp {
    fn default() -> Self {
        Self {
            enabled: true,
            host: "0.0.0.0".to_owned(),
            port: 4318,
            max_body_bytes: 16 << 20,
            max_decoded_bytes: 64 << 20,
            max_record_bytes: 4 << 20,
            max_concurrent_requests: 256,
        }
    }
}

/// `otlp_grpc`. The bounds on requests are those of `otlp_http`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpGrpc {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
}

impl Default for OtlpGrpc {
    fn default() -> Self {
        Self { enabled: true, host: "0.0.0.0".to_owned(), port: 4317 }
    }
}

/// `metrics`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// Path of the metrics.
    pub path: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: false, host: "127.0.0.1".to_owned(), port: 9091, path: "/metrics".to_owned() }
    }
}

/// `tracing`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracing {
    /// Whether traces are exported, where there is an endpoint.
    pub enabled: bool,
    /// The name under which they are exported.
    pub service_name: String,
    /// URL of the collector, OTLP over gRPC; else `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that is kept, 0 to 1.
    pub sample_ratio: f64,
}

impl Default for Tracing {
    fn default() -> Self {
        Self { enabled: true, service_name: "icegate".to_owned(), otlp_endpoint: None, sample_ratio: 1.0 }
    }
}
