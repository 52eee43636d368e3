use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, Timestamp};

/// Nanoseconds between the records of a request that has the clock's time.
const CLOCK_STEP: i64 = 1_000;

/// Where records have their times from.
#[derive(Clone, Debug)]
pub(super) enum Times {
    /// The time at which they are made.
    Clock { clock: Arc<dyn Clock>, began: Timestamp },
    /// A time that follows from their number.
    Stepped { start: Timestamp, step: Duration },
}

/// Records of a request: their numbers and times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// The number of the first.
    pub(super) first: u64,
    pub(super) count: u64,
    /// Nanoseconds at which counting began, for cumulative values.
    pub(super) began: u64,
    at_first: i64,
    step: i64,
}

impl Times {
    /// The times of so many records; those of a clock end now.
    pub(super) fn of(&self, first: u64, count: u64) -> Span {
        match self {
            Self::Clock { clock, began } => {
                let earlier = signed(count.saturating_sub(1)).saturating_mul(CLOCK_STEP);
                Span { first, count, began: unsigned(began.nanos()), at_first: clock.now().nanos() - earlier, step: CLOCK_STEP }
            }
            Self::Stepped { start, step } => {
                let step = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX);
                let at_first = start.nanos().saturating_add(signed(first).saturating_mul(step));
                Span { first, count, began: unsigned(start.nanos()), at_first, step }
            }
        }
    }
}

impl Span {
    /// The numbers of the records.
    pub(super) fn numbers(&self) -> std::ops::Range<u64> {
        self.first..self.first + self.count
    }

    /// Nanoseconds since the epoch of a record.
    pub(super) fn time(&self, number: u64) -> u64 {
        unsigned(self.at_first.saturating_add(signed(number.saturating_sub(self.first)).saturating_mul(self.step)))
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(nanos: i64) -> u64 {
    u64::try_from(nanos).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(100)
        }
    }

    #[test]
    fn the_clocks_records_are_a_microsecond_apart_and_end_now() {
        let span = Times::Clock { clock: Arc::new(Stopped), began: Timestamp::from_secs(90) }.of(10, 3);
        let times: Vec<u64> = span.numbers().map(|number| span.time(number)).collect();
        assert_eq!(times, [99_999_998_000, 99_999_999_000, 100_000_000_000]);
        assert_eq!(span.began, 90_000_000_000);
    }

    #[test]
    fn stepped_times_follow_from_the_number_alone() {
        let times = Times::Stepped { start: Timestamp::from_secs(5), step: Duration::from_millis(20) };
        assert_eq!(times.of(0, 10).time(7), 5_140_000_000);
        assert_eq!(times.of(7, 1).time(7), 5_140_000_000);
    }

    #[test]
    fn times_beyond_2262_stay_at_the_end() {
        let span = Times::Stepped { start: Timestamp::from_secs(5), step: Duration::MAX }.of(u64::MAX - 2, 2);
        assert_eq!(span.time(u64::MAX - 1), 9_223_372_036_854_775_807);
    }
}
