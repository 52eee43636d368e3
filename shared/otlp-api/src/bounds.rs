/// What a request may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of a body as it is sent.
    pub body_bytes: usize,
    /// Bytes of a body when it is decompressed.
    pub decoded_bytes: usize,
    /// Requests that are served at once.
    pub concurrent_requests: usize,
    /// Bounds of what a body holds.
    pub content: icegate_otlp::Limits,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { body_bytes: 16 << 20, decoded_bytes: 64 << 20, concurrent_requests: 256, content: icegate_otlp::Limits::default() }
    }
}
