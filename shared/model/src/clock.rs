use crate::Timestamp;

/// Tells the time. Handed in wherever time matters, so that a test can drive it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time now, by this clock.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is a machine without a clock; its rows still have to land somewhere.
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_nanos(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
    }
}
