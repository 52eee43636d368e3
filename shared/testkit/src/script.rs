use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use object_store::path::Path;
use object_store::{Error, ObjectStore};
use tokio::sync::Semaphore;

use crate::{Call, Fate, FaultyStore, Network, Operation, Trouble, When};

/// What the next so many requests of a kind meet.
#[derive(Debug)]
struct Planned {
    times: usize,
    operation: Operation,
    when: When,
    trouble: Trouble,
}

/// A network that does what a test says, request by request, and remembers what was asked.
#[derive(Debug)]
pub struct Script {
    planned: Mutex<VecDeque<Planned>>,
    held: Mutex<Option<(Operation, Arc<Semaphore>)>>,
    calls: Mutex<Vec<Call>>,
}

impl Script {
    /// A network without faults so far.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { planned: Mutex::default(), held: Mutex::default(), calls: Mutex::default() })
    }

    /// `inner` behind this network. A change that is held back is called back with its caller.
    #[must_use]
    pub fn before(self: &Arc<Self>, inner: Arc<dyn ObjectStore>) -> Arc<FaultyStore> {
        Arc::new(FaultyStore::new(inner, Arc::clone(self) as Arc<dyn Network>).calling_back())
    }

    /// The next `times` requests of this kind that nothing is planned for yet go wrong.
    pub fn fail(&self, times: usize, operation: Operation, when: When, trouble: Trouble) {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.push_back(Planned { times, operation, when, trouble });
    }

    /// Requests of this kind don't arrive until they are let through.
    pub fn hold(&self, operation: Operation) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((operation, Arc::new(Semaphore::new(0))));
    }

    /// Lets so many held requests through, those that come later among them.
    pub fn let_through(&self, requests: usize) {
        if let Some((_, permits)) = self.held.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            permits.add_permits(requests);
        }
    }

    /// The objects of all requests of this kind, in their order.
    #[must_use]
    pub fn asked(&self, operation: Operation) -> Vec<Path> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| call.operation == operation).map(|call| call.path.clone()).collect()
    }

    fn held(&self, operation: Operation) -> Option<Arc<Semaphore>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(kind, _)| *kind == operation).map(|(_, permits)| Arc::clone(permits))
    }

    fn next(&self, operation: Operation) -> Option<(When, Trouble)> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let next = planned.iter_mut().find(|planned| planned.operation == operation && planned.times > 0)?;
        next.times -= 1;
        Some((next.when, next.trouble))
    }
}

#[async_trait]
impl Network for Script {
    async fn request(&self, call: &Call) -> Fate {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
        if let Some(permits) = self.held(call.operation)
            && let Ok(permit) = permits.acquire().await
        {
            permit.forget();
        }
        Fate { trouble: self.next(call.operation), truncated: false }
    }

    async fn reply(&self, _call: &Call, _fate: Fate, _result: Option<Result<(), &Error>>) {}
}
