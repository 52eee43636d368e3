use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use icegate_model::{Clock, Timestamp};
use tokio::time::Instant;

/// When every run begins: 2024-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_704_067_200);

/// A process's clock: the runtime's paused one, from [`START`] on, wrong, and perhaps set while the process lives.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    began: Instant,
    ahead_by_millis: i64,
    step: Option<Step>,
}

/// From a moment of the run on the clock shows another time.
#[derive(Debug)]
pub(crate) struct Step {
    at: Instant,
    by_millis: i64,
    happened: AtomicBool,
}

impl Step {
    pub(crate) fn new(at: Instant, by_millis: i64) -> Self {
        Self { at, by_millis, happened: AtomicBool::new(false) }
    }
}

impl VirtualClock {
    /// One that is right.
    pub(crate) const fn new(began: Instant) -> Self {
        Self { began, ahead_by_millis: 0, step: None }
    }

    /// One that is wrong.
    pub(crate) const fn wrong(began: Instant, ahead_by_millis: i64, step: Option<Step>) -> Self {
        Self { began, ahead_by_millis, step }
    }

    /// Whether anybody has looked at it since it was set.
    pub(crate) fn was_set(&self) -> bool {
        self.step.as_ref().is_some_and(|step| step.happened.load(Ordering::SeqCst))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let now = START + self.began.elapsed();
        let mut ahead_by_millis = self.ahead_by_millis;
        if let Some(step) = self.step.as_ref().filter(|step| step.at <= Instant::now()) {
            step.happened.store(true, Ordering::SeqCst);
            ahead_by_millis += step.by_millis;
        }
        let wrong_by = Duration::from_millis(ahead_by_millis.unsigned_abs());
        if ahead_by_millis < 0 { now - wrong_by } else { now + wrong_by }
    }
}
