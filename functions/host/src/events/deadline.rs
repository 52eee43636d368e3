use std::time::Duration;

use icegate_model::{Clock, Timestamp};
use tokio::time::Instant;

/// The longest time that Lambda gives.
const LONGEST: Duration = Duration::from_secs(900);

/// When a function is killed, as far as its clock and Lambda's agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// From Lambda's header, milliseconds since the epoch.
    #[must_use]
    pub fn from_millis(millis: u64) -> Self {
        Self(Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)))
    }

    /// The same when an invocation begins. Lambda gives none that is over by then; tools that stand in for it do, and mean as long as
    /// Lambda gives at most.
    #[must_use]
    pub fn given(millis: u64, clock: &dyn Clock) -> Self {
        let given = Self::from_millis(millis);
        if given.left(clock).is_zero() { Self(clock.now() + LONGEST) } else { given }
    }

    /// What is left of the time.
    #[must_use]
    pub fn left(self, clock: &dyn Clock) -> Duration {
        self.0.since(clock.now())
    }

    /// When work has to end so that `margin` is left for what comes after it; where the whole time is short, a quarter of it.
    #[must_use]
    pub fn work_until(self, clock: &dyn Clock, margin: Duration) -> Instant {
        let left = self.left(clock);
        Instant::now() + (left - margin.min(left / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_a_margin_before_the_deadline_and_a_short_time_keeps_three_quarters() {
        let (deadline, margin) = (Deadline::from_millis(100_000), Duration::from_secs(5));
        let left = |now| deadline.work_until(&At(now), margin).duration_since(Instant::now());
        assert_eq!(left(40_000), Duration::from_secs(55));
        assert_eq!(left(96_000), Duration::from_secs(3));
        assert_eq!(left(200_000), Duration::ZERO);
    }

    #[test]
    fn a_deadline_that_is_over_when_an_invocation_begins_was_not_lambdas() {
        let left = |now| Deadline::given(100_000, &At(now)).left(&At(now));
        assert_eq!((left(40_000), left(100_000), left(200_000)), (Duration::from_secs(60), LONGEST, LONGEST));
    }
}
