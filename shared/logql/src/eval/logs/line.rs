use std::cmp::Ordering;
use std::collections::BinaryHeap;

use icegate_series::Labels;

use crate::{Direction, Entry};

/// A line and its stream.
#[derive(Debug)]
pub(in crate::eval) struct Line {
    pub(super) stream: Labels,
    pub(super) entry: Entry,
    /// When it was observed in nanoseconds: of lines with equal times, often the order in which they were written.
    pub(super) observed: i64,
}

impl Line {
    pub(super) const fn at(&self) -> i64 {
        self.entry.timestamp.nanos()
    }

    /// Whether it comes before another, earliest first. Lines that are equal here are equal in answers, so that the order doesn't
    /// show where they were read.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.at().cmp(&other.at()).then(self.observed.cmp(&other.observed)).then_with(|| {
            let key = |line: &'_ Self| (line.stream.clone(), line.entry.metadata.clone(), line.entry.parsed.clone());
            self.entry.line.cmp(&other.entry.line).then_with(|| key(self).cmp(&key(other)))
        })
    }
}

/// The first lines of a direction: no more than `limit` are held.
#[derive(Debug)]
pub(super) struct First {
    limit: usize,
    direction: Direction,
    /// The last of those kept is on top.
    heap: BinaryHeap<Ranked>,
}

impl First {
    pub(super) const fn new(limit: usize, direction: Direction) -> Self {
        Self { limit, direction, heap: BinaryHeap::new() }
    }

    /// Whether a line of this time may be among the first.
    pub(super) fn wants(&self, at: i64) -> bool {
        let worst = self.heap.peek().map(|worst| worst.line.at());
        self.heap.len() < self.limit || worst.is_some_and(|worst| ordered(self.direction, at.cmp(&worst)).is_le())
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn push(&mut self, line: Line) {
        self.heap.push(Ranked { line, direction: self.direction });
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    /// Takes over the lines of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        other.heap.into_iter().for_each(|ranked| self.push(ranked.line));
    }

    /// The lines in order.
    pub(super) fn into_lines(self) -> Vec<Line> {
        self.heap.into_sorted_vec().into_iter().map(|ranked| ranked.line).collect()
    }
}

/// An order of time as a direction sees it.
pub(super) const fn ordered(direction: Direction, order: Ordering) -> Ordering {
    match direction {
        Direction::Forward => order,
        Direction::Backward => order.reverse(),
    }
}

/// A line whose place is that in its direction.
#[derive(Debug)]
struct Ranked {
    line: Line,
    direction: Direction,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        ordered(self.direction, self.line.order(&other.line))
    }
}
