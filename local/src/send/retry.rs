use std::time::Duration;

use super::random::{Random, Stream};

/// The pause before the first repetition; each later one is twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause of our own choosing.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest pause that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// How often, and after what time, a request goes again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// Replicas that take turns.
    pub(crate) endpoints: u64,
    pub(crate) retries: u64,
    pub(crate) seed: u64,
}

impl Retry {
    /// The pause after the failure of an attempt (0 is the first): none as long as there is a replica that wasn't tried; then what
    /// the server asked for, else one that doubles and varies so that workers don't come back together. `None` when the request
    /// is to be given up.
    pub(crate) fn pause(&self, request: u64, attempt: u64, asked: Option<Duration>) -> Option<Duration> {
        if attempt >= self.retries {
            return None;
        }
        let endpoints = self.endpoints.max(1);
        if !(attempt + 1).is_multiple_of(endpoints) {
            return Some(Duration::ZERO);
        }
        if let Some(asked) = asked {
            return Some(asked.min(LONGEST_ASKED));
        }
        let doublings = u32::try_from(attempt / endpoints).unwrap_or(u32::MAX).min(16);
        let full = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
        let varied = Random::of(self.seed ^ attempt, Stream::Backoff, request).fraction();
        Some(full.mul_f64(0.5 + varied / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry { endpoints: 1, retries: 30, seed: 1 };

    #[test]
    fn pauses_double_up_to_ten_seconds_and_are_at_least_half() {
        for (attempt, millis) in [(0, 100), (1, 200), (2, 400), (6, 6_400), (7, 10_000), (29, 10_000)] {
            let pause = RETRY.pause(5, attempt, None).unwrap();
            assert!(pause >= Duration::from_millis(millis) / 2 && pause <= Duration::from_millis(millis), "{attempt}: {pause:?}");
        }
    }

    #[test]
    fn a_pause_comes_only_after_every_replica_was_tried() {
        let retry = Retry { endpoints: 3, ..RETRY };
        for (attempt, millis) in [(0, 0), (1, 0), (2, 100), (3, 0), (4, 0), (5, 200)] {
            let pause = retry.pause(5, attempt, None).unwrap();
            assert!(pause >= Duration::from_millis(millis) / 2 && pause <= Duration::from_millis(millis), "{attempt}: {pause:?}");
        }
        let asked = Some(Duration::from_secs(7));
        assert_eq!((retry.pause(5, 1, asked), retry.pause(5, 2, asked)), (Some(Duration::ZERO), asked));
        assert_eq!(retry.pause(5, 30, None), None);
    }

    #[test]
    fn a_servers_wish_is_honoured_up_to_a_minute() {
        assert_eq!(RETRY.pause(5, 0, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(RETRY.pause(5, 0, Some(Duration::from_secs(7_000))), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_request_is_given_up_after_its_retries() {
        assert_eq!(RETRY.pause(5, 30, None), None);
        assert_eq!(Retry { retries: 0, ..RETRY }.pause(5, 0, Some(Duration::ZERO)), None);
    }
}
