use std::ops::Range;

use crate::Measure;

/// The value of each window of events, which are in order of time; for measures that hold events.
pub(crate) fn measure(events: &[(i64, f64)], windows: &[Range<i64>], measure: Measure) -> Vec<Option<f64>> {
    match measure {
        Measure::Quantile(quantile) => quantiles(events, windows, quantile),
        _ => counter_rates(events, windows),
    }
}

/// The events of each window, `start` not in it, `end` in it. Windows move forward only.
fn slices<'a>(events: &'a [(i64, f64)], windows: &'a [Range<i64>]) -> impl Iterator<Item = (Range<usize>, &'a Range<i64>)> {
    let (mut from, mut to) = (0, 0);
    windows.iter().map(move |window| {
        while events.get(to).is_some_and(|(at, _)| *at <= window.end) {
            to += 1;
        }
        while events.get(from).is_some_and(|(at, _)| *at <= window.start) {
            from += 1;
        }
        (from..to.max(from), window)
    })
}

/// Events enter and leave a tree of counts over ranks once each, and a quantile is two walks down the tree.
fn quantiles(events: &[(i64, f64)], windows: &[Range<i64>], quantile: f64) -> Vec<Option<f64>> {
    // NaN is below all, as in Prometheus.
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (events[*a].1, events[*b].1);
        b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(&b))
    });
    let mut rank = vec![0; events.len()];
    for (place, event) in order.iter().enumerate() {
        rank[*event] = place;
    }
    let value = |place: usize| order.get(place).map_or(f64::NAN, |event| events[*event].1);
    let mut present = Ranks::new(events.len());
    let mut held = 0..0;
    slices(events, windows)
        .map(|(slice, _)| {
            (held.end..slice.end).for_each(|event| present.change(rank[event], 1));
            (held.start..slice.start).for_each(|event| present.change(rank[event], -1));
            held = slice.clone();
            (!slice.is_empty()).then(|| interpolated(quantile, slice.len(), |nth| value(present.nth(nth))))
        })
        .collect()
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks within the window"
)]
fn interpolated(quantile: f64, count: usize, nth: impl Fn(usize) -> f64) -> f64 {
    if quantile.is_nan() {
        return f64::NAN;
    }
    if quantile < 0.0 {
        return f64::NEG_INFINITY;
    }
    if quantile > 1.0 {
        return f64::INFINITY;
    }
    let rank = quantile * (count - 1) as f64;
    let lower = rank.floor();
    let (below, above) = (nth(lower as usize), nth((lower as usize + 1).min(count - 1)));
    let weight = rank - lower;
    below * (1.0 - weight) + above * weight
}

/// How many events of each rank there are, as sums over powers of two.
struct Ranks(Vec<i64>);

impl Ranks {
    fn new(len: usize) -> Self {
        Self(vec![0; len + 1])
    }

    fn change(&mut self, rank: usize, by: i64) {
        let mut at = rank + 1;
        while let Some(count) = self.0.get_mut(at) {
            *count += by;
            at += at & at.wrapping_neg();
        }
    }

    /// The rank of the nth event present, from 0.
    fn nth(&self, nth: usize) -> usize {
        let mut left = i64::try_from(nth).unwrap_or(i64::MAX);
        let mut at = 0;
        let mut stride = self.0.len().next_power_of_two();
        while stride > 0 {
            if let Some(count) = self.0.get(at + stride).filter(|count| **count <= left) {
                left -= count;
                at += stride;
            }
            stride /= 2;
        }
        at
    }
}

/// Growth of a counter a second, where a fall is a restart from 0, extrapolated to the edges of the window as Prometheus does.
fn counter_rates(events: &[(i64, f64)], windows: &[Range<i64>]) -> Vec<Option<f64>> {
    // Growth up to each event, restarts taken out.
    let mut growth = 0.0;
    let mut grown = Vec::with_capacity(events.len());
    for (index, (_, value)) in events.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| events.get(before)).map_or(*value, |(_, value)| *value);
        growth += if *value < before { *value } else { *value - before };
        grown.push(growth);
    }
    slices(events, windows)
        .map(|(slice, window)| {
            let (first, last) = (events.get(slice.start)?, events.get(slice.end.checked_sub(1)?)?);
            match slice.len() {
                0 => None,
                1 => Some(0.0),
                count => Some(extrapolated(*first, last.0, grown[slice.end - 1] - grown[slice.start], count, window)),
            }
        })
        .collect()
}

#[allow(clippy::cast_precision_loss, reason = "times within a window as seconds")]
fn extrapolated(first: (i64, f64), last: i64, growth: f64, count: usize, window: &Range<i64>) -> f64 {
    let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64 / 1e9;
    let sampled = seconds(first.0, last);
    let mean = sampled / (count - 1) as f64;
    let (mut to_start, mut to_end) = (seconds(window.start, first.0), seconds(last, window.end));
    let threshold = mean * 1.1;
    if to_start >= threshold {
        to_start = mean / 2.0;
    }
    // A counter can't have been below zero.
    if growth > 0.0 && first.1 >= 0.0 {
        to_start = to_start.min(sampled * (first.1 / growth));
    }
    if to_end >= threshold {
        to_end = mean / 2.0;
    }
    let range = seconds(window.start, window.end);
    growth * ((sampled + to_start + to_end) / sampled) / range
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "one window")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_interpolate_between_neighbours() {
        let events: Vec<_> = [4.0, 1.0, 3.0, 2.0].into_iter().zip(1..).map(|(value, at)| (at, value)).collect();
        let quantile = |q| quantiles(&events, &[0..4], q)[0].unwrap();
        assert_eq!([quantile(0.0), quantile(0.5), quantile(0.75), quantile(1.0)], [1.0, 2.5, 3.25, 4.0]);
        assert_eq!([quantile(-0.1), quantile(1.1)], [f64::NEG_INFINITY, f64::INFINITY]);
        assert_eq!(quantiles(&events, &[10..20], 0.5), [None]);
    }

    #[test]
    fn a_counter_that_grows_evenly_has_its_rate_and_a_restart_counts_from_zero() {
        let second = 1_000_000_000;
        let even: Vec<_> = (0..=6).map(|n| (n * 10 * second, n as f64 * 20.0 + 100.0)).collect();
        let rate = counter_rates(&even, &[-1..60 * second])[0].unwrap();
        assert!((rate - 2.0).abs() < 1e-6, "{rate}");
        // 0 to 10, restart, 0 to 10 within 20 s.
        let restarted = [(0, 0.0), (10 * second, 10.0), (20 * second, 10.0), (20 * second + 1, 0.0)];
        assert_eq!(counter_rates(&restarted[..1], &[-1..60 * second]), [Some(0.0)]);
        assert!(counter_rates(&restarted, &[-second..30 * second])[0].unwrap() > 0.0);
    }

    proptest! {
        #[test]
        fn quantiles_of_moving_windows_are_those_of_each_window_alone(
            values in proptest::collection::vec((0_i64..60, -5_i32..5), 0..40), range in 1_i64..30, q in 0.0..1.0_f64
        ) {
            let mut events: Vec<_> = values.iter().map(|(at, value)| (*at, f64::from(*value))).collect();
            events.sort_by_key(|(at, _)| *at);
            let windows: Vec<_> = (0..8).map(|step| step * 9 - range..step * 9).collect();
            let moving = quantiles(&events, &windows, q);
            for (window, found) in windows.iter().zip(moving) {
                prop_assert_eq!(found, quantiles(&events, std::slice::from_ref(window), q)[0]);
                let mut inside: Vec<_> = events.iter().filter(|(at, _)| window.start < *at && *at <= window.end).map(|(_, v)| *v).collect();
                inside.sort_by(f64::total_cmp);
                prop_assert_eq!(found, (!inside.is_empty()).then(|| interpolated(q, inside.len(), |nth| inside[nth])));
            }
        }
    }
}
