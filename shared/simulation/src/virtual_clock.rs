use std::time::Duration;

use icegate_model::{Clock, Timestamp};
use tokio::time::Instant;

/// When every run begins: 2024-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_704_067_200);

/// A process's clock: the runtime's paused one, from [`START`] on, and wrong by a constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VirtualClock {
    began: Instant,
    ahead_by_millis: i64,
}

impl VirtualClock {
    pub(crate) const fn new(began: Instant, ahead_by_millis: i64) -> Self {
        Self { began, ahead_by_millis }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let now = START + self.began.elapsed();
        let wrong_by = Duration::from_millis(self.ahead_by_millis.unsigned_abs());
        if self.ahead_by_millis < 0 { now - wrong_by } else { now + wrong_by }
    }
}
