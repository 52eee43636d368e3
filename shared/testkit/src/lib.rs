//! What tests hand to the code instead of the machine's own: a clock that a test moves, ids that repeat.
//!
//! Only ever a dev-dependency. `tests/tidy.rs` beside it holds the repository's own rules.
//!
//! ```
//! use icegate_model::{Clock, Timestamp};
//! use std::time::Duration;
//!
//! let clock = icegate_testkit::ManualClock::at(Timestamp::from_secs(100));
//! clock.advance(Duration::from_secs(5));
//! assert_eq!(clock.now(), Timestamp::from_secs(105));
//! ```

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use icegate_model::{Clock, IdGenerator, Timestamp, UniqueId};

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.nanos()))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let nanos = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        self.0.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// Ids 1, 2, 3 … in the order in which they are asked for, offset by a seed so that two generators never meet.
#[derive(Debug)]
pub struct SequentialIds {
    seed: u64,
    next: AtomicU64,
}

impl SequentialIds {
    /// Ids of one seed; different seeds give different ids.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }
}

impl IdGenerator for SequentialIds {
    fn unique(&self) -> UniqueId {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        UniqueId((u128::from(self.seed) << 64) | u128::from(number))
    }
}
