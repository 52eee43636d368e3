use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use icegate_model::Signal;
use tokio::sync::Mutex;

use super::SendError;
use super::generate::Generator;
use super::payload::Payload;
use super::replay::{Chunk, Replay};
use super::rows;

/// A request to send.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) number: u64,
    pub(crate) rows: u64,
    /// Uncompressed.
    pub(crate) body: Bytes,
    /// Bytes of the replayed file; 0 for a generated request.
    pub(crate) taken: u64,
}

/// Where requests come from, in what form and how many.
pub(crate) struct Source {
    pub(crate) signal: Signal,
    pub(crate) as_json: bool,
    pub(crate) limit: Option<u64>,
    pub(crate) given: AtomicU64,
    pub(crate) origin: Origin,
}

/// What requests are made from.
pub(crate) enum Origin {
    Generated(Generator),
    Replayed { path: PathBuf, replay: Box<Mutex<Replay>> },
}

impl Source {
    /// The next request; none when there are no more. Each request is given to one caller.
    pub(crate) async fn next(&self) -> Result<Option<Message>, SendError> {
        let given = self.given.fetch_add(1, Ordering::Relaxed);
        if self.limit.is_some_and(|limit| given >= limit) {
            return Ok(None);
        }
        match &self.origin {
            Origin::Generated(generator) => Ok(generator.request(given).map(|request| Message {
                number: request.number,
                rows: request.rows,
                body: request.payload.encode(self.as_json),
                taken: 0,
            })),
            Origin::Replayed { path, replay } => {
                let chunk = replay.lock().await.next().await?;
                chunk.map(|chunk| self.replayed(path, chunk)).transpose()
            }
        }
    }

    fn replayed(&self, path: &Path, chunk: Chunk) -> Result<Message, SendError> {
        let refuse = |reason: String| SendError::ReplayMessage {
            path: path.to_owned(),
            offset: chunk.offset,
            signal: self.signal.name(),
            reason,
        };
        let rows = rows::count(self.signal, &chunk.body).map_err(|reason| refuse(reason.to_owned()))?;
        let body = if self.as_json {
            Payload::decode(self.signal, &chunk.body).map_err(|error| refuse(error.to_string()))?.encode(true)
        } else {
            chunk.body
        };
        Ok(Message { number: chunk.number, rows, body, taken: chunk.taken })
    }
}
