use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Decoded objects that never change, by URL. Whoever fills it also drops what is no longer reachable, which is its bound.
#[derive(Debug)]
pub(crate) struct Decoded<T> {
    objects: Mutex<HashMap<String, Arc<T>>>,
}

impl<T> Default for Decoded<T> {
    fn default() -> Self {
        Self { objects: Mutex::default() }
    }
}

impl<T> Decoded<T> {
    pub(crate) fn get(&self, url: &str) -> Option<Arc<T>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(url).map(Arc::clone)
    }

    pub(crate) fn insert(&self, url: &str, object: T) -> Arc<T> {
        let object = Arc::new(object);
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned(), Arc::clone(&object));
        object
    }

    pub(crate) fn retain(&self, reachable: &HashSet<&str>) {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).retain(|url, _| reachable.contains(url.as_str()));
    }
}
