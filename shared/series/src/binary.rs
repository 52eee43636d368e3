use std::collections::HashMap;

use crate::{Block, Labels, Row};

/// On which labels two sides meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// On these.
    On(Vec<String>),
    /// On all but these.
    Ignoring(Vec<String>),
}

impl Matching {
    /// On all labels.
    #[must_use]
    pub const fn all() -> Self {
        Self::Ignoring(Vec::new())
    }

    pub(crate) fn key(&self, labels: &Labels) -> Labels {
        match self {
            Self::On(names) => labels.filtered(names, true),
            Self::Ignoring(names) => labels.filtered(names, false),
        }
    }
}

/// Operations on whole series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// What is on the left, and what is only on the right.
    Or,
    /// What is on the left and has a partner.
    And,
    /// What is on the left and has no partner.
    Unless,
}

/// Several series of one side meet one series of the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "multiple matches for labels: found several series for the match group {group} on the {side} side of the operation; many-to-one matching must be explicit (group_left/group_right)"
)]
pub struct ManyMatches {
    /// The labels that they meet on.
    pub group: Labels,
    /// `left` or `right`; with a group modifier `many` or `one`.
    pub side: &'static str,
}

/// Combines series that meet, step by step; where `value` gives `None`, or a side has no value, there is none.
///
/// # Errors
/// [`ManyMatches`] where two series of one side with values at the same step meet on the same labels.
pub fn combine(
    left: Block,
    right: &Block,
    matching: &Matching,
    value: impl Fn(f64, f64) -> Option<f64>,
) -> Result<Block, ManyMatches> {
    let partners = by_key(right, matching);
    let mut series: Vec<Row> = Vec::new();
    let mut made: HashMap<Labels, usize> = HashMap::new();
    for row in left.series {
        let key = matching.key(&row.labels);
        let Some(right_rows) = partners.get(&key) else { continue };
        let partner = merged(right_rows, &key)?;
        let values: Vec<_> = row.values.iter().zip(&partner).map(|(l, r)| value((*l)?, (*r)?)).collect();
        // Series of the left side that meet on the same labels are one series, if they don't overlap.
        match made.get(&key) {
            None => {
                made.insert(key.clone(), series.len());
                series.push(Row { labels: result_labels(&row.labels, key, matching), values });
            }
            Some(index) => overlay(&mut series[*index].values, &values).map_err(|()| ManyMatches { group: key, side: "left" })?,
        }
    }
    Ok(Block { grid: left.grid, series })
}

/// Combines each value with a number.
#[must_use]
pub fn combine_scalar(mut block: Block, value: impl Fn(f64) -> Option<f64>) -> Block {
    for cell in block.series.iter_mut().flat_map(|row| &mut row.values) {
        *cell = cell.and_then(&value);
    }
    block
}

/// Whole series by whether they have a partner at each step.
#[must_use]
pub fn combine_sets(op: SetOp, mut left: Block, right: Block, matching: &Matching) -> Block {
    match op {
        SetOp::Or => {
            let taken = presence(&left, matching);
            let mut added = right;
            for row in &mut added.series {
                if let Some(present) = taken.get(&matching.key(&row.labels)) {
                    mask(&mut row.values, present, false);
                }
            }
            merge_equal(&mut left, added);
        }
        SetOp::And | SetOp::Unless => {
            let partners = presence(&right, matching);
            let none = vec![false; left.grid.len()];
            for row in &mut left.series {
                let present = partners.get(&matching.key(&row.labels)).unwrap_or(&none);
                mask(&mut row.values, present, op == SetOp::And);
            }
        }
    }
    left
}

fn result_labels(labels: &Labels, key: Labels, matching: &Matching) -> Labels {
    match matching {
        Matching::On(_) => key,
        Matching::Ignoring(names) => labels.filtered(names, false),
    }
}

pub(crate) fn by_key<'a>(block: &'a Block, matching: &Matching) -> HashMap<Labels, Vec<&'a Row>> {
    let mut all: HashMap<Labels, Vec<&Row>> = HashMap::new();
    for row in &block.series {
        all.entry(matching.key(&row.labels)).or_default().push(row);
    }
    all
}

fn merged(rows: &[&Row], key: &Labels) -> Result<Vec<Option<f64>>, ManyMatches> {
    let mut values = rows.first().map(|row| row.values.clone()).unwrap_or_default();
    for row in rows.iter().skip(1) {
        overlay(&mut values, &row.values).map_err(|()| ManyMatches { group: key.clone(), side: "right" })?;
    }
    Ok(values)
}

/// Fills cells without a value; fails where both have one.
pub(crate) fn overlay(into: &mut [Option<f64>], from: &[Option<f64>]) -> Result<(), ()> {
    for (cell, value) in into.iter_mut().zip(from) {
        match (&cell, value) {
            (Some(_), Some(_)) => return Err(()),
            (None, Some(_)) => *cell = *value,
            _ => {}
        }
    }
    Ok(())
}

/// At which steps any series with a key has a value.
fn presence(block: &Block, matching: &Matching) -> HashMap<Labels, Vec<bool>> {
    let mut all: HashMap<Labels, Vec<bool>> = HashMap::new();
    for row in &block.series {
        let present = all.entry(matching.key(&row.labels)).or_insert_with(|| vec![false; row.values.len()]);
        for (cell, value) in present.iter_mut().zip(&row.values) {
            *cell |= value.is_some();
        }
    }
    all
}

/// Keeps the values where `present` is `keep`.
fn mask(values: &mut [Option<f64>], present: &[bool], keep: bool) {
    for (cell, present) in values.iter_mut().zip(present) {
        if *present != keep {
            *cell = None;
        }
    }
}

/// Adds series; equal labels become one series.
fn merge_equal(left: &mut Block, added: Block) {
    let index: HashMap<Labels, usize> = left.series.iter().enumerate().map(|(index, row)| (row.labels.clone(), index)).collect();
    for row in added.series {
        match index.get(&row.labels) {
            Some(at) => {
                for (cell, value) in left.series[*at].values.iter_mut().zip(row.values) {
                    *cell = cell.or(value);
                }
            }
            None => left.series.push(row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    type Rows<'a> = &'a [(&'a str, &'a str, [Option<f64>; 2])];

    fn block(rows: Rows<'_>) -> Block {
        let row = |(a, b, values): &(&str, &str, [Option<f64>; 2])| Row {
            labels: Labels::from_pairs([("a", *a), ("b", *b)]),
            values: values.to_vec(),
        };
        Block { grid: Grid::new(0, 1, 1).unwrap(), series: rows.iter().map(row).collect() }
    }

    fn text(block: Block) -> Vec<String> {
        block.into_matrix().iter().map(|series| format!("{} {:?}", series.labels, series.points)).collect()
    }

    const ONE: Option<f64> = Some(1.0);
    const TWO: Option<f64> = Some(2.0);

    #[test]
    fn series_meet_on_all_labels_and_steps_where_both_have_values() {
        let left = block(&[("x", "1", [ONE, TWO]), ("y", "1", [ONE, ONE])]);
        let right = block(&[("x", "1", [TWO, None]), ("z", "1", [ONE, ONE])]);
        let sum = combine(left, &right, &Matching::all(), |l, r| Some(l + r)).unwrap();
        assert_eq!(text(sum), [r#"{a="x", b="1"} [(0, 3.0)]"#]);
    }

    #[test]
    fn on_keeps_only_the_labels_that_it_names() {
        let left = block(&[("x", "1", [ONE, TWO])]);
        let right = block(&[("x", "2", [TWO, TWO])]);
        let sum = combine(left, &right, &Matching::On(vec!["a".to_owned()]), |l, r| Some(l * r)).unwrap();
        assert_eq!(text(sum), [r#"{a="x"} [(0, 2.0), (1, 4.0)]"#]);
    }

    #[test]
    fn several_series_for_one_partner_are_an_error() {
        let left = block(&[("x", "1", [ONE, TWO])]);
        let right = block(&[("x", "2", [TWO, TWO]), ("x", "3", [TWO, TWO])]);
        let on = Matching::On(vec!["a".to_owned()]);
        assert_eq!(combine(left.clone(), &right, &on, |l, _| Some(l)).unwrap_err().side, "right");
        assert_eq!(combine(right, &left, &on, |l, _| Some(l)).unwrap_err().side, "left");
    }

    #[test]
    fn set_operations_go_step_by_step() {
        let left = block(&[("x", "1", [ONE, None])]);
        let right = block(&[("x", "1", [TWO, TWO]), ("y", "1", [TWO, None])]);
        let sets = |op| text(combine_sets(op, left.clone(), right.clone(), &Matching::all()));
        assert_eq!(sets(SetOp::Or), [r#"{a="x", b="1"} [(0, 1.0), (1, 2.0)]"#, r#"{a="y", b="1"} [(0, 2.0)]"#]);
        assert_eq!(sets(SetOp::And), [r#"{a="x", b="1"} [(0, 1.0)]"#]);
        assert!(sets(SetOp::Unless).is_empty());
    }
}
