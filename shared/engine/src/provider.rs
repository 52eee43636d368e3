use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, Statistics};
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use icegate_model::{Table, TenantId};
use icegate_schema::indexed_id;

use crate::PredicatePushdown;
use crate::id_index::IndexedFiles;
use crate::reads::Reads;
use crate::segments::PlannedSegment;
use crate::sources::Source;
use crate::{segment_scan, sought, statistics, table_scan};

/// One tenant's rows of one table: the union of its table files and what of the WAL isn't in them.
pub(crate) struct TenantRows {
    pub(crate) table: Table,
    pub(crate) tenant: TenantId,
    pub(crate) schema: SchemaRef,
    pub(crate) files: Option<(Source, IndexedFiles)>,
    pub(crate) segments: Option<(Source, Vec<PlannedSegment>)>,
    pub(crate) wal_metadata_size_hint: usize,
    pub(crate) batch_size: usize,
    pub(crate) target_partitions: usize,
    pub(crate) pushdown: PredicatePushdown,
    pub(crate) reads: Reads,
}

/// What a plan asks of both halves of a scan.
pub(crate) struct ScanShape<'a> {
    pub(crate) projection: Option<&'a [usize]>,
    /// Rows that are enough; only where nothing is filtered above.
    pub(crate) limit: Option<usize>,
    /// Whether filters are evaluated while decoding.
    pub(crate) pushdown: bool,
}

impl TenantRows {
    /// A Parquet source that reads from `source`.
    pub(crate) fn parquet(&self, source: &Source, metadata_size_hint: usize, shape: &ScanShape<'_>) -> ParquetSource {
        let readers = Arc::clone(&source.readers);
        let parquet = ParquetSource::new(TableSchema::from_file_schema(Arc::clone(&self.schema)))
            .with_parquet_file_reader_factory(readers)
            .with_metadata_size_hint(metadata_size_hint)
            .with_pushdown_filters(shape.pushdown)
            .with_reorder_filters(shape.pushdown)
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(true);
        self.reads.watch(parquet.metrics());
        parquet
    }

    /// Whether `filters` are evaluated while decoding.
    fn pushes_down(&self, projection: Option<&[usize]>, filters: &[Expr]) -> bool {
        let filtered: HashSet<&str> = filters.iter().flat_map(Expr::column_refs).map(|column| column.name.as_str()).collect();
        // DataFusion 54 loses some pushed filters on nested columns where a file lacks a part of them. Maps are never pushed.
        let nested = filtered.iter().any(|name| {
            let data_type = self.schema.field_with_name(name).map(|field| field.data_type());
            data_type.is_ok_and(|data_type| data_type.is_nested() && !matches!(data_type, DataType::Map(..)))
        });
        let beyond_filters = || match projection {
            Some(projection) => projection.iter().any(|column| !filtered.contains(self.schema.field(*column).name().as_str())),
            None => true,
        };
        match self.pushdown {
            PredicatePushdown::Never => false,
            PredicatePushdown::Always => !nested,
            PredicatePushdown::Adaptive => !nested && beyond_filters(),
        }
    }
}

impl fmt::Debug for TenantRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRows")
            .field("table", &self.table)
            .field("tenant", &self.tenant)
            .field("files", &self.files.as_ref().map(|(_, indexed)| indexed.files.len()))
            .field("segments", &self.segments.as_ref().map(|(_, segments)| segments.len()))
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for TenantRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// All inexact: the scan only prunes by them, what is exact is decided when DataFusion pushes the filters into the sources.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    /// An estimate, from what was planned.
    fn statistics(&self) -> Option<Statistics> {
        let files = self.files.iter().flat_map(|(_, indexed)| &indexed.files).map(AsRef::as_ref);
        let segments = self.segments.iter().flat_map(|(_, segments)| segments);
        Some(statistics::estimated(files, segments, &self.schema))
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let projection = projection.map(Vec::as_slice);
        let shape = ScanShape {
            projection,
            limit: limit.filter(|_| filters.is_empty()),
            pushdown: self.pushes_down(projection, filters),
        };
        let mut inputs = Vec::new();
        if let Some((source, indexed)) = &self.files {
            let ids = indexed_id(self.table).and_then(|column| sought::values(filters, column));
            let files = match &ids {
                Some(ids) => &indexed.that_may_hold(ids, &self.reads).await,
                None => &indexed.files,
            };
            if !files.is_empty() {
                inputs.push(table_scan::plan(self, source, files, &shape)?);
            }
        }
        if let Some((source, segments)) = self.segments.as_ref().filter(|(_, segments)| !segments.is_empty()) {
            inputs.push(segment_scan::plan(self, source, segments, &shape)?);
        }
        if inputs.is_empty() {
            let schema = match projection {
                Some(projection) => Arc::new(self.schema.project(projection)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        UnionExec::try_new(inputs)
    }
}
