use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use icegate_model::TenantId;

/// How many things run for each tenant; a tenant for whom nothing runs takes no memory.
#[derive(Debug, Default)]
pub(crate) struct Places {
    running: Mutex<HashMap<TenantId, usize>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    tenant: TenantId,
}

impl Places {
    /// A place for the tenant, if fewer than `max` are taken.
    pub(crate) fn take(self: &Arc<Self>, tenant: &TenantId, max: usize) -> Option<Place> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = running.entry(tenant.clone()).or_default();
        if *taken >= max {
            return None;
        }
        *taken += 1;
        Some(Place { places: Arc::clone(self), tenant: tenant.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = self.places.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = running.get_mut(&self.tenant) {
            *taken -= 1;
            if *taken == 0 {
                running.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_has_its_own_places_and_gives_them_back() {
        let places = Arc::new(Places::default());
        let (a, b): (TenantId, TenantId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let first = places.take(&a, 2).unwrap();
        let _second = places.take(&a, 2).unwrap();
        assert!(places.take(&a, 2).is_none() && places.take(&b, 0).is_none());
        assert!(places.take(&b, 1).is_some());
        drop(first);
        assert!(places.take(&a, 2).is_some());
        assert_eq!(places.running.lock().unwrap().len(), 1);
    }
}
