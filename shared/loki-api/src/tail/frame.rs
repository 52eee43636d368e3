use axum::extract::ws::Message;
use icegate_logql::{Answer, Entry, Labels, Stream, merge_labels};
use icegate_model::Timestamp;

use crate::LokiError;
use crate::call::Encoding;
use crate::config::MAX_ANSWER_BYTES;
use crate::render;

/// Most lines of one frame.
const MAX_LINES: usize = 1_000;
/// Bytes of lines after which a frame ends.
const MAX_BYTES: usize = 1 << 20;

/// A line that waits to be sent.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) stream: Labels,
    pub(super) entry: Entry,
}

/// A line that wasn't sent, since its client reads too slowly.
#[derive(Clone, Debug)]
pub(crate) struct Dropped {
    pub(crate) timestamp: Timestamp,
    pub(crate) labels: Labels,
}

/// The lines of streams, the earliest first.
pub(super) fn in_order(streams: Vec<Stream>) -> Vec<Line> {
    let lines = streams.into_iter().flat_map(|stream| {
        let labels = stream.labels;
        stream.entries.into_iter().map(move |entry| Line { stream: labels.clone(), entry })
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_by_key(|line| line.entry.timestamp);
    lines
}

/// How many of the lines the next frame takes: at least one.
pub(super) fn length(lines: &[Line]) -> usize {
    let mut bytes = 0;
    let fits = lines.iter().take(MAX_LINES).take_while(|line| {
        let before = bytes;
        bytes += line.entry.line.len();
        before < MAX_BYTES
    });
    fits.count()
}

/// Lines as Loki sends them, with what was dropped before them and what keeps them from being all.
///
/// A client that prints stream after stream prints them in their order: only lines that follow each other share a stream.
pub(super) fn frame(lines: &[Line], dropped: &[Dropped], warnings: &[String], encoding: &Encoding) -> Result<Message, LokiError> {
    let mut streams: Vec<Stream> = Vec::new();
    for line in lines {
        let one = vec![Stream { labels: line.stream.clone(), entries: vec![line.entry.clone()] }];
        for stream in if encoding.is_categorized() { one } else { merge_labels(one) } {
            match streams.last_mut().filter(|last| last.labels == stream.labels) {
                Some(last) => last.entries.extend(stream.entries),
                None => streams.push(stream),
            }
        }
    }
    Ok(Message::text(render::tail(&Answer::Streams(streams), dropped, warnings, encoding, MAX_ANSWER_BYTES)?))
}
