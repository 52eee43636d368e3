use std::fmt;
use std::sync::Arc;

use crate::aws::AwsOptions;
use crate::{Root, StorageError, Store};

/// Puts something around a store: counting, faults.
type Wrap = Arc<dyn Fn(Store) -> Store + Send + Sync>;

/// Opens places by their URL, all with the same options and the same wrapping. Cheap to clone.
#[derive(Clone, Default)]
pub struct Stores {
    s3: AwsOptions,
    wrap: Option<Wrap>,
}

impl Stores {
    /// Stores on this machine, and S3 with these options.
    #[must_use]
    pub fn new(s3: AwsOptions) -> Self {
        Self { s3, wrap: None }
    }

    /// Puts `wrap` around every store that is opened.
    #[must_use]
    pub fn with_wrap(mut self, wrap: impl Fn(Store) -> Store + Send + Sync + 'static) -> Self {
        self.wrap = Some(Arc::new(wrap));
        self
    }

    /// Opens a place. Makes no request.
    ///
    /// # Errors
    /// As [`Root::open`].
    pub fn open(&self, url: &str) -> Result<Root, StorageError> {
        let root = Root::open(url)?;
        Ok(match &self.wrap {
            Some(wrap) => root.with_store(wrap(Arc::clone(&root.store))),
            None => root,
        })
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").field("s3", &self.s3).finish_non_exhaustive()
    }
}
