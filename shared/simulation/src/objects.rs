use icegate_model::Table;
use icegate_testkit::Operation;
use object_store::path::Path;

/// What an object of the run is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Segment(Table),
    Metadata(Table),
    DataFile(Table),
    /// What ids are in data files.
    Index(Table),
    /// A manifest, a manifest list, a ledger.
    CommitPart(Table),
    Other,
}

impl Object {
    pub(crate) fn of(path: &Path) -> Self {
        let parts: Vec<_> = path.parts().collect();
        let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        let table = |name: &str| Table::ALL.into_iter().find(|table| table.name() == name);
        match parts.as_slice() {
            ["queue", table_name, _] => table(table_name).map_or(Self::Other, Self::Segment),
            ["warehouse", "icegate", table_name, kind, rest @ ..] => match (table(table_name), *kind, rest) {
                (Some(table), "metadata", [file]) if file.ends_with(".metadata.json") => Self::Metadata(table),
                (Some(table), "metadata", [file]) if file.ends_with(".avro") => Self::CommitPart(table),
                (Some(table), "ledger", _) => Self::CommitPart(table),
                (Some(table), "data", _) => Self::DataFile(table),
                (Some(table), "index", _) => Self::Index(table),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// What it means that a process is killed when its request for the object had its effect.
    pub(crate) fn killed_after(self, operation: Operation) -> Option<&'static str> {
        match (self, operation) {
            (Self::Segment(_), Operation::Put | Operation::Create) => {
                Some("event: killed between a segment's put and its acknowledgement")
            }
            (Self::Segment(_), Operation::Delete) => Some("event: killed while segments are deleted"),
            (Self::Metadata(_), Operation::Create) => Some("event: killed between a commit and the deletion of its segments"),
            (Self::Index(_), Operation::Put) => Some("event: killed between an index's put and its commit"),
            (Self::DataFile(_) | Self::CommitPart(_), Operation::Put) => {
                Some("event: killed between a data file's put and its commit")
            }
            _ => None,
        }
    }
}
