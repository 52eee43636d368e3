use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use icegate_wal::{Footer, Segment, Wal, WalError};
use moka::future::Cache;

/// A version of a segment.
type Key = (String, Option<String>);

/// Footers of segments, kept between queries. A segment's path and ETag never stand for other bytes, so nothing expires.
#[derive(Clone, Debug)]
pub(crate) struct Footers {
    cache: Cache<Key, Arc<Footer>>,
    parallelism: usize,
}

impl Footers {
    pub(crate) fn new(entries: u64, parallelism: usize) -> Self {
        Self { cache: Cache::new(entries), parallelism: parallelism.max(1) }
    }

    /// Each segment with its footer, in the order given.
    pub(crate) async fn of(&self, wal: &Wal, segments: Vec<Segment>) -> Result<Vec<(Segment, Arc<Footer>)>, WalError> {
        stream::iter(segments)
            .map(|segment| async move {
                let footer = self.footer(wal, &segment).await?;
                Ok((segment, footer))
            })
            .buffered(self.parallelism)
            .try_collect()
            .await
    }

    async fn footer(&self, wal: &Wal, segment: &Segment) -> Result<Arc<Footer>, WalError> {
        let key = (segment.path.to_string(), segment.e_tag.clone());
        if let Some(footer) = self.cache.get(&key).await {
            return Ok(footer);
        }
        let footer = Arc::new(wal.footer(segment).await?);
        self.cache.insert(key, Arc::clone(&footer)).await;
        Ok(footer)
    }
}
