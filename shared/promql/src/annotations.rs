use std::cell::RefCell;
use std::collections::BTreeSet;

use icegate_syntax::Span;

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
    pub(crate) at: i64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    pub(crate) difference: f64,
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
                other.lowest = other.lowest.min(fixed.lowest);
                other.highest = other.highest.max(fixed.highest);
                other.difference = other.difference.max(fixed.difference);
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
            let print = icegate_syntax::number::print;
            let message = format!(
                "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){}, from buckets {} to {}, with a max diff of {:.2}, at timestamp {}",
                for_metric(&fixed.metric),
                print(fixed.lowest),
                print(fixed.highest),
                fixed.difference,
                print_time(fixed.at),
            );
            infos.push(placed(&(message, (fixed.span.start, fixed.span.end))));
        }
        (self.warnings.into_inner().iter().map(placed).collect(), infos)
    }
}

#[allow(clippy::cast_precision_loss, reason = "times of samples are below 2^53 ms")]
fn print_time(at: i64) -> String {
    format!("{}", at as f64 / 1000.0)
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
