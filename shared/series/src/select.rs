use std::cmp::Ordering;
use std::collections::HashMap;

use crate::{Block, Grouping, Labels, Row};

/// Which end of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// The greatest first.
    Greatest,
    /// The least first.
    Least,
}

impl Extreme {
    /// NaN comes last at both ends.
    fn order(self, left: f64, right: f64) -> Ordering {
        let by_value = left.total_cmp(&right);
        left.is_nan().cmp(&right.is_nan()).then(if self == Self::Least { by_value } else { by_value.reverse() })
    }
}

/// Keeps the `k` greatest or least values of each group at each step, with the labels of their series. Of equal values those whose
/// labels come first are kept.
#[must_use]
pub fn select(block: Block, extreme: Extreme, k: usize, grouping: &Grouping) -> Block {
    let grid = block.grid;
    let mut groups: HashMap<Labels, Vec<Row>> = HashMap::new();
    for row in block.series {
        groups.entry(grouping.of(&row.labels)).or_default().push(row);
    }
    let mut series = Vec::new();
    for mut rows in groups.into_values() {
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
        (0..grid.len()).for_each(|step| select_step(&mut rows, step, extreme, k));
        rows.retain(|row| row.values.iter().any(Option::is_some));
        series.append(&mut rows);
    }
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    Block { grid, series }
}

fn select_step(rows: &mut [Row], step: usize, extreme: Extreme, k: usize) {
    let cell = |row: &Row| row.values.get(step).copied().flatten();
    let mut present: Vec<(f64, usize)> =
        rows.iter().enumerate().filter_map(|(index, row)| cell(row).map(|value| (value, index))).collect();
    if present.len() <= k {
        return;
    }
    if k > 0 {
        present.select_nth_unstable_by(k - 1, |a, b| extreme.order(a.0, b.0).then(a.1.cmp(&b.1)));
    }
    for (_, index) in present.drain(k..) {
        if let Some(value) = rows[index].values.get_mut(step) {
            *value = None;
        }
    }
}

/// Series in the order of their values at the first step; those without one come last.
#[must_use]
pub fn sort(mut block: Block, extreme: Extreme) -> Block {
    let first = |row: &Row| row.values.first().copied().flatten();
    block.series.sort_by(|a, b| match (first(a), first(b)) {
        (Some(left), Some(right)) => extreme.order(left, right).then_with(|| a.labels.cmp(&b.labels)),
        (left, right) => left.is_none().cmp(&right.is_none()).then_with(|| a.labels.cmp(&b.labels)),
    });
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    fn block(rows: &[(&str, &str, [Option<f64>; 2])]) -> Block {
        let row = |(a, b, values): &(&str, &str, [Option<f64>; 2])| Row {
            labels: Labels::from_pairs([("a", *a), ("b", *b)]),
            values: values.to_vec(),
        };
        Block { grid: Grid::new(0, 1, 1).unwrap(), series: rows.iter().map(row).collect() }
    }

    fn rows() -> Block {
        block(&[
            ("x", "1", [Some(1.0), Some(9.0)]),
            ("x", "2", [Some(2.0), Some(8.0)]),
            ("y", "1", [Some(3.0), None]),
            ("y", "2", [Some(f64::NAN), Some(7.0)]),
        ])
    }

    fn text(block: Block) -> Vec<String> {
        block.into_matrix().iter().map(|series| format!("{} {:?}", series.labels, series.points)).collect()
    }

    #[test]
    fn each_step_keeps_its_own_greatest_or_least() {
        let greatest = text(select(rows(), Extreme::Greatest, 1, &Grouping::all()));
        assert_eq!(greatest, [r#"{a="x", b="1"} [(1, 9.0)]"#, r#"{a="y", b="1"} [(0, 3.0)]"#]);
        let least = text(select(rows(), Extreme::Least, 1, &Grouping::all()));
        assert_eq!(least, [r#"{a="x", b="1"} [(0, 1.0)]"#, r#"{a="y", b="2"} [(1, 7.0)]"#]);
    }

    #[test]
    fn groups_are_chosen_from_apart() {
        let found = select(rows(), Extreme::Greatest, 1, &Grouping::By(vec!["a".to_owned()]));
        assert_eq!(found.series.len(), 4);
        assert_eq!(found.series.iter().map(|row| row.values.iter().flatten().count()).sum::<usize>(), 4);
    }

    #[test]
    fn sorting_puts_nan_and_nothing_last() {
        let order = |extreme| {
            let sorted = sort(rows(), extreme).series;
            sorted.iter().map(|row| row.values[0].unwrap_or_default().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(order(Extreme::Least), ["1", "2", "3", "NaN"]);
        assert_eq!(order(Extreme::Greatest), ["3", "2", "1", "NaN"]);
    }
}
