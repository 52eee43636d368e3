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
use crate::statistics;

/// Bytes at the end of a data file that are fetched first, in the hope that they hold its metadata and page index.
const METADATA_SIZE_HINT: usize = 256 << 10;

/// The plan that reads table files.
///
/// Has no tenant filter: each file is of one tenant by its partition, which was checked when the files were chosen, and a filter
/// would take away that row counts and bounds are exact, from which `count(*)`, minima, maxima and top-k pruning live.
pub(crate) fn plan(rows: &TenantRows, shape: &ScanShape<'_>) -> Result<Arc<dyn ExecutionPlan>> {
    let source = rows.parquet(&rows.table_readers, METADATA_SIZE_HINT, shape);
    let statistics: Vec<_> = rows.files.iter().map(|file| Arc::new(statistics::of_file(file, &rows.schema))).collect();
    let whole = Statistics::try_merge_iter(statistics.iter().map(AsRef::as_ref), &rows.schema)?;
    let config = FileScanConfigBuilder::new(rows.table_url.clone(), Arc::new(source))
        .with_projection_indices(shape.projection.map(<[usize]>::to_vec))?
        .with_file_groups(groups(&rows.files, statistics, rows.target_partitions))
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
