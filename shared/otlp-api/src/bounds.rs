use std::time::Duration;

use icegate_otlp::Limits;
use icegate_runtime::config::OtlpHttp;

/// What a request may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a body as it is sent.
    pub body_bytes: usize,
    /// Bytes of a body when it is decompressed.
    pub decoded_bytes: usize,
    /// How long a body may take to arrive: a client that stalls gives its place back.
    pub body_time: Duration,
    /// Requests that are served at once.
    pub concurrent_requests: usize,
    /// Bounds of what a body holds.
    pub content: Limits,
}

impl From<&OtlpHttp> for Bounds {
    /// As they are configured.
    fn from(http: &OtlpHttp) -> Self {
        Self {
            body_bytes: http.max_body_bytes,
            decoded_bytes: http.max_decoded_bytes,
            concurrent_requests: http.max_concurrent_requests,
            content: Limits { record_bytes: http.max_record_bytes, ..Limits::default() },
            ..Self::default()
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            decoded_bytes: 64 << 20,
            body_time: Duration::from_secs(30),
            concurrent_requests: 256,
            content: Limits::default(),
        }
    }
}
