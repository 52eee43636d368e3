//! Who acts when: every effect that another process can see has a millisecond of virtual time of its own.
//!
//! Encoders run on a blocking thread, so what two processes do in the same millisecond happens in no fixed order. Each process
//! therefore acts in its own residue class of milliseconds, and the paused clock moves on only when nothing is left to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// More than there are processes in a run.
const CLASSES: u64 = 32;

#[derive(Debug)]
pub(crate) struct Turns {
    began: Instant,
    taken: Mutex<BTreeMap<usize, BTreeSet<u64>>>,
}

impl Turns {
    pub(crate) fn new(began: Instant) -> Self {
        Self { began, taken: Mutex::default() }
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// Milliseconds since the run began.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Waits for the process's first free turn after so long.
    pub(crate) async fn after(&self, process: usize, delay: Duration) {
        let now = self.now();
        let earliest = now + u64::try_from(delay.as_millis()).unwrap_or(u64::MAX / 2) + 1;
        let class = process as u64 % CLASSES;
        let mut turn = earliest + (CLASSES + class - earliest % CLASSES) % CLASSES;
        {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = taken.entry(process).or_default();
            taken.retain(|turn| *turn >= now);
            while !taken.insert(turn) {
                turn += CLASSES;
            }
        }
        sleep_until(self.began + Duration::from_millis(turn)).await;
    }
}
