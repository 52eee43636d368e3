//! A store whose objects are as old as the test's clock says.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use icegate_model::{Clock, Timestamp};
use icegate_storage::{Root, Store};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

/// Passes everything on; listings say when the test's clock showed the put.
#[derive(Debug)]
pub(crate) struct Clocked {
    store: Store,
    clock: Arc<dyn Clock>,
    written: Arc<Mutex<HashMap<Path, Timestamp>>>,
    /// Deletes of these fail.
    pub(crate) undeletable: Arc<Mutex<Vec<Path>>>,
    /// Who holds it stops whoever creates an object, just before.
    pub(crate) creations: tokio::sync::Mutex<()>,
    /// Those that have come to create an object.
    pub(crate) waiting: AtomicUsize,
}

impl Clocked {
    pub(crate) fn over(root: &Root, clock: &Arc<impl Clock + 'static>) -> (Root, Arc<Self>) {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        let (written, undeletable) = (Arc::default(), Arc::default());
        let clocked = Arc::new(Self {
            store: Arc::clone(&root.store),
            clock,
            written,
            undeletable,
            creations: Default::default(),
            waiting: Default::default(),
        });
        (root.with_store(Arc::clone(&clocked) as Store), clocked)
    }
}

impl fmt::Display for Clocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clocked({})", self.store)
    }
}

#[async_trait]
impl ObjectStore for Clocked {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if matches!(options.mode, PutMode::Create) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            drop(self.creations.lock().await);
        }
        let put = self.store.put_opts(location, payload, options).await?;
        self.written.lock().unwrap().insert(location.clone(), self.clock.now());
        Ok(put)
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let undeletable = Arc::clone(&self.undeletable);
        let (store, written) = (Arc::clone(&self.store), Arc::clone(&self.written));
        let deleted = locations.then(move |location| {
            let (undeletable, store, written) = (Arc::clone(&undeletable), Arc::clone(&store), Arc::clone(&written));
            async move {
                let location = location?;
                if undeletable.lock().unwrap().contains(&location) {
                    return Err(object_store::Error::Generic { store: "clocked", source: "503 SlowDown".into() });
                }
                written.lock().unwrap().remove(&location);
                let mut deleted = store.delete_stream(futures::stream::iter([Ok(location)]).boxed());
                deleted.next().await.unwrap()
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let written = Arc::clone(&self.written);
        let dated = move |listed: Result<ObjectMeta>| {
            let mut object = listed?;
            if let Some(at) = written.lock().unwrap().get(&object.location) {
                let millis = u64::try_from(at.millis()).unwrap();
                object.last_modified = (std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis)).into();
            }
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
