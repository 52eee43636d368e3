use std::fmt;
use std::sync::Arc;

use icegate_model::{Clock, IdGenerator, RandomIds, SystemClock};
use icegate_storage::Store;

/// Puts something around a store.
pub(crate) type Wrap = Arc<dyn Fn(Store) -> Store + Send + Sync>;

/// What a lake gets from its host beside the configuration.
#[derive(Clone)]
pub struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) wrap: Option<Wrap>,
}

impl Surroundings {
    /// Goes by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Puts `wrap` around every store that is opened, below what counts its requests.
    #[must_use]
    pub fn with_wrap(mut self, wrap: impl Fn(Store) -> Store + Send + Sync + 'static) -> Self {
        self.wrap = Some(Arc::new(wrap));
        self
    }
}

impl Default for Surroundings {
    /// The system's time, random names, nothing around stores.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(RandomIds), wrap: None }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("wraps", &self.wrap.is_some()).finish_non_exhaustive()
    }
}
