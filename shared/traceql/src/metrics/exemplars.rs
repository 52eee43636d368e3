use std::collections::{HashMap, HashSet};

use icegate_series::{Labels, Row};

use super::Exemplar;
use super::frame::Frame;

/// Spans that stand for series: at most one of a bucket, so that they spread over time.
#[derive(Clone, Debug, Default)]
pub(super) struct Exemplars {
    limit: usize,
    taken: HashSet<(Labels, usize)>,
    by_series: HashMap<Labels, Vec<Exemplar>>,
}

impl Exemplars {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Whether there is room for more.
    pub(super) fn are_wanted(&self) -> bool {
        self.taken.len() < self.limit
    }

    pub(super) fn add(&mut self, labels: &Labels, frame: &Frame, exemplar: Exemplar) {
        if !self.are_wanted() {
            return;
        }
        let Some(point) = frame.point(exemplar.time) else { return };
        if self.taken.insert((labels.clone(), point)) {
            self.by_series.entry(labels.clone()).or_default().push(exemplar);
        }
    }

    pub(super) fn merge(&mut self, other: Self, frame: &Frame) {
        for (labels, exemplars) in other.by_series {
            exemplars.into_iter().for_each(|exemplar| self.add(&labels, frame, exemplar));
        }
    }

    /// Those of a series, by time.
    pub(super) fn of(&self, labels: &Labels) -> Vec<Exemplar> {
        let mut all = self.by_series.get(labels).cloned().unwrap_or_default();
        all.sort_by_key(|exemplar| exemplar.time);
        all
    }
}

/// Exemplars of counted spans stand at the height of their series.
pub(super) fn raised(mut exemplars: Vec<Exemplar>, row: &Row, frame: &Frame) -> Vec<Exemplar> {
    for exemplar in &mut exemplars {
        let cell = frame.point(exemplar.time).and_then(|point| row.values.get(point).copied().flatten());
        exemplar.value = cell.unwrap_or_default();
    }
    exemplars
}
