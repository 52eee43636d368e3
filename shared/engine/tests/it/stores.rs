//! A store that does something else first, at one chosen request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::future::BoxFuture;
use icegate_storage::Store;
use icegate_testkit::{Call, Fate, FaultyStore, Network};

/// Counts the reading requests to all stores that it is put around, and runs an action before one of them.
#[derive(Clone)]
pub(crate) struct Interrupting(Arc<State>);

struct State {
    at: usize,
    requests: AtomicUsize,
    happened: AtomicBool,
    action: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Interrupting {
    pub(crate) fn at(at: usize, action: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        let (requests, happened) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self(Arc::new(State { at, requests, happened, action: Box::new(action) }))
    }

    pub(crate) fn around(&self, store: &Store) -> Store {
        Arc::new(FaultyStore::new(Arc::clone(store), Arc::new(self.clone())))
    }

    pub(crate) fn happened(&self) -> bool {
        self.0.happened.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Network for Interrupting {
    async fn request(&self, call: &Call) -> Fate {
        if !call.operation.changes() && self.0.requests.fetch_add(1, Ordering::SeqCst) == self.0.at {
            (self.0.action)().await;
            self.0.happened.store(true, Ordering::SeqCst);
        }
        Fate::default()
    }

    async fn reply(&self, _call: &Call, _fate: Fate, _result: Option<Result<(), &object_store::Error>>) {}
}

impl fmt::Debug for Interrupting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupting").field("at", &self.0.at).finish_non_exhaustive()
    }
}
