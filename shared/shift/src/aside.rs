//! Segments that a shifter leaves alone: those that nobody can read, and those of a later release.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use icegate_model::Timestamp;
use icegate_wal::Segment;

/// Passes that must find a segment unreadable, each by reading it twice, before it is set aside for all shifters. A body that the
/// network cut short must not condemn a segment.
pub(crate) const FAILED_PASSES: u32 = 3;
/// How long the list of marks is believed. A mark that an operator deletes is noticed after that.
const MARKS_AGE: Duration = Duration::from_secs(30);

/// What one shifter remembers of one table's segments. Holds names of listed segments only.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    marks: BTreeSet<String>,
    listed: Option<Timestamp>,
    suspects: HashMap<String, Suspect>,
    newer: HashSet<String>,
    committed: HashMap<String, Timestamp>,
}

#[derive(Debug)]
struct Suspect {
    failed_passes: u32,
    again: Timestamp,
}

impl Aside {
    /// The segments that bear a mark, unless that has to be looked up.
    pub(crate) fn marks(&self, now: Timestamp) -> Option<BTreeSet<String>> {
        self.listed.filter(|listed| now.since(*listed) < MARKS_AGE).map(|_| self.marks.clone())
    }

    pub(crate) fn set_marks(&mut self, marks: BTreeSet<String>, now: Timestamp) {
        self.marks = marks;
        self.listed = Some(now);
    }

    /// Forgets what is no longer listed.
    pub(crate) fn keep_listed(&mut self, listed: &[Segment]) {
        if self.suspects.is_empty() && self.newer.is_empty() && self.committed.is_empty() {
            return;
        }
        let names: HashSet<&str> = listed.iter().map(|segment| segment.name.as_str()).collect();
        self.suspects.retain(|name, _| names.contains(name.as_str()));
        self.newer.retain(|name| names.contains(name.as_str()));
        self.committed.retain(|name, _| names.contains(name.as_str()));
    }

    /// Whether reading the segment may be of use now. A later format stays one until this process is replaced.
    pub(crate) fn is_readable(&self, segment: &str) -> bool {
        !self.newer.contains(segment)
    }

    /// Whether the segment failed so lately that it is not read again yet.
    pub(crate) fn is_resting(&self, segment: &str, now: Timestamp) -> bool {
        self.suspects.get(segment).is_some_and(|suspect| now < suspect.again)
    }

    /// Counts a pass that could not read the segment; how many there were.
    pub(crate) fn failed(&mut self, segment: &str, now: Timestamp, rest: Duration) -> u32 {
        let suspect = self.suspects.entry(segment.to_owned()).or_insert(Suspect { failed_passes: 0, again: now });
        suspect.failed_passes += 1;
        suspect.again = now + rest;
        suspect.failed_passes
    }

    pub(crate) fn mark(&mut self, segment: &str) {
        self.suspects.remove(segment);
        self.marks.insert(segment.to_owned());
    }

    pub(crate) fn read(&mut self, segments: &[Segment]) {
        for segment in segments {
            self.suspects.remove(&segment.name);
        }
    }

    /// Whether the segment is new to those of a later format.
    pub(crate) fn add_newer(&mut self, segment: &str) -> bool {
        self.newer.insert(segment.to_owned())
    }

    pub(crate) fn newer(&self) -> usize {
        self.newer.len()
    }

    pub(crate) fn marked(&self) -> &BTreeSet<String> {
        &self.marks
    }

    /// Since when this shifter knows that a segment is committed, by its own clock.
    pub(crate) fn committed_since(&mut self, segment: &str, now: Timestamp) -> Timestamp {
        *self.committed.entry(segment.to_owned()).or_insert(now)
    }
}
