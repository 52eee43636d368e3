use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use icegate_model::ErrorKind;
use icegate_wal::{Footer, Segment, Wal, WalError};
use moka::future::Cache;

/// A version of a segment.
type Key = (String, Option<String>);

/// How long a segment that could not be read is not read again.
const DAMAGED_FOR: Duration = Duration::from_secs(60);
/// Most segments that are remembered as damaged.
const MAX_DAMAGED: u64 = 10_000;

/// Segments that were found damaged lately, so that scans are planned without them. Clones share what they know.
#[derive(Clone, Debug)]
pub(crate) struct Damaged(Cache<Key, ()>);

impl Default for Damaged {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_DAMAGED).time_to_live(DAMAGED_FOR).build())
    }
}

impl Damaged {
    pub(crate) async fn add(&self, path: &str, e_tag: Option<&str>) {
        self.0.insert((path.to_owned(), e_tag.map(str::to_owned)), ()).await;
    }

    async fn holds(&self, key: &Key) -> bool {
        self.0.get(key).await.is_some()
    }
}

/// Footers of segments, kept between queries. A segment's path and ETag never stand for other bytes, so nothing expires.
#[derive(Clone, Debug)]
pub(crate) struct Footers {
    cache: Cache<Key, Arc<Footer>>,
    parallelism: usize,
    damaged: Damaged,
}

/// Segments with their footers, and those that can't be read.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) readable: Vec<(Segment, Arc<Footer>)>,
    pub(crate) unreadable: Vec<Segment>,
}

impl Footers {
    pub(crate) fn new(entries: u64, parallelism: usize, damaged: Damaged) -> Self {
        Self { cache: Cache::new(entries), parallelism: parallelism.max(1), damaged }
    }

    /// Each segment with its footer, in the order given.
    pub(crate) async fn of(&self, wal: &Wal, segments: Vec<Segment>) -> Result<Known, WalError> {
        let read = stream::iter(segments).map(|segment| async move {
            let footer = self.footer(wal, &segment).await?;
            Ok::<_, WalError>((segment, footer))
        });
        let mut known = Known::default();
        let mut read = read.buffered(self.parallelism);
        while let Some((segment, footer)) = read.try_next().await? {
            match footer {
                Some(footer) => known.readable.push((segment, footer)),
                None => known.unreadable.push(segment),
            }
        }
        Ok(known)
    }

    /// None for a segment that can't be read: it is damaged, or of a later format.
    async fn footer(&self, wal: &Wal, segment: &Segment) -> Result<Option<Arc<Footer>>, WalError> {
        let key = (segment.path.to_string(), segment.e_tag.clone());
        if self.damaged.holds(&key).await {
            return Ok(None);
        }
        if let Some(footer) = self.cache.get(&key).await {
            return Ok(Some(footer));
        }
        let read = match wal.footer(segment).await {
            // The network may have cut the bytes short.
            Err(error) if error.kind() == ErrorKind::Corrupt => wal.footer(segment).await,
            read => read,
        };
        match read {
            Ok(footer) => {
                let footer = Arc::new(footer);
                self.cache.insert(key, Arc::clone(&footer)).await;
                Ok(Some(footer))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => {
                tracing::warn!(segment = %segment.path, %error, "segment can't be read, queries answer without it and say so");
                self.damaged.0.insert(key, ()).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
