use std::fmt;

use icegate_tables::{Expired, IndexMerge, Swept};
use object_store::path::Path;

/// What maintenance of one table did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Snapshots.
    pub expired: Expired,
    /// Objects that nothing refers to.
    pub swept: Swept,
    /// What of the index of trace ids was gathered.
    pub index: IndexMerge,
    /// Segments in the WAL.
    pub segments: usize,
    /// Objects in the WAL that no writer named so; they stay.
    pub unknown: Vec<Path>,
    /// Whether the catalog's backend looks after snapshots and files itself, so that nothing was done about them.
    pub managed: bool,
    /// Whether all this was only looked for.
    pub dry_run: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expired { removed, kept, checkpoint } = self.expired;
        let Swept { orphans, removed: deleted, removed_bytes, failed } = &self.swept;
        if self.managed {
            write!(f, "snapshots and files are kept by the catalog")?;
        } else if self.dry_run {
            let bytes: u64 = orphans.iter().map(|(_, bytes)| bytes).sum();
            write!(f, "would expire {removed} snapshots of {}", removed + kept - usize::from(checkpoint))?;
            write!(f, ", would remove {} objects ({bytes} bytes)", orphans.len())?;
        } else {
            write!(f, "{removed} snapshots expired, {kept} kept")?;
            write!(f, ", {deleted} objects removed ({removed_bytes} bytes), {failed} failed")?;
            let IndexMerge { groups, files } = self.index;
            if groups > 0 {
                write!(f, ", {files} files indexed together in {groups} groups")?;
            }
        }
        write!(f, ", {} segments and {} unknown objects in the write-ahead log", self.segments, self.unknown.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_that_says_what_was_removed() {
        let swept = Swept { orphans: vec![(Path::from("a"), 7), (Path::from("b"), 5)], removed: 1, removed_bytes: 7, failed: 1 };
        let expired = Expired { removed: 3, kept: 4, checkpoint: true };
        let report = Report { expired, swept, segments: 2, unknown: vec![Path::from("x")], ..Report::default() };
        let done = "3 snapshots expired, 4 kept, 1 objects removed (7 bytes), 1 failed";
        let wal = ", 2 segments and 1 unknown objects in the write-ahead log";
        assert_eq!(report.to_string(), format!("{done}{wal}"));
        let indexed = Report { index: IndexMerge { groups: 2, files: 600 }, ..report.clone() };
        assert_eq!(indexed.to_string(), format!("{done}, 600 files indexed together in 2 groups{wal}"));
        // Six are there; a seventh would come with the checkpoint.
        let dry = Report { dry_run: true, ..report.clone() };
        let would = "would expire 3 snapshots of 6, would remove 2 objects (12 bytes)";
        assert_eq!(dry.to_string(), format!("{would}{wal}"));
        let managed = Report { managed: true, ..report };
        assert_eq!(managed.to_string(), format!("snapshots and files are kept by the catalog{wal}"));
    }
}
