//! Rows to data files: split by partition, sorted, encoded, uploaded.

mod file;
mod ids;
mod metrics;
mod partition;
mod sort;

use std::collections::VecDeque;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use iceberg::spec::DataFile as IcebergFile;
use icegate_model::{Table, Timestamp};
use icegate_schema::{arrow_schema, indexed_id};
use parquet::basic::{Compression, ZstdLevel};

use self::file::{EncodedFile, Encoder};
use self::partition::{Partition, Place};
use crate::Tables;
use crate::catalog::Loaded;
use crate::error::TablesError;
use crate::index::{FileKey, Filters, IdHash};
use crate::manifest::check_partitions;

/// How data files are cut and compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Most rows of a row group.
    pub row_group_rows: usize,
    /// A file is ended when it has about this many bytes; also the memory that an encoding file takes.
    pub max_file_bytes: usize,
    /// Codec of every column.
    pub compression: Compression,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            row_group_rows: 128 * 1024,
            max_file_bytes: 128 * 1024 * 1024,
            compression: Compression::ZSTD(ZstdLevel::default()),
        }
    }
}

/// A data file that is durable at its table's location and not yet part of its table.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenFile {
    pub(crate) file: IcebergFile,
    /// Before its first byte was.
    pub(crate) written: Timestamp,
}

impl WrittenFile {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.file.file_path()
    }

    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.file.record_count()
    }

    /// Its bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.file.file_size_in_bytes()
    }
}

impl Tables {
    /// Writes rows as data files, one or more for each tenant, account and UTC day among them, each sorted in the table's
    /// order. The batches have the columns of `icegate_schema::arrow_schema`. When this returns the files are durable; they
    /// are visible only after [`Tables::commit`], and so is an index of their ids beside them. No rows give no files.
    ///
    /// Holds the batches, one file that is being encoded and one that is uploaded.
    ///
    /// # Errors
    /// [`TablesError::Rows`] for batches of another schema or tenant ids that aren't allowed, [`TablesError::Behind`] where
    /// the table lacks a column, [`TablesError::Store`]. Files that were written before an error are orphans.
    pub async fn write_files(
        &self,
        table: Table,
        batches: Vec<RecordBatch>,
        options: FileOptions,
    ) -> Result<Vec<WrittenFile>, TablesError> {
        check_columns(table, &batches)?;
        if batches.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(Vec::new());
        }
        let loaded = self.newest(table).await?;
        check_partitions(table, &loaded.metadata, loaded.metadata.default_partition_spec_id())?;
        let encoder = Encoder::new(table, loaded.metadata.current_schema(), options)?;
        let mut files = Files { table, encoder, batches, unsplit: true, partitions: VecDeque::new() };
        let (write, mut index) = (self.ids().unique(), Filters::default());
        let mut written = Vec::new();
        let mut encoded: Option<NextFile> = None;
        loop {
            // An encoder waits for nothing, so that it holds no thread while files are uploaded.
            let encoding = tokio::task::spawn_blocking(move || {
                let next = files.next();
                (files, next)
            });
            let upload = encoded.take().map(|next| {
                let key = FileKey::new(write, index.files());
                index.add(key, &next.ids);
                (key, next)
            });
            let uploading = async {
                match upload {
                    Some((key, next)) => self.upload(table, &loaded, key, next).await.map(Some),
                    None => Ok(None),
                }
            };
            let (next, uploaded) = tokio::join!(encoding, uploading);
            written.extend(uploaded?);
            let next = next.map_err(|source| TablesError::Task { table, source })?;
            files = next.0;
            encoded = next.1?;
            if encoded.is_none() {
                break;
            }
        }
        if indexed_id(table).is_some() {
            loaded.layout.write(&FileKey::new(write, 0).index_path(&loaded.layout.root), index.encode()).await?;
        }
        Ok(written)
    }

    async fn upload(&self, table: Table, loaded: &Loaded, key: FileKey, next: NextFile) -> Result<WrittenFile, TablesError> {
        let NextFile { partition, file: EncodedFile { bytes, metadata }, .. } = next;
        let layout = &loaded.layout;
        let path = layout.data_file(&partition.directory(), key);
        let size = bytes.len() as u64;
        let written = self.clock().now();
        layout.write(&path, Bytes::from(bytes)).await?;
        let file = metrics::data_file(table, &loaded.metadata, &partition, layout.url(&path), size, &metadata)?;
        Ok(WrittenFile { file, written })
    }
}

/// A file that isn't uploaded yet.
struct NextFile {
    partition: Partition,
    file: EncodedFile,
    ids: Vec<IdHash>,
}

/// The files that some batches become, one after the other.
struct Files {
    table: Table,
    encoder: Encoder,
    batches: Vec<RecordBatch>,
    unsplit: bool,
    partitions: VecDeque<(Partition, Vec<Place>)>,
}

impl Files {
    fn next(&mut self) -> Result<Option<NextFile>, TablesError> {
        if std::mem::take(&mut self.unsplit) {
            let split = partition::split(self.table, &self.batches)?;
            self.partitions = split.into_iter().collect();
            for (_, rows) in &mut self.partitions {
                *rows = sort::sorted(self.table, &self.batches, std::mem::take(rows))?;
            }
        }
        let Some((partition, mut rows)) = self.partitions.pop_front() else { return Ok(None) };
        let (file, encoded) = self.encoder.encode(&self.batches, &rows)?;
        let ids = ids::of_rows(self.table, &self.batches, &rows[..encoded])?;
        if encoded < rows.len() {
            rows.drain(..encoded);
            self.partitions.push_front((partition.clone(), rows));
        }
        Ok(Some(NextFile { partition, file, ids }))
    }
}

fn check_columns(table: Table, batches: &[RecordBatch]) -> Result<(), TablesError> {
    let wanted = arrow_schema(table);
    for batch in batches {
        let schema = batch.schema_ref();
        if schema.fields().len() != wanted.fields().len() {
            let reason = format!("{} columns instead of {}", schema.fields().len(), wanted.fields().len());
            return Err(TablesError::Rows { table, reason });
        }
        for (has, wants) in schema.fields().iter().zip(wanted.fields()) {
            if has.name() != wants.name() || has.data_type() != wants.data_type() {
                let reason =
                    format!("column {} {} instead of {} {}", has.name(), has.data_type(), wants.name(), wants.data_type());
                return Err(TablesError::Rows { table, reason });
            }
        }
    }
    Ok(())
}
