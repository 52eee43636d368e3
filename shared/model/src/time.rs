use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds since 1970-01-01T00:00:00Z, from 1677 to 2262.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest representable time.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest representable time.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From microseconds since the epoch; saturates at the ends.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// From milliseconds since the epoch; saturates at the ends.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From seconds since the epoch; saturates at the ends.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole microseconds since the epoch, rounded towards the past.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The nanoseconds beyond [`Timestamp::micros`], 0 to 999.
    #[must_use]
    pub const fn nanos_of_micro(self) -> i64 {
        self.0.rem_euclid(1_000)
    }

    /// Whole milliseconds since the epoch, rounded towards the past.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long after `earlier` this is; zero if it isn't.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({}ns)", self.0)
    }
}

/// A range of time, its start in it and its end not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    start: Timestamp,
    end: Timestamp,
}

/// A range that ends before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("end {} ns is before start {} ns", end.nanos(), start.nanos())]
pub struct InvalidRange {
    /// The start that was given.
    pub start: Timestamp,
    /// The end that was given.
    pub end: Timestamp,
}

impl TimeRange {
    /// All of time but its very last nanosecond.
    pub const ALL: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// From `start` (in it) to `end` (not in it); equal ends make an empty range.
    ///
    /// # Errors
    /// [`InvalidRange`] where `end` is before `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, InvalidRange> {
        if end < start { Err(InvalidRange { start, end }) } else { Ok(Self { start, end }) }
    }

    /// The first nanosecond in the range.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first nanosecond after the range.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// Whether `at` lies in the range.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn micros_round_towards_the_past_and_the_rest_is_positive() {
        let before_epoch = Timestamp::from_nanos(-1);
        assert_eq!((before_epoch.micros(), before_epoch.nanos_of_micro()), (-1, 999));
        let after = Timestamp::from_nanos(1_999);
        assert_eq!((after.micros(), after.nanos_of_micro()), (1, 999));
    }

    #[test]
    fn a_range_holds_its_start_and_not_its_end() {
        let range = TimeRange::new(Timestamp::from_secs(1), Timestamp::from_secs(2)).unwrap();
        assert!(range.contains(Timestamp::from_secs(1)));
        assert!(!range.contains(Timestamp::from_secs(2)));
        assert!(TimeRange::new(Timestamp::from_secs(2), Timestamp::from_secs(1)).is_err());
    }

    #[test]
    fn arithmetic_saturates_at_the_ends() {
        assert_eq!(Timestamp::MAX + Duration::from_secs(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::from_secs(1), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }
}
