/// What is computed of the events of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// How many there are.
    Count,
    /// The sum of their values.
    Sum,
    /// Their mean.
    Avg,
    /// The least; NaN only where all are.
    Min,
    /// The greatest; NaN only where all are.
    Max,
    /// Their population standard deviation.
    Stddev,
    /// Their population variance.
    Stdvar,
    /// The earliest; of several the least.
    First,
    /// The latest; of several the greatest.
    Last,
    /// The quantile, interpolated; below 0 it is -Inf, above 1 +Inf.
    Quantile(f64),
    /// Growth of a counter a second, extrapolated to the whole window; 0 for a single event.
    CounterRate,
}

impl Measure {
    /// Whether each event has to be held, since no summary of some of them answers for all.
    #[must_use]
    pub const fn holds_events(self) -> bool {
        matches!(self, Self::Quantile(_) | Self::CounterRate)
    }
}

/// A summary of some events; what its parts say depends on the [`Measure`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pane {
    /// Number of events, or the time of the one that counts.
    key: i64,
    /// Sum, mean, extreme or the value of the one that counts.
    value: f64,
    /// What rounding took from the sum, or the sum of squared distances from the mean.
    rest: f64,
}

impl Pane {
    /// Of one event.
    pub(crate) const fn of(measure: Measure, at: i64, value: f64) -> Self {
        let key = if matches!(measure, Measure::First | Measure::Last) { at } else { 1 };
        Self { key, value, rest: 0.0 }
    }

    /// Of the events of both, in any order.
    pub(crate) fn with(self, other: Self, measure: Measure) -> Self {
        let key = self.key.saturating_add(other.key);
        match measure {
            Measure::Count => Self { key, ..self },
            Measure::Sum | Measure::Quantile(_) | Measure::CounterRate => self.added(other),
            Measure::Avg | Measure::Stddev | Measure::Stdvar => self.averaged(other),
            Measure::Min => Self { key, value: least(self.value, other.value), rest: 0.0 },
            Measure::Max => Self { key, value: -least(-self.value, -other.value), rest: 0.0 },
            Measure::First => self.chosen(other, other.key < self.key, other.value.total_cmp(&self.value).is_lt()),
            Measure::Last => self.chosen(other, other.key > self.key, other.value.total_cmp(&self.value).is_gt()),
        }
    }

    /// Sums keep what rounding takes, so that the order of events shows as little as possible.
    fn added(self, other: Self) -> Self {
        let sum = self.value + other.value;
        let lost = if self.value.abs() >= other.value.abs() {
            (self.value - sum) + other.value
        } else {
            (other.value - sum) + self.value
        };
        let rest = if sum.is_finite() { self.rest + other.rest + lost } else { 0.0 };
        Self { key: self.key.saturating_add(other.key), value: sum, rest }
    }

    #[allow(clippy::cast_precision_loss, reason = "numbers of events as weights")]
    fn averaged(self, other: Self) -> Self {
        let key = self.key.saturating_add(other.key);
        if self.value.is_infinite() || other.value.is_infinite() {
            return Self { key, value: self.value + other.value, rest: f64::NAN };
        }
        let (mine, theirs, all) = (self.key as f64, other.key as f64, key as f64);
        let distance = other.value - self.value;
        Self {
            key,
            value: self.value + distance * (theirs / all),
            rest: self.rest + other.rest + distance * distance * (mine * theirs / all),
        }
    }

    const fn chosen(self, other: Self, is_better: bool, wins_tie: bool) -> Self {
        if is_better || self.key == other.key && wins_tie { other } else { self }
    }

    #[allow(clippy::cast_precision_loss, reason = "numbers of events are values in the languages")]
    pub(crate) fn finish(self, measure: Measure) -> f64 {
        match measure {
            Measure::Count => self.key as f64,
            Measure::Sum if self.value.is_finite() => self.value + self.rest,
            Measure::Stdvar => self.rest / self.key as f64,
            Measure::Stddev => (self.rest / self.key as f64).sqrt(),
            _ => self.value,
        }
    }
}

/// The lesser one; NaN only where both are.
fn least(left: f64, right: f64) -> f64 {
    if right < left || left.is_nan() { right } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(measure: Measure, values: &[f64]) -> f64 {
        let panes = values.iter().zip(0..).map(|(value, at)| Pane::of(measure, at, *value));
        panes.reduce(|all, one| all.with(one, measure)).unwrap().finish(measure)
    }

    #[test]
    fn each_measure_is_what_its_name_says() {
        for (measure, expected) in [
            (Measure::Count, 4.0),
            (Measure::Sum, 20.0),
            (Measure::Avg, 5.0),
            (Measure::Min, 2.0),
            (Measure::Max, 9.0),
            (Measure::Stdvar, 7.5),
            (Measure::Stddev, 7.5_f64.sqrt()),
            (Measure::First, 2.0),
            (Measure::Last, 3.0),
        ] {
            assert_eq!(of(measure, &[2.0, 9.0, 6.0, 3.0]), expected, "{measure:?}");
        }
    }

    #[test]
    fn sums_keep_what_rounding_takes() {
        assert_eq!(of(Measure::Sum, &[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(of(Measure::Sum, &[f64::INFINITY, 1.0]), f64::INFINITY);
    }

    #[test]
    fn extremes_pass_over_nan_and_means_of_infinities_are_infinite() {
        assert_eq!(of(Measure::Min, &[f64::NAN, 2.0, 1.0, f64::NAN]), 1.0);
        assert_eq!(of(Measure::Max, &[f64::NAN, 2.0, 1.0, f64::NAN]), 2.0);
        assert_eq!(of(Measure::Avg, &[1.0, f64::INFINITY, 5.0]), f64::INFINITY);
    }

    #[test]
    fn of_equal_times_the_choice_rests_on_the_values_alone() {
        for measure in [Measure::First, Measure::Last] {
            let (one, two) = (Pane::of(measure, 7, 1.0), Pane::of(measure, 7, 2.0));
            assert_eq!(one.with(two, measure), two.with(one, measure));
        }
    }
}
