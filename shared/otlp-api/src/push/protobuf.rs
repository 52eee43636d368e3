use icegate_model::Timestamp;
use icegate_otlp::{LogEntry, LogStream};
use prost::Message;

use super::labels;
use crate::IngestError;
use crate::body::unsnap;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// `logproto.PushRequest`.
#[derive(Clone, PartialEq, Message)]
struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    streams: Vec<Stream>,
}

/// Lines and what they share: labels as `{name="value"}`.
#[derive(Clone, PartialEq, Message)]
struct Stream {
    #[prost(string, tag = "1")]
    labels: String,
    #[prost(message, repeated, tag = "2")]
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<Time>,
    #[prost(string, tag = "2")]
    line: String,
    #[prost(message, repeated, tag = "3")]
    structured_metadata: Vec<Pair>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// The streams of a snappy block that holds at most `limit` bytes.
pub(super) fn streams(body: &[u8], limit: usize) -> Result<Vec<LogStream>, IngestError> {
    let decoded = unsnap(body, limit)?;
    let request = PushRequest::decode(decoded.as_slice())
        .map_err(|error| IngestError::Push { message: format!("body is no protobuf of a push: {error}") })?;
    request.streams.into_iter().enumerate().map(|(at, stream)| stream.read(at)).collect()
}

impl Stream {
    fn read(self, at: usize) -> Result<LogStream, IngestError> {
        let labels = labels::read(&self.labels)
            .map_err(|error| IngestError::Push { message: format!("streams[{at}].labels can't be read: {error}") })?;
        Ok(LogStream { labels, entries: self.entries.into_iter().map(Entry::read).collect() })
    }
}

impl Entry {
    fn read(self) -> LogEntry {
        let metadata = self.structured_metadata.into_iter().map(|pair| (pair.name, pair.value)).collect();
        LogEntry { time: self.timestamp.unwrap_or_default().read(), line: self.line, metadata }
    }
}

impl Time {
    /// A time that no 64 bits of nanoseconds hold reads as the epoch, which is refused.
    fn read(self) -> Timestamp {
        let nanos = self.seconds.checked_mul(NANOS_PER_SECOND).and_then(|nanos| nanos.checked_add(i64::from(self.nanos)));
        Timestamp::from_nanos(nanos.unwrap_or(0))
    }
}
