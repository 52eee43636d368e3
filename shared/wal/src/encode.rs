use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use icegate_model::{AccountId, RequestId, Table, TenantId};
use icegate_schema::{Checksums, WriterOptions, columns};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;

use crate::footer::{KEY, VERSION};
use crate::seal::seal;
use crate::{Footer, RequestRows, RowGroup, SegmentTenants, WriterConfig};

/// The rows of one request for one table.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) id: RequestId,
    pub(crate) tenant: TenantId,
    pub(crate) account: Option<AccountId>,
    pub(crate) batches: Vec<RecordBatch>,
}

/// A segment's bytes and what its name needs.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) tenants: SegmentTenants,
    pub(crate) rows: u64,
    pub(crate) min: i64,
    pub(crate) max: i64,
}

/// Encodes parts, at least one with a row, as one segment. Takes CPU time; does not block on anything.
pub(crate) fn encode(table: Table, mut parts: Vec<Part>, config: &WriterConfig) -> Result<Encoded, ParquetError> {
    // Stable: within a tenant and account the order of arrival stays.
    parts.sort_by(|a, b| (&a.tenant, &a.account).cmp(&(&b.tenant, &b.account)));
    let mut writer = SegmentWriter::new(table, config)?;
    for part in parts {
        writer.write(part)?;
    }
    writer.finish()
}

struct SegmentWriter {
    parquet: ArrowWriter<Vec<u8>>,
    row_group_rows: usize,
    footer: Footer,
    /// The last row group of the footer can take more rows.
    open: bool,
    rows: u64,
}

impl SegmentWriter {
    fn new(table: Table, config: &WriterConfig) -> Result<Self, ParquetError> {
        let row_group_rows = config.max_row_group_size.max(1);
        let options = WriterOptions { compression: config.compression, row_group_rows, indexed: false };
        let properties = icegate_schema::writer_properties(table, options);
        let parquet = ArrowWriter::try_new(Vec::new(), icegate_schema::arrow_schema(table), Some(properties))?;
        let footer = Footer { version: VERSION, row_groups: Vec::new(), requests: Vec::new() };
        Ok(Self { parquet, row_group_rows, footer, open: false, rows: 0 })
    }

    fn write(&mut self, part: Part) -> Result<(), ParquetError> {
        let first = self.rows;
        for batch in &part.batches {
            let mut start = 0;
            while start < batch.num_rows() {
                let taken = self.room(&part)?.min(batch.num_rows() - start);
                self.write_slice(&batch.slice(start, taken))?;
                start += taken;
            }
        }
        if self.rows > first {
            self.footer.requests.push(RequestRows { id: part.id, first, rows: self.rows - first });
        }
        Ok(())
    }

    /// How many rows of the part the last row group can take, after opening one for it where needed.
    fn room(&mut self, part: &Part) -> Result<usize, ParquetError> {
        if self.open {
            if let Some(last) = self.footer.row_groups.last() {
                let room = self.row_group_rows.saturating_sub(usize::try_from(last.rows).unwrap_or(usize::MAX));
                if room > 0 && last.tenant == part.tenant && last.account == part.account {
                    return Ok(room);
                }
            }
            self.parquet.flush()?;
        }
        let (tenant, account) = (part.tenant.clone(), part.account.clone());
        self.footer.row_groups.push(RowGroup { tenant, account, rows: 0, min: i64::MAX, max: i64::MIN });
        self.open = true;
        Ok(self.row_group_rows)
    }

    fn write_slice(&mut self, slice: &RecordBatch) -> Result<(), ParquetError> {
        let (min, max) = time_bounds(slice)?;
        self.parquet.write(slice)?;
        self.rows += slice.num_rows() as u64;
        if let Some(group) = self.footer.row_groups.last_mut() {
            group.rows += slice.num_rows() as u64;
            group.min = group.min.min(min);
            group.max = group.max.max(max);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Encoded, ParquetError> {
        let json = self.footer.to_json().map_err(|error| ParquetError::External(Box::new(error)))?;
        self.parquet.append_key_value_metadata(KeyValue::new(KEY.to_owned(), json));
        // Its row groups are written out, so that their bytes can be summed.
        self.parquet.flush()?;
        self.parquet.sync()?;
        let broken = || ParquetError::General("a column lies outside of the file".to_owned());
        let sums = Checksums::to_metadata(self.parquet.flushed_row_groups(), self.parquet.inner()).ok_or_else(broken)?;
        self.parquet.append_key_value_metadata(sums);
        let groups = &self.footer.row_groups;
        let tenants = match groups.as_slice() {
            [first, rest @ ..] if rest.iter().all(|group| group.tenant == first.tenant) => {
                SegmentTenants::One(first.tenant.clone())
            }
            _ => SegmentTenants::Many,
        };
        let min = groups.iter().map(|group| group.min).min().unwrap_or(0);
        let max = groups.iter().map(|group| group.max).max().unwrap_or(0);
        let bytes = seal(self.parquet.into_inner()?).ok_or_else(broken)?.into();
        Ok(Encoded { bytes, tenants, rows: self.rows, min, max })
    }
}

/// Earliest and latest timestamp of a batch with rows.
fn time_bounds(batch: &RecordBatch) -> Result<(i64, i64), ParquetError> {
    let column = batch.column_by_name(columns::TIMESTAMP);
    let times = column.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let bounds = times.and_then(|times| arrow::compute::min(times).zip(arrow::compute::max(times)));
    bounds.ok_or_else(|| ParquetError::General("a row has no timestamp".to_owned()))
}
