use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};

use super::SendError;

/// Bytes of the largest message, and of the largest request that messages are joined to.
const MAX_MESSAGE: u64 = 64 << 20;
/// Bytes of a message's length.
const HEADER: u64 = 4;

/// A file of export requests, read one after the other.
///
/// ```text
/// ┌──────────────────────┬──────────────────────────────┬─────
/// │ length, u32, little- │ Export<Signal>ServiceRequest │ next …
/// │ endian               │ protobuf, length bytes       │
/// └──────────────────────┴──────────────────────────────┴─────
/// ```
pub(crate) struct Replay<R = BufReader<File>> {
    path: PathBuf,
    reader: R,
    merge_bytes: u64,
    /// Where the next byte of the reader lies in the file.
    offset: u64,
    /// The header of a message that was read but didn't fit.
    ahead: Option<Header>,
    number: u64,
}

/// One or more messages of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Counts from zero.
    pub(crate) number: u64,
    /// Where its first message begins.
    pub(crate) offset: u64,
    pub(crate) body: Bytes,
    /// Bytes of the file, headers included.
    pub(crate) taken: u64,
}

#[derive(Clone, Copy)]
struct Header {
    offset: u64,
    length: u64,
}

impl Replay {
    /// Opens a file; also says how long it is.
    pub(crate) async fn open(path: &Path, merge_bytes: u64) -> Result<(Self, u64), SendError> {
        let failed = |source| SendError::Replay { path: path.to_owned(), source };
        let file = File::open(path).await.map_err(failed)?;
        let length = file.metadata().await.map_err(failed)?.len();
        Ok((Self::new(path, BufReader::new(file), merge_bytes), length))
    }
}

impl<R: AsyncRead + Unpin> Replay<R> {
    fn new(path: &Path, reader: R, merge_bytes: u64) -> Self {
        Self { path: path.to_owned(), reader, merge_bytes: merge_bytes.min(MAX_MESSAGE), offset: 0, ahead: None, number: 0 }
    }

    /// The next message, joined with those after it while they stay within the merge size; none at the end. One message behind the
    /// other is their merge, because all fields of an export request are repeated.
    pub(crate) async fn next(&mut self) -> Result<Option<Chunk>, SendError> {
        let first = match self.ahead.take() {
            Some(header) => header,
            None => match self.header().await? {
                Some(header) => header,
                None => return Ok(None),
            },
        };
        let mut body = Vec::new();
        self.append(first, &mut body).await?;
        while (body.len() as u64) < self.merge_bytes {
            let Some(header) = self.header().await? else { break };
            if body.len() as u64 + header.length > self.merge_bytes {
                self.ahead = Some(header);
                break;
            }
            self.append(header, &mut body).await?;
        }
        let end = self.ahead.map_or(self.offset, |header| header.offset);
        let chunk = Chunk { number: self.number, offset: first.offset, body: Bytes::from(body), taken: end - first.offset };
        self.number += 1;
        Ok(Some(chunk))
    }

    async fn header(&mut self) -> Result<Option<Header>, SendError> {
        let offset = self.offset;
        let mut bytes = Vec::new();
        self.read(HEADER, &mut bytes).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let Ok(length) = <[u8; HEADER as usize]>::try_from(bytes.as_slice()) else {
            return Err(SendError::ReplayTruncated { path: self.path.clone(), offset, wanted: HEADER, got: bytes.len() as u64 });
        };
        let length = u64::from(u32::from_le_bytes(length));
        if length > MAX_MESSAGE {
            return Err(SendError::ReplayTooLarge { path: self.path.clone(), offset, length, limit: MAX_MESSAGE });
        }
        Ok(Some(Header { offset, length }))
    }

    async fn append(&mut self, header: Header, body: &mut Vec<u8>) -> Result<(), SendError> {
        let got = self.read(header.length, body).await?;
        if got < header.length {
            return Err(SendError::ReplayTruncated {
                path: self.path.clone(),
                offset: header.offset,
                wanted: header.length,
                got,
            });
        }
        Ok(())
    }

    /// Appends so many bytes, fewer only at the file's end.
    async fn read(&mut self, length: u64, into: &mut Vec<u8>) -> Result<u64, SendError> {
        let read = (&mut self.reader).take(length).read_to_end(into).await;
        let got = read.map_err(|source| SendError::Replay { path: self.path.clone(), source })? as u64;
        self.offset += got;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(messages: &[&[u8]]) -> Vec<u8> {
        messages.iter().flat_map(|message| [&u32::try_from(message.len()).unwrap().to_le_bytes()[..], message].concat()).collect()
    }

    async fn chunks(file: &[u8], merge_bytes: u64) -> Result<Vec<(u64, u64, Vec<u8>, u64)>, String> {
        let mut replay = Replay::new(Path::new("f"), file, merge_bytes);
        let mut chunks = Vec::new();
        while let Some(chunk) = replay.next().await.map_err(|error| error.to_string())? {
            chunks.push((chunk.number, chunk.offset, chunk.body.to_vec(), chunk.taken));
        }
        Ok(chunks)
    }

    #[tokio::test]
    async fn messages_come_one_by_one_with_their_place() {
        let read = chunks(&file(&[b"abc", b"", b"de"]), 0).await.unwrap();
        assert_eq!(read, [(0, 0, b"abc".to_vec(), 7), (1, 7, vec![], 4), (2, 11, b"de".to_vec(), 6)]);
        assert_eq!(chunks(&[], 0).await.unwrap(), []);
    }

    #[tokio::test]
    async fn messages_are_joined_while_they_fit_and_no_byte_is_lost() {
        let read = chunks(&file(&[b"abc", b"de", b"f", b"0123456789", b"g"]), 6).await.unwrap();
        let expected = [(0, 0, b"abcdef".to_vec(), 18), (1, 18, b"0123456789".to_vec(), 14), (2, 32, b"g".to_vec(), 5)];
        assert_eq!(read, expected);
    }

    #[tokio::test]
    async fn a_file_that_is_cut_short_is_an_error_that_says_where() {
        let mut cut = file(&[b"abc", b"defgh"]);
        cut.truncate(cut.len() - 2);
        assert_eq!(chunks(&cut, 0).await.unwrap_err(), "replay f: message at byte 7 is cut short: 5 bytes announced, 3 there");
        cut.truncate(9);
        assert_eq!(chunks(&cut, 100).await.unwrap_err(), "replay f: message at byte 7 is cut short: 4 bytes announced, 2 there");
    }

    #[tokio::test]
    async fn a_length_beyond_the_bound_is_refused_before_it_is_read() {
        assert_eq!(
            chunks(&[0xff; 8], 0).await.unwrap_err(),
            "replay f: message at byte 0 has 4294967295 bytes, allowed are 67108864"
        );
    }
}
