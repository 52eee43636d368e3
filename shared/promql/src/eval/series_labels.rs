use std::collections::HashMap;
use std::collections::hash_map::Entry;

use icegate_series::Labels;

use super::values::{Context, Row, Sink};
use crate::PromqlError;

/// What belongs to the name of a series, and goes away with it.
const NAMES: [&str; 3] = ["__name__", "__type__", "__unit__"];

/// Labels without the name, its type and unit.
pub(crate) fn without_name(labels: &Labels) -> Labels {
    if NAMES.iter().all(|name| labels.get(name).is_none()) {
        return labels.clone();
    }
    labels.filtered(&NAMES.map(str::to_owned), false)
}

pub(crate) fn same_labels() -> PromqlError {
    PromqlError::evaluation("vector cannot contain metrics with the same labelset")
}

/// Which steps a series has, in bits.
pub(crate) struct Presence(Vec<u64>);

impl Presence {
    pub(crate) fn of(row: &Row) -> Self {
        let mut bits = vec![0; row.values.len().div_ceil(64)];
        for (index, value) in row.values.iter().enumerate() {
            bits[index / 64] |= u64::from(value.is_some()) << (index % 64);
        }
        Self(bits)
    }

    /// Adds another one; `false` where both have a step.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        let apart = self.0.iter().zip(&other.0).all(|(own, other)| own & other == 0);
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
        apart
    }
}

/// Fails where two series become one.
pub(crate) struct Distinct<'a> {
    /// Whether series may share their labels as long as they don't share a step.
    by_step: bool,
    seen: HashMap<Labels, Presence>,
    held: super::budget::Held<'a, 'a>,
}

impl<'a> Distinct<'a> {
    pub(crate) fn new(context: &Context<'a>, by_step: bool) -> Result<Self, PromqlError> {
        Ok(Self { by_step, seen: HashMap::new(), held: context.budget.hold(0, 0)? })
    }

    pub(crate) fn check(&mut self, row: &Row) -> Result<(), PromqlError> {
        let presence = Presence::of(row);
        match self.seen.entry(row.labels.clone()) {
            Entry::Vacant(entry) => {
                self.held.more(0, size_of::<Labels>() + row.values.len() / 8)?;
                entry.insert(presence);
                Ok(())
            }
            Entry::Occupied(mut entry) => {
                let apart = entry.get_mut().join(&presence);
                if self.by_step && apart { Ok(()) } else { Err(same_labels()) }
            }
        }
    }
}

/// Removes names from series, at once or at the end, and fails where two of them become one.
pub(crate) struct Nameless<'a> {
    delayed: bool,
    distinct: Distinct<'a>,
}

impl<'a> Nameless<'a> {
    pub(crate) fn new(context: &Context<'a>, by_step: bool) -> Result<Self, PromqlError> {
        Ok(Self { delayed: context.options.delayed_name_removal, distinct: Distinct::new(context, by_step)? })
    }

    pub(crate) fn pass(&mut self, mut row: Row, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
        if self.delayed {
            row.drop_name = true;
        } else {
            row.labels = without_name(&row.labels);
            self.distinct.check(&row)?;
        }
        sink(row)
    }
}

/// Joins series with the same labels, in order of the first.
pub(crate) fn joined(rows: Vec<Row>) -> Result<Vec<Row>, PromqlError> {
    let mut index: HashMap<Labels, usize> = HashMap::with_capacity(rows.len());
    let mut out: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match index.entry(row.labels.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(out.len());
                out.push(row);
            }
            Entry::Occupied(entry) => {
                let own = &mut out[*entry.get()];
                for (own, other) in own.values.iter_mut().zip(row.values) {
                    match (own.is_some(), other) {
                        (true, Some(_)) => return Err(same_labels()),
                        (false, other @ Some(_)) => *own = other,
                        (_, None) => {}
                    }
                }
            }
        }
    }
    Ok(out)
}
