use std::fmt;

use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryLimit, MemoryPool, MemoryReservation};

/// First come, first served up to a bound; who comes too late gets an error that names the bound (BOUND-1).
#[derive(Debug)]
pub(crate) struct BoundedPool {
    inner: GreedyMemoryPool,
    bytes: usize,
}

impl BoundedPool {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { inner: GreedyMemoryPool::new(bytes), bytes }
    }
}

impl fmt::Display for BoundedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.inner.reserved(), self.bytes)
    }
}

impl MemoryPool for BoundedPool {
    fn name(&self) -> &str {
        "bounded"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.inner.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.inner.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.inner.try_grow(reservation, additional).map_err(|_| {
            DataFusionError::ResourcesExhausted(format!(
                "{} bytes are held and {additional} more are needed, engine.memory_bytes is {}",
                self.inner.reserved(),
                self.bytes
            ))
        })
    }

    fn reserved(&self) -> usize {
        self.inner.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}
