use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::memory::InMemory;
use object_store::path::Path;

use crate::aws::AwsOptions;
use crate::s3::{Bucket, check_endpoint};
use crate::{DurableFiles, Location, Root, StorageError, Store};

/// Puts something around a store: counting, faults.
type Wrap = Arc<dyn Fn(Store) -> Store + Send + Sync>;

/// Opens places by their URL, all with the same options and the same wrapping. Cheap to clone; clones share the connections.
#[derive(Clone, Default)]
pub struct Stores {
    s3: AwsOptions,
    wrap: Option<Wrap>,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
}

impl Stores {
    /// Stores on this machine, and S3 with these options.
    #[must_use]
    pub fn new(s3: AwsOptions) -> Self {
        Self { s3, ..Self::default() }
    }

    /// Puts `wrap` around every store that is opened.
    #[must_use]
    pub fn with_wrap(mut self, wrap: impl Fn(Store) -> Store + Send + Sync + 'static) -> Self {
        self.wrap = Some(Arc::new(wrap));
        self
    }

    /// Whether a place can be opened, as far as its URL and the options say. Touches nothing.
    ///
    /// # Errors
    /// As [`Stores::open`], but for directories.
    pub fn check(&self, url: &str) -> Result<(), StorageError> {
        match (Location::parse(url)?, &self.s3.endpoint) {
            (Location::S3 { .. }, Some(endpoint)) => check_endpoint(endpoint),
            _ => Ok(()),
        }
    }

    /// Opens `file:///DIRECTORY/` (made where missing), `memory:///PREFIX/` (a new, empty store) or `s3://BUCKET/PREFIX/`. Makes
    /// no request: that a bucket is missing or refuses its credentials is an error of the first one. The places of one bucket share
    /// one pool of connections.
    ///
    /// # Errors
    /// What [`Location::parse`] says of the URL; [`StorageError::Endpoint`] where the options name no usable server;
    /// [`StorageError::Directory`] where the directory can't be made or written to.
    pub fn open(&self, url: &str) -> Result<Root, StorageError> {
        self.check(url)?;
        let location = Location::parse(url)?;
        let url = location.url(url);
        let (store, prefix): (Store, Path) = match location {
            Location::File(directory) => (Arc::new(DurableFiles::open(directory)?), Path::default()),
            Location::Memory(prefix) => (Arc::new(InMemory::new()), prefix),
            Location::S3 { bucket, prefix } => (Arc::new(self.bucket(bucket)), prefix),
        };
        let store = match &self.wrap {
            Some(wrap) => wrap(store),
            None => store,
        };
        Ok(Root { store, prefix, url })
    }

    fn bucket(&self, name: String) -> Bucket {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(name).or_insert_with_key(|name| Bucket::new(name.clone(), self.s3.clone())).clone()
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").field("s3", &self.s3).finish_non_exhaustive()
    }
}
