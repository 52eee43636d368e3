use std::cell::RefCell;
use std::collections::BTreeSet;

use icegate_syntax::Span;
use icegate_syntax::number::print;

use crate::calendar::rfc3339;
use crate::error::line_and_byte;
use crate::text::quote;

/// What a user should know about an answer, each once.
#[derive(Debug)]
pub(crate) struct Annotations<'a> {
    query: &'a str,
    warnings: RefCell<BTreeSet<(String, Bytes)>>,
    infos: RefCell<BTreeSet<(String, Bytes)>>,
    /// How much buckets had to be changed to be monotonic.
    fixes: RefCell<Vec<Fixed>>,
}

/// Where a message stands: first byte, and the first after it.
type Bytes = (usize, usize);

/// Buckets that had to be changed so that they never fall.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    pub(crate) metric: String,
    pub(crate) span: Span,
    /// From when to when.
    pub(crate) times: (i64, i64),
    /// From which upper bound to which.
    pub(crate) bounds: (f64, f64),
    /// By how much they fell at most.
    pub(crate) difference: f64,
    /// How many samples.
    pub(crate) count: usize,
}

impl<'a> Annotations<'a> {
    pub(crate) const fn new(query: &'a str) -> Self {
        Self {
            query,
            warnings: RefCell::new(BTreeSet::new()),
            infos: RefCell::new(BTreeSet::new()),
            fixes: RefCell::new(Vec::new()),
        }
    }

    pub(crate) fn warn(&self, message: impl Into<String>, span: Span) {
        self.warnings.borrow_mut().insert((format!("PromQL warning: {}", message.into()), (span.start, span.end)));
    }

    pub(crate) fn info(&self, message: impl Into<String>, span: Span) {
        self.infos.borrow_mut().insert((format!("PromQL info: {}", message.into()), (span.start, span.end)));
    }

    pub(crate) fn fixed(&self, fixed: Fixed) {
        let mut fixes = self.fixes.borrow_mut();
        match fixes.iter_mut().find(|other| other.metric == fixed.metric && other.span == fixed.span) {
            Some(other) => {
                other.times = (other.times.0.min(fixed.times.0), other.times.1.max(fixed.times.1));
                other.bounds = (other.bounds.0.min(fixed.bounds.0), other.bounds.1.max(fixed.bounds.1));
                other.difference = other.difference.max(fixed.difference);
                other.count += fixed.count;
            }
            None => fixes.push(fixed),
        }
    }

    /// Warnings and infos, each with its position.
    pub(crate) fn finish(self) -> (Vec<String>, Vec<String>) {
        let query = self.query;
        let placed = |(message, (start, _)): &(String, Bytes)| {
            let (line, byte) = line_and_byte(query, *start);
            format!("{message} ({line}:{byte})")
        };
        let mut infos: Vec<String> = self.infos.into_inner().iter().map(placed).collect();
        for fixed in self.fixes.into_inner() {
            let message = format!(
                "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){}, from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
                for_metric(&fixed.metric),
                print(fixed.bounds.0),
                print(fixed.bounds.1),
                two_digits(fixed.difference),
                fixed.count,
                rfc3339(fixed.times.0),
                rfc3339(fixed.times.1),
            );
            infos.push(placed(&(message, (fixed.span.start, fixed.span.end))));
        }
        (self.warnings.into_inner().iter().map(placed).collect(), infos)
    }
}

/// A number with two significant digits.
fn two_digits(value: f64) -> String {
    let rounded = format!("{value:.1e}").parse::<f64>().unwrap_or(value);
    // More digits than two before the point are an exponent.
    if rounded.abs() < 100.0 {
        return print(rounded);
    }
    let text = format!("{rounded:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{digits}e+{power:0>2}")
}

fn for_metric(metric: &str) -> String {
    if metric.is_empty() { String::new() } else { format!(" for metric name {}", quote(metric)) }
}

/// A message about a metric.
pub(crate) fn about(message: &str, metric: &str) -> String {
    format!("{message}{}", for_metric(metric))
}

/// A message with a metric, named even where it has no name.
pub(crate) fn named(message: &str, metric: &str) -> String {
    format!("{message} {}", quote(metric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_shown_with_two_digits() {
        for (value, text) in [(10.0, "10"), (0.0123, "0.012"), (1.0, "1"), (123.4, "1.2e+02"), (99.6, "1e+02")] {
            assert_eq!(two_digits(value), text);
        }
    }

    #[test]
    fn buckets_that_were_fixed_are_told_once_for_all_steps() {
        let notes = Annotations::new("histogram_quantile(0.5, a)");
        for (at, bound, difference) in [(1_703_462_400_000, 2.5, 5.0), (1_735_084_800_000, 100.0, 10.0)] {
            let span = Span::new(24, 25);
            notes.fixed(Fixed { metric: "a".to_owned(), span, times: (at, at), bounds: (bound, bound), difference, count: 1 });
        }
        let (warnings, infos) = notes.finish();
        assert!(warnings.is_empty());
        assert_eq!(
            infos,
            [
                "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name \"a\", from buckets 2.5 to 100, with a max diff of 10, over 2 samples from 2023-12-25T00:00:00Z to 2024-12-25T00:00:00Z (1:25)"
            ]
        );
    }
}
