//! Answers as Loki writes them, straight to bytes.

mod number;
mod result;
mod stats;

use std::io::{self, Write};

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use icegate_logql::{Answer, Labels};
use icegate_model::Timestamp;
use serde::Serialize;

use self::result::{LabelMap, QueryResult};
pub(crate) use self::stats::{Read, Stats};
use crate::LokiError;
use crate::call::Encoding;
use crate::tail::Dropped;

#[derive(Serialize)]
struct Success<'a, T> {
    status: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueryData<'a> {
    result_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_flags: Option<&'a [String]>,
    result: QueryResult<'a>,
    stats: &'a Stats,
}

/// A query's answer; `at` is the time of a scalar.
pub(crate) fn query(answer: Answer, at: Timestamp, encoding: &Encoding, stats: &Stats, max: usize) -> Result<Vec<u8>, LokiError> {
    let answer = match answer {
        Answer::Streams(streams) if !encoding.is_categorized() => Answer::Streams(icegate_logql::merge_labels(streams)),
        answer => answer,
    };
    let is_streams = matches!(answer, Answer::Streams(_));
    let encoding_flags = (is_streams && !encoding.flags.is_empty()).then_some(encoding.flags.as_slice());
    let (result_type, result) = QueryResult::of(&answer, at, encoding.is_categorized());
    write(Some(&QueryData { result_type, encoding_flags, result, stats }), stats.warnings(), max)
}

#[derive(Serialize)]
struct TailFrame<'a> {
    streams: QueryResult<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped_entries: Vec<DroppedEntry<'a>>,
    #[serde(rename = "encodingFlags", skip_serializing_if = "<[String]>::is_empty")]
    encoding_flags: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct DroppedEntry<'a> {
    timestamp: String,
    labels: LabelMap<'a>,
}

/// Lines of a tail as one text.
pub(crate) fn tail(
    lines: &Answer,
    dropped: &[Dropped],
    warnings: &[String],
    encoding: &Encoding,
    max: usize,
) -> Result<String, LokiError> {
    let (_, streams) = QueryResult::of(lines, Timestamp::default(), encoding.is_categorized());
    let dropped = dropped
        .iter()
        .map(|entry| DroppedEntry { timestamp: entry.timestamp.nanos().to_string(), labels: LabelMap(&entry.labels) });
    let frame = TailFrame { streams, dropped_entries: dropped.collect(), encoding_flags: &encoding.flags, warnings };
    let bytes = bare(&frame, max)?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// Label names or values; without any, there is no `data`.
pub(crate) fn names(names: &[String], warnings: &[String], max: usize) -> Result<Vec<u8>, LokiError> {
    write((!names.is_empty()).then_some(&names), warnings, max)
}

/// Streams as label sets.
pub(crate) fn label_sets(sets: &[Labels], warnings: &[String], max: usize) -> Result<Vec<u8>, LokiError> {
    write(Some(&sets.iter().map(LabelMap).collect::<Vec<_>>()), warnings, max)
}

/// Anything as the data of a success, in at most `max` bytes.
pub(crate) fn success<T: Serialize>(data: &T, max: usize) -> Result<Vec<u8>, LokiError> {
    write(Some(data), &[], max)
}

/// The same with warnings.
pub(crate) fn success_with<T: Serialize>(data: &T, warnings: &[String], max: usize) -> Result<Vec<u8>, LokiError> {
    write(Some(data), warnings, max)
}

fn write<T: Serialize>(data: Option<&T>, warnings: &[String], max: usize) -> Result<Vec<u8>, LokiError> {
    bare(&Success { status: "success", warnings, data }, max)
}

/// An answer without an envelope.
pub(crate) fn bare<T: Serialize>(answer: &T, max: usize) -> Result<Vec<u8>, LokiError> {
    let mut body = Bounded { bytes: Vec::new(), max };
    match serde_json::to_writer(&mut body, answer) {
        Ok(()) => Ok(body.bytes),
        Err(error) if error.is_io() => Err(LokiError::AnswerTooLarge { max }),
        Err(source) => Err(LokiError::Answer { source }),
    }
}

/// A body of JSON.
pub(crate) fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=UTF-8")], body).into_response()
}

/// Fails beyond `max` bytes, and in no other way.
struct Bounded {
    bytes: Vec<u8>,
    max: usize,
}

impl Write for Bounded {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + buffer.len() > self.max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
