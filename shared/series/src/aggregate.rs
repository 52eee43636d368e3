use std::collections::HashMap;

use crate::{Block, Labels, Row};

/// Which labels make a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// These.
    By(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

impl Grouping {
    /// One group of all.
    #[must_use]
    pub const fn all() -> Self {
        Self::By(Vec::new())
    }

    /// The labels of the group that a series is in.
    #[must_use]
    pub fn of(&self, labels: &Labels) -> Labels {
        match self {
            Self::By(names) => labels.filtered(names, true),
            Self::Without(names) => labels.filtered(names, false),
        }
    }
}

/// What becomes of the values of a group at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reducer {
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least; NaN only where all are.
    Min,
    /// The greatest; NaN only where all are.
    Max,
    /// How many there are.
    Count,
    /// Their population standard deviation.
    Stddev,
    /// Their population variance.
    Stdvar,
}

/// One group at one step.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    count: f64,
    /// Sum, least or greatest; the running mean for the others.
    value: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
}

/// One series for each group; a step where no series of the group has a value has none.
#[must_use]
pub fn aggregate(block: Block, reducer: Reducer, grouping: &Grouping) -> Block {
    let points = block.grid.len();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<(Labels, Vec<State>)> = Vec::new();
    for row in block.series {
        let labels = grouping.of(&row.labels);
        let group = *index.entry(labels.clone()).or_insert_with(|| {
            groups.push((labels, vec![State::default(); points]));
            groups.len() - 1
        });
        for (state, value) in groups[group].1.iter_mut().zip(row.values) {
            if let Some(value) = value {
                state.add(reducer, value);
            }
        }
    }
    let finish = |(labels, states): (Labels, Vec<State>)| Row {
        labels,
        values: states.iter().map(|state| state.finish(reducer)).collect(),
    };
    Block { grid: block.grid, series: groups.into_iter().map(finish).collect() }
}

impl State {
    fn add(&mut self, reducer: Reducer, value: f64) {
        self.count += 1.0;
        match reducer {
            Reducer::Sum => self.value += value,
            Reducer::Count => {}
            Reducer::Min if self.count == 1.0 || value < self.value || self.value.is_nan() => self.value = value,
            Reducer::Max if self.count == 1.0 || value > self.value || self.value.is_nan() => self.value = value,
            Reducer::Min | Reducer::Max => {}
            Reducer::Avg | Reducer::Stddev | Reducer::Stdvar => self.add_to_mean(value),
        }
    }

    /// Keeps the mean, so that large sums don't overflow.
    fn add_to_mean(&mut self, value: f64) {
        // An infinite mean stays what it is; a difference of infinities would make it NaN.
        if self.value.is_infinite() && (value.is_finite() || value == self.value) {
            return;
        }
        let distance = value - self.value;
        if value.is_infinite() {
            self.value += value;
        } else {
            self.value += distance / self.count;
        }
        self.squares += distance * (value - self.value);
    }

    fn finish(&self, reducer: Reducer) -> Option<f64> {
        (self.count > 0.0).then(|| match reducer {
            Reducer::Count => self.count,
            Reducer::Stdvar => self.squares / self.count,
            Reducer::Stddev => (self.squares / self.count).sqrt(),
            Reducer::Sum | Reducer::Avg | Reducer::Min | Reducer::Max => self.value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    type Pairs<'a> = &'a [(&'static str, &'static str)];

    fn block(rows: &[(Pairs<'_>, Option<f64>)]) -> Block {
        let row = |(labels, value): &(Pairs<'_>, Option<f64>)| Row {
            labels: Labels::from_pairs(labels.iter().copied()),
            values: vec![*value],
        };
        Block { grid: Grid::instant(0), series: rows.iter().map(row).collect() }
    }

    fn three() -> Block {
        block(&[
            (&[("a", "1"), ("b", "1")], Some(2.0)),
            (&[("a", "1"), ("b", "2")], Some(4.0)),
            (&[("a", "2"), ("b", "1")], Some(9.0)),
            (&[("a", "3")], None),
        ])
    }

    fn by_a(reducer: Reducer) -> Vec<(String, f64)> {
        let grouped = aggregate(three(), reducer, &Grouping::By(vec!["a".to_owned()]));
        grouped.into_vector().into_iter().map(|sample| (sample.labels.to_string(), sample.value)).collect()
    }

    #[test]
    fn each_reducer_computes_its_value_of_each_group() {
        for (reducer, first) in [
            (Reducer::Sum, 6.0),
            (Reducer::Avg, 3.0),
            (Reducer::Min, 2.0),
            (Reducer::Max, 4.0),
            (Reducer::Count, 2.0),
            (Reducer::Stddev, 1.0),
            (Reducer::Stdvar, 1.0),
        ] {
            let second = match reducer {
                Reducer::Count => 1.0,
                Reducer::Stddev | Reducer::Stdvar => 0.0,
                _ => 9.0,
            };
            assert_eq!(by_a(reducer), [(r#"{a="1"}"#.to_owned(), first), (r#"{a="2"}"#.to_owned(), second)], "{reducer:?}");
        }
    }

    #[test]
    fn without_groups_by_all_other_labels() {
        let grouped = aggregate(three(), Reducer::Sum, &Grouping::Without(vec!["a".to_owned()])).into_vector();
        let found: Vec<_> = grouped.iter().map(|sample| (sample.labels.to_string(), sample.value)).collect();
        assert_eq!(found, [(r#"{b="1"}"#.to_owned(), 11.0), (r#"{b="2"}"#.to_owned(), 4.0)]);
    }

    #[test]
    fn the_mean_of_infinities_is_infinite_and_not_nan() {
        let rows = block(&[(&[("a", "1")], Some(f64::INFINITY)), (&[("a", "2")], Some(1.0))]);
        assert_eq!(aggregate(rows, Reducer::Avg, &Grouping::all()).into_vector()[0].value, f64::INFINITY);
    }
}
