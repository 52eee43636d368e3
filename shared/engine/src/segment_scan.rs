use std::sync::Arc;

use datafusion::common::{Result, internal_datafusion_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExecBuilder;
use icegate_schema::columns;

use crate::provider::{ScanShape, TenantRows};
use crate::reader::object_meta;
use crate::segments::PlannedSegment;
use crate::sources::Source;
use crate::statistics;
use crate::tenant_filter::TenantIs;

/// The plan that reads segments: row groups of other tenants are skipped by the footers, rows of other tenants by a filter
/// (TENANT-1).
pub(crate) fn plan(
    rows: &TenantRows,
    source: &Source,
    segments: &[PlannedSegment],
    shape: &ScanShape<'_>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let tenant_column = rows.schema.index_of(columns::TENANT_ID)?;
    let (read, kept) = with_column(shape.projection, rows.schema.fields().len(), tenant_column);
    let parquet = rows.parquet(source, rows.wal_metadata_size_hint, shape);
    let config = FileScanConfigBuilder::new(source.url.clone(), Arc::new(parquet))
        .with_projection_indices(Some(read.clone()))?
        .with_file_groups(groups(rows, segments))
        .build();
    let position = read
        .iter()
        .position(|column| *column == tenant_column)
        .ok_or_else(|| internal_datafusion_err!("the tenant column isn't read"))?;
    let column = Arc::new(Column::new(columns::TENANT_ID, position));
    let mine = Arc::new(TenantIs::new(column, rows.tenant.clone()));
    let filter = FilterExecBuilder::new(mine, DataSourceExec::from_data_source(config))
        .apply_projection(kept)?
        .with_batch_size(rows.batch_size)
        .with_fetch(shape.limit)
        .build()?;
    Ok(Arc::new(filter))
}

/// The columns to read so that `column` is among them, and which of those the scan was asked for, if not all.
fn with_column(projection: Option<&[usize]>, width: usize, column: usize) -> (Vec<usize>, Option<Vec<usize>>) {
    let Some(projection) = projection else {
        return ((0..width).collect(), None);
    };
    let mut read = projection.to_vec();
    if read.contains(&column) {
        return (read, None);
    }
    read.push(column);
    (read, Some((0..projection.len()).collect()))
}

fn groups(rows: &TenantRows, segments: &[PlannedSegment]) -> Vec<FileGroup> {
    let mut groups = vec![Vec::new(); rows.target_partitions.clamp(1, segments.len().max(1))];
    let count = groups.len();
    for (index, planned) in segments.iter().enumerate() {
        groups[index % count].push(to_scan(planned).with_statistics(Arc::new(statistics::of_segment(planned, &rows.schema))));
    }
    groups.into_iter().map(FileGroup::new).collect()
}

fn to_scan(planned: &PlannedSegment) -> PartitionedFile {
    let segment = &planned.segment;
    PartitionedFile::new_from_meta(object_meta(segment.path.clone(), segment.size, segment.e_tag.clone()))
        .with_extension(ParquetAccessPlan::new(planned.reads.clone()))
}
