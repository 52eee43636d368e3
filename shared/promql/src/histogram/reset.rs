use super::{Bucket, Histogram, ResetHint};

impl Histogram {
    /// Whether observations went away since `previous`: then the counter began anew.
    pub(crate) fn is_reset_after(&self, previous: &Self) -> bool {
        match self.hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        self.lost_observations_since(previous)
    }

    /// The same by counts alone, whatever the hint says.
    #[must_use]
    pub fn lost_observations_since(&self, previous: &Self) -> bool {
        if self.is_custom() != previous.is_custom() || self.count < previous.count {
            return true;
        }
        let mut before = previous.clone();
        if self.is_custom() {
            let mut now = self.clone();
            now.reconcile_bounds(&mut before);
            return is_less(&now.positive, &before.positive);
        }
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        before.widen_zero(self.zero_threshold);
        if before.zero_threshold != self.zero_threshold || self.zero_count < before.zero_count {
            return true;
        }
        before.reduce_to(self.schema);
        is_less(&self.positive, &before.positive) || is_less(&self.negative, &before.negative)
    }
}

/// Whether a bucket has fewer observations than before.
fn is_less(now: &[Bucket], before: &[Bucket]) -> bool {
    let count = |index: i32| now.binary_search_by_key(&index, |bucket| bucket.index).map_or(0.0, |at| now[at].count);
    before.iter().any(|bucket| count(bucket.index) < bucket.count)
}
