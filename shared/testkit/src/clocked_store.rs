use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use icegate_model::{Clock, Timestamp};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

/// An object that was deleted, and how long after it was written.
pub type Deleted = (Path, Duration);

/// Passes everything on; listings and heads say when the test's clock showed the put, so that a test decides how old an object is.
#[derive(Debug)]
pub struct ClockedStore {
    store: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    written: Arc<Mutex<HashMap<Path, Timestamp>>>,
    deleted: Arc<Mutex<Vec<Deleted>>>,
    undeletable: Arc<Mutex<HashSet<Path>>>,
    /// Who holds it stops whoever creates an object, just before.
    pub creations: tokio::sync::Mutex<()>,
    arrived: AtomicUsize,
}

impl ClockedStore {
    /// A store over another, which nobody else writes to.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            written: Arc::default(),
            deleted: Arc::default(),
            undeletable: Arc::default(),
            creations: tokio::sync::Mutex::default(),
            arrived: AtomicUsize::default(),
        }
    }

    /// Deletes of these objects, and of no others, fail from now on.
    pub fn refuse_to_delete(&self, objects: impl IntoIterator<Item = Path>) {
        *lock(&self.undeletable) = objects.into_iter().collect();
    }

    /// What was deleted since the last call.
    pub fn take_deleted(&self) -> Vec<Deleted> {
        std::mem::take(&mut *lock(&self.deleted))
    }

    /// How many have come to create an object.
    pub fn creators(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }
}

/// Dates an object by the test's clock.
fn date(written: &Mutex<HashMap<Path, Timestamp>>, object: &mut ObjectMeta) {
    if let Some(at) = lock(written).get(&object.location) {
        object.last_modified = (std::time::UNIX_EPOCH + at.since(Timestamp::default())).into();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for ClockedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClockedStore({})", self.store)
    }
}

#[async_trait]
impl ObjectStore for ClockedStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if matches!(options.mode, PutMode::Create) {
            self.arrived.fetch_add(1, Ordering::SeqCst);
            drop(self.creations.lock().await);
        }
        let put = self.store.put_opts(location, payload, options).await?;
        lock(&self.written).insert(location.clone(), self.clock.now());
        Ok(put)
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut got = self.store.get_opts(location, options).await?;
        date(&self.written, &mut got.meta);
        Ok(got)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (store, clock, written) = (Arc::clone(&self.store), Arc::clone(&self.clock), Arc::clone(&self.written));
        let (deleted, undeletable) = (Arc::clone(&self.deleted), Arc::clone(&self.undeletable));
        // Each by itself, as a store does that has no call for many.
        let each = locations.flat_map(move |location| {
            let location = match location {
                Ok(location) if lock(&undeletable).contains(&location) => {
                    let refused = Error::Generic { store: "clocked", source: "503 SlowDown".into() };
                    return stream::iter([Err(refused)]).boxed();
                }
                Ok(location) => location,
                Err(error) => return stream::iter([Err(error)]).boxed(),
            };
            let age = lock(&written).remove(&location).map_or(Duration::MAX, |at| clock.now().since(at));
            lock(&deleted).push((location.clone(), age));
            store.delete_stream(stream::iter([Ok(location)]).boxed())
        });
        each.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let written = Arc::clone(&self.written);
        let dated = move |listed: Result<ObjectMeta>| {
            let mut object = listed?;
            date(&written, &mut object);
            Ok(object)
        };
        self.store.list(prefix).map(dated).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.store.rename_opts(from, to, options).await
    }
}
