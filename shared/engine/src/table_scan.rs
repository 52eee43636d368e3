use std::cmp::Reverse;
use std::sync::Arc;

use datafusion::common::{Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use icegate_tables::DataFile;

use crate::provider::{ScanShape, TenantRows};
use crate::reader::object_meta;
use crate::sources::Source;
use crate::statistics;

/// Bytes at the end of a data file that are fetched first, in the hope that they hold its metadata and page index.
const METADATA_SIZE_HINT: usize = 256 << 10;

/// The plan that reads table files.
///
/// Has no tenant filter: each file is of one tenant by its partition, which was checked when the files were chosen, and a filter
/// would take away that row counts and bounds are exact, from which `count(*)`, minima, maxima and top-k pruning live.
pub(crate) fn plan(
    rows: &TenantRows,
    source: &Source,
    files: &[Arc<DataFile>],
    shape: &ScanShape<'_>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let parquet = rows.parquet(source, METADATA_SIZE_HINT, shape);
    let statistics: Vec<_> = files.iter().map(|file| Arc::new(statistics::of_file(file, &rows.schema))).collect();
    let whole = Statistics::try_merge_iter(statistics.iter().map(AsRef::as_ref), &rows.schema)?;
    let config = FileScanConfigBuilder::new(source.url.clone(), Arc::new(parquet))
        .with_projection_indices(shape.projection.map(<[usize]>::to_vec))?
        .with_file_groups(groups(files, statistics, rows.target_partitions))
        .with_statistics(whole)
        .with_limit(shape.limit)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// Deals the files out newest first, so that every stream starts with rows that a top-k by time is likely to keep.
fn groups(files: &[Arc<DataFile>], statistics: Vec<Arc<Statistics>>, streams: usize) -> Vec<FileGroup> {
    let mut newest_first: Vec<_> = files.iter().zip(statistics).collect();
    newest_first.sort_by_key(|(file, _)| Reverse(file.max_timestamp));
    let mut groups = vec![Vec::new(); streams.clamp(1, files.len().max(1))];
    let count = groups.len();
    for (index, (file, statistics)) in newest_first.into_iter().enumerate() {
        let object = object_meta(file.path.clone(), file.size, None);
        groups[index % count].push(PartitionedFile::new_from_meta(object).with_statistics(statistics));
    }
    groups.into_iter().map(FileGroup::new).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, RecordBatch, StringArray, TimestampMicrosecondArray};
    use datafusion::prelude::{SessionContext, col, lit};
    use icegate_model::Table;
    use icegate_storage::Root;
    use object_store::ObjectStoreExt;
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::id_index::IndexedFiles;
    use crate::{PredicatePushdown, Reads};

    /// A file as an older release may have written it: `tenant_id` and `timestamp` only.
    fn old_file() -> Vec<u8> {
        let tenants: Arc<dyn Array> = Arc::new(StringArray::from(vec!["a", "a"]));
        let times: Arc<dyn Array> = Arc::new(TimestampMicrosecondArray::from(vec![1, 2]).with_timezone("+00:00"));
        let batch = RecordBatch::try_from_iter([("tenant_id", tenants), ("timestamp", times)]).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    async fn rows_of(bytes: Vec<u8>, pushdown: PredicatePushdown) -> (SessionContext, Arc<TenantRows>) {
        let (session, store) = (SessionContext::new(), Root::memory().store);
        let source = Source::register(&session.runtime_env(), "test", &store, None).unwrap();
        let file = DataFile {
            path: "f.parquet".into(),
            size: bytes.len() as u64,
            rows: 2,
            tenant: "a".parse().unwrap(),
            account: None,
            day: 0,
            min_timestamp: 1,
            max_timestamp: 2,
            sorted: false,
            bounds: Vec::new(),
        };
        store.put(&file.path, bytes.into()).await.unwrap();
        let rows = TenantRows {
            table: Table::Logs,
            tenant: file.tenant.clone(),
            schema: crate::read_schema(Table::Logs),
            files: Some((source, IndexedFiles { table: Table::Logs, files: vec![Arc::new(file)], index: None })),
            segments: None,
            wal_metadata_size_hint: 1_024,
            batch_size: 10,
            target_partitions: 2,
            pushdown,
            reads: Reads::default(),
        };
        (session, Arc::new(rows))
    }

    #[tokio::test]
    async fn columns_that_an_old_file_lacks_are_null() {
        for pushdown in [PredicatePushdown::Never, PredicatePushdown::Always] {
            for (filter, expected) in [
                (col("event_name").is_null(), 2),
                (col("event_name").is_not_null(), 0),
                (col("event_name").eq(lit("x")), 0),
                (col("event_name").is_null().and(col("trace_id").is_null()), 2),
            ] {
                let (session, rows) = rows_of(old_file(), pushdown).await;
                let rows = session.read_table(rows).unwrap().filter(filter.clone()).unwrap();
                let batches = rows.select_columns(&["timestamp", "event_name"]).unwrap();
                let batches = batches.collect().await.unwrap();
                assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), expected, "{pushdown:?} {filter}");
            }
        }
    }
}
