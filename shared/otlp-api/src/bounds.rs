use std::time::Duration;

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
    pub content: icegate_otlp::Limits,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            decoded_bytes: 64 << 20,
            body_time: Duration::from_secs(30),
            concurrent_requests: 256,
            content: icegate_otlp::Limits::default(),
        }
    }
}
