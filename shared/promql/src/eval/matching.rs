//! Operations on series of two sides that meet on labels.

use std::collections::HashMap;

use icegate_series::Labels;

use super::binary_value::{Operation, is_arithmetic};
use super::labels::with;
use super::series_labels::without_name;
use super::values::{Context, Row, Sink};
use super::vector::collect;
use crate::PromqlError;
use crate::ast::{Binary, Cardinality, Matching};
use crate::samples::Value;

/// Numbers the sets of labels that series meet on.
pub(crate) struct Keys {
    on: bool,
    names: Vec<String>,
    index: HashMap<Labels, usize>,
    labels: Vec<Labels>,
}

impl Keys {
    pub(crate) fn new(matching: &Matching) -> Self {
        let mut names = matching.labels.clone();
        if !matching.on {
            names.push("__name__".to_owned());
        }
        Self { on: matching.on, names, index: HashMap::new(), labels: Vec::new() }
    }

    pub(crate) fn of(&mut self, labels: &Labels) -> usize {
        let key = labels.filtered(&self.names, self.on);
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        self.index.insert(key.clone(), self.labels.len());
        self.labels.push(key);
        self.labels.len() - 1
    }

    pub(crate) const fn len(&self) -> usize {
        self.labels.len()
    }
}

/// The sides of an operation: of the one, a single series may meet a key.
struct Sides {
    many: Vec<Row>,
    one: Vec<Row>,
    many_keys: Vec<usize>,
    one_keys: Vec<usize>,
    /// Whether the one stands on the left.
    is_swapped: bool,
    fill_many: Option<f64>,
    fill_one: Option<f64>,
}

/// Results so far.
struct Results<'a> {
    operation: &'a Operation<'a>,
    matching: &'a Matching,
    steps: usize,
    rows: Vec<Row>,
    by_labels: HashMap<Labels, usize>,
    /// The result of a series of the many and one of the one.
    by_pair: HashMap<(Option<usize>, Option<usize>), usize>,
}

pub(crate) fn combine(
    context: &Context<'_>,
    node: &Binary,
    matching: &Matching,
    operation: &Operation<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), PromqlError> {
    let (left, right) = (collect(context, &node.left)?, collect(context, &node.right)?);
    let all = || left.iter().chain(&right);
    let _held = context.budget.hold(all().map(Row::samples).sum(), all().map(Row::bytes).sum())?;
    let is_swapped = matching.card == Cardinality::OneToMany;
    let mut keys = Keys::new(matching);
    let (many, one) = if is_swapped { (right, left) } else { (left, right) };
    // With `group_right`, the left fill stands for the many all the same.
    let (fill_many, fill_one) = (matching.fill_left, matching.fill_right);
    let many_keys = many.iter().map(|row| keys.of(&row.labels)).collect();
    let one_keys = one.iter().map(|row| keys.of(&row.labels)).collect();
    let sides = Sides { many, one, many_keys, one_keys, is_swapped, fill_many, fill_one };
    let steps = context.grid.len();
    let mut results =
        Results { operation, matching, steps, rows: Vec::new(), by_labels: HashMap::new(), by_pair: HashMap::new() };
    for step in 0..steps {
        combine_step(&sides, &keys, step, &mut results)?;
    }
    results.rows.into_iter().filter(|row| !row.is_empty()).try_for_each(sink)
}

fn combine_step(sides: &Sides, keys: &Keys, step: usize, results: &mut Results<'_>) -> Result<(), PromqlError> {
    let has = |rows: &[Row]| rows.iter().any(|row| row.values[step].is_some());
    let has_fill = sides.fill_many.is_some() || sides.fill_one.is_some();
    if !has_fill && (!has(&sides.many) || !has(&sides.one)) {
        return Ok(());
    }
    let mut partner: Vec<Option<usize>> = vec![None; keys.len()];
    for (at, row) in sides.one.iter().enumerate().filter(|(_, row)| row.values[step].is_some()) {
        let slot = &mut partner[sides.one_keys[at]];
        if let Some(other) = slot {
            return Err(duplicate(&keys.labels[sides.one_keys[at]], &sides.one[*other], row, sides.is_swapped));
        }
        *slot = Some(at);
    }
    let mut met = vec![false; keys.len()];
    let mut taken = vec![false; keys.len()];
    for (at, row) in sides.many.iter().enumerate() {
        let Some(value) = &row.values[step] else { continue };
        let key = sides.many_keys[at];
        met[key] = true;
        let filled = sides.fill_one.map(Value::Float);
        let other = partner[key].map(|one| &sides.one[one].values[step]).and_then(Option::as_ref).or(filled.as_ref());
        let Some(other) = other else { continue };
        // Also where a comparison would keep one of them only.
        if results.matching.card == Cardinality::OneToOne && std::mem::replace(&mut taken[key], true) {
            let message = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
            return Err(PromqlError::evaluation(message));
        }
        let Some(value) = results.value(value, other, sides.is_swapped) else { continue };
        results.set(sides, &keys.labels[key], (Some(at), partner[key]), step, value)?;
    }
    let Some(fill) = sides.fill_many.map(Value::Float) else { return Ok(()) };
    for (key, one) in partner.iter().enumerate().filter(|(key, _)| !met[*key]) {
        let Some(one) = *one else { continue };
        let Some(other) = &sides.one[one].values[step] else { continue };
        if let Some(value) = results.value(&fill, other, sides.is_swapped) {
            results.set(sides, &keys.labels[key], (None, Some(one)), step, value)?;
        }
    }
    Ok(())
}

fn duplicate(group: &Labels, first: &Row, second: &Row, is_left: bool) -> PromqlError {
    let side = if is_left { "left" } else { "right" };
    PromqlError::evaluation(format!(
        "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
        first.labels, second.labels
    ))
}

impl Results<'_> {
    fn value(&self, many: &Value, one: &Value, is_swapped: bool) -> Option<Value> {
        let (left, right) = if is_swapped { (one, many) } else { (many, one) };
        self.operation.apply(left, right, left)
    }

    fn set(
        &mut self,
        sides: &Sides,
        group: &Labels,
        pair: (Option<usize>, Option<usize>),
        step: usize,
        value: Value,
    ) -> Result<(), PromqlError> {
        let at = match self.by_pair.get(&pair) {
            Some(at) => *at,
            None => {
                let at = self.row(sides, group, pair);
                self.by_pair.insert(pair, at);
                at
            }
        };
        let slot = &mut self.rows[at].values[step];
        if slot.is_some() {
            let message = "multiple matches for labels: grouping labels must ensure unique matches";
            return Err(PromqlError::evaluation(message));
        }
        *slot = Some(value);
        Ok(())
    }

    /// The result with the labels that a pair gives.
    fn row(&mut self, sides: &Sides, group: &Labels, (many, one): (Option<usize>, Option<usize>)) -> usize {
        let (many, one) = (many.map(|at| &sides.many[at]), one.map(|at| &sides.one[at]));
        let mut labels = many.map_or_else(|| group.clone(), |row| row.labels.clone());
        let delayed = self.operation.context.options.delayed_name_removal;
        if is_arithmetic(self.operation.op) || self.operation.return_bool && !delayed {
            labels = without_name(&labels);
        }
        if self.matching.card == Cardinality::OneToOne {
            labels = labels.filtered(&self.matching.labels, self.matching.on);
        }
        for name in &self.matching.include {
            let value = one.map_or_else(|| group.get(name), |row| row.labels.get(name));
            labels = with(&labels, name, value.unwrap_or_default());
        }
        let drop_name = self.operation.return_bool || many.is_some_and(|row| row.drop_name);
        let (rows, steps) = (&mut self.rows, self.steps);
        *self.by_labels.entry(labels.clone()).or_insert_with(|| {
            rows.push(Row { labels, drop_name, values: vec![None; steps] });
            rows.len() - 1
        })
    }
}
