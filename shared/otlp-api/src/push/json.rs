use std::borrow::Cow;
use std::fmt;

use icegate_model::Timestamp;
use icegate_otlp::{LogEntry, LogStream};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::IngestError;

/// `{"streams": [{"stream": {…}, "values": [["<ns>", "<line>", {…}], …]}]}`; what else it has is passed over.
#[derive(serde::Deserialize)]
struct PushRequest {
    streams: Vec<Stream>,
}

#[derive(serde::Deserialize)]
struct Stream {
    stream: Pairs,
    #[serde(default)]
    values: Vec<Entry>,
}

/// The streams of a JSON document.
pub(super) fn streams(body: &[u8]) -> Result<Vec<LogStream>, IngestError> {
    let request = serde_json::from_slice::<PushRequest>(body).map_err(|source| {
        let mut track = serde_path_to_error::Track::new();
        let mut reader = serde_json::Deserializer::from_slice(body);
        let _ = PushRequest::deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track));
        IngestError::Push { message: format!("body is no JSON of a push at {}: {source}", track.path()) }
    })?;
    let read =
        |stream: Stream| LogStream { labels: stream.stream.0, entries: stream.values.into_iter().map(|entry| entry.0).collect() };
    Ok(request.streams.into_iter().map(read).collect())
}

/// An object of texts, in its order.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object whose values are strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = members.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// `["<ns>", "<line>"]`, or with an object of structured metadata behind them.
struct Entry(LogEntry);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of a time in nanoseconds, a line and, if any, an object of metadata")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entry, A::Error> {
                let time = items.next_element::<Cow<'_, str>>()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let nanos = time.parse().map_err(|_| A::Error::custom(format_args!("{time:?} is no time in nanoseconds")))?;
                let line = items.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                let metadata = items.next_element::<Pairs>()?.unwrap_or_default();
                if items.next_element::<serde::de::IgnoredAny>()?.is_some() {
                    return Err(A::Error::invalid_length(4, &self));
                }
                Ok(Entry(LogEntry { time: Timestamp::from_nanos(nanos), line, metadata: metadata.0 }))
            }
        }
        deserializer.deserialize_seq(List)
    }
}
