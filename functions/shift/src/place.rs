use icegate_function_host::events::notification::Object;
use icegate_model::Table;
use icegate_storage::{Location, Root};

/// Where the WAL is, in the words of S3's events.
#[derive(Debug)]
pub(crate) struct Place {
    /// None where the store has no buckets.
    bucket: Option<String>,
    /// Of the WAL's keys; empty or with a slash at its end.
    prefix: String,
}

impl Place {
    pub(crate) fn of(root: &Root) -> Self {
        let bucket = match Location::parse(&root.url) {
            Ok(Location::S3 { bucket, .. }) => Some(bucket),
            _ => None,
        };
        let prefix = root.prefix.as_ref();
        Self { bucket, prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") } }
    }

    /// Whose segment an object is; none where it is no segment of this WAL.
    pub(crate) fn table_of(&self, object: &Object) -> Option<Table> {
        if self.bucket.as_ref().is_some_and(|bucket| *bucket != object.bucket) {
            return None;
        }
        let (table, name) = object.key.strip_prefix(&self.prefix)?.split_once('/')?;
        table.parse().ok().filter(|_| !name.contains('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(prefix: &str, bucket: &str, key: &str) -> Option<Table> {
        let place = Place { bucket: Some("ours".to_owned()), prefix: prefix.to_owned() };
        place.table_of(&Object { bucket: bucket.to_owned(), key: key.to_owned(), created: true })
    }

    #[test]
    fn only_a_segment_of_this_wal_names_a_table() {
        assert_eq!(table_of("wal/", "ours", "wal/spans/1.parquet"), Some(Table::Spans));
        assert_eq!(table_of("", "ours", "logs/1.parquet"), Some(Table::Logs));
        for (bucket, key) in [
            ("theirs", "wal/logs/1.parquet"),
            ("ours", "logs/1.parquet"),
            ("ours", "walrus/logs/1.parquet"),
            ("ours", "wal/jobs/leases/logs/1.json"),
            ("ours", "wal/logs"),
            ("ours", "wal/logs/deeper/1.parquet"),
            ("ours", "wal/labels/1.parquet"),
        ] {
            assert_eq!(table_of("wal/", bucket, key), None, "{bucket} {key}");
        }
    }
}
