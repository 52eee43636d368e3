//! A data file of a snapshot, as its manifest describes it.

use std::sync::Arc;

use iceberg::spec::{DataContentType, DataFile as IcebergFile, Literal, PrimitiveLiteral, TableMetadata};
use icegate_model::{AccountId, Table, TenantId};
use icegate_schema::columns::TIMESTAMP;
use object_store::path::Path;

use crate::error::{TablesError, corrupt};
use crate::layout::Layout;

/// Microseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// Bytes or characters that a bound keeps; a longer value's bound is cut there.
pub(crate) const BOUND_LENGTH: usize = 16;

/// A Parquet file of one tenant, account and UTC day.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFile {
    /// Where it is in the table's store, [`crate::Snapshot::root`].
    pub path: Path,
    /// Its bytes.
    pub size: u64,
    /// Its rows.
    pub rows: u64,
    /// Whose rows they are, all of them.
    pub tenant: TenantId,
    /// Their account, if they have one.
    pub account: Option<AccountId>,
    /// Their day, counted from 1970-01-01.
    pub day: i32,
    /// Least `timestamp` in microseconds; the day's start where the manifest doesn't say.
    pub min_timestamp: i64,
    /// Greatest `timestamp` in microseconds, a row may have it; the day's end where the manifest doesn't say.
    pub max_timestamp: i64,
    /// Whether the rows are in the table's sort order.
    pub sorted: bool,
    /// What is known of each primitive top-level column. A column that isn't here may hold anything.
    pub bounds: Vec<(Arc<str>, ColumnBounds)>,
}

/// What a file's manifest entry says of a column. NaN is outside all bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnBounds {
    /// No value is less than this.
    pub min: Option<Bound>,
    /// No value is greater than this.
    pub max: Option<Bound>,
    /// How many values are NULL.
    pub nulls: Option<u64>,
    /// Whether `min` and `max` are values of the column; else they only enclose them.
    pub exact: bool,
}

/// A bound in the column's type.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Bound {
    /// BOOLEAN.
    Boolean(bool),
    /// INTEGER.
    Int(i32),
    /// BIGINT, and TIMESTAMP in microseconds.
    Long(i64),
    /// DOUBLE.
    Double(f64),
    /// VARCHAR.
    Text(String),
    /// VARBINARY.
    Bytes(Vec<u8>),
}

impl DataFile {
    /// What is known of a column; `None` where nothing is.
    #[must_use]
    pub fn bounds_of(&self, column: &str) -> Option<&ColumnBounds> {
        self.bounds.iter().find(|(name, _)| name.as_ref() == column).map(|(_, bounds)| bounds)
    }
}

impl Bound {
    fn of(literal: &PrimitiveLiteral) -> Option<Self> {
        match literal {
            PrimitiveLiteral::Boolean(value) => Some(Self::Boolean(*value)),
            PrimitiveLiteral::Int(value) => Some(Self::Int(*value)),
            PrimitiveLiteral::Long(value) => Some(Self::Long(*value)),
            PrimitiveLiteral::Double(value) => Some(Self::Double(value.0)),
            PrimitiveLiteral::String(value) => Some(Self::Text(value.clone())),
            PrimitiveLiteral::Binary(value) => Some(Self::Bytes(value.clone())),
            _ => None,
        }
    }

    /// Whether it is too short to have been cut.
    fn is_whole(&self) -> bool {
        match self {
            Self::Text(text) => text.chars().count() < BOUND_LENGTH,
            // An id of exactly this length is whole too, but the manifest doesn't say so.
            Self::Bytes(bytes) => bytes.len() < BOUND_LENGTH,
            _ => true,
        }
    }
}

/// Reads manifest entries of one table.
pub(crate) struct DataFileReader<'a> {
    pub(crate) table: Table,
    pub(crate) layout: &'a Layout,
    pub(crate) metadata: &'a TableMetadata,
}

impl DataFileReader<'_> {
    pub(crate) fn read(&self, file: &IcebergFile) -> Result<DataFile, TablesError> {
        if file.content_type() != DataContentType::Data {
            return Err(TablesError::Unsupported { table: self.table, what: format!("delete file {}", file.file_path()) });
        }
        let (tenant, account, day) = self.partition(file)?;
        let bounds = self.bounds(file);
        let first = i64::from(day) * DAY;
        let mut read = DataFile {
            path: self.layout.path_of(file.file_path())?,
            size: file.file_size_in_bytes(),
            rows: file.record_count(),
            tenant,
            account,
            day,
            min_timestamp: first,
            max_timestamp: first + DAY - 1,
            sorted: file.sort_order_id().is_some_and(|id| i64::from(id) == self.metadata.default_sort_order_id()),
            bounds,
        };
        if let Some((Bound::Long(min), Bound::Long(max))) =
            read.bounds_of(TIMESTAMP).and_then(|bounds| Some((bounds.min.clone()?, bounds.max.clone()?)))
        {
            (read.min_timestamp, read.max_timestamp) = (min, max);
        }
        Ok(read)
    }

    fn partition(&self, file: &IcebergFile) -> Result<(TenantId, Option<AccountId>, i32), TablesError> {
        let refuse = |what: &str| corrupt(file.file_path(), format!("partition value {what} of {:?}", file.partition()));
        let [tenant, account, day] = file.partition().fields() else {
            return Err(refuse("count"));
        };
        let tenant = match tenant {
            Some(Literal::Primitive(PrimitiveLiteral::String(tenant))) => tenant.parse().map_err(|_| refuse("tenant_id"))?,
            _ => return Err(refuse("tenant_id")),
        };
        let account = match account {
            None => None,
            Some(Literal::Primitive(PrimitiveLiteral::String(account))) => {
                Some(account.parse().map_err(|_| refuse("account_id"))?)
            }
            Some(_) => return Err(refuse("account_id")),
        };
        match day {
            Some(Literal::Primitive(PrimitiveLiteral::Int(day))) => Ok((tenant, account, *day)),
            _ => Err(refuse("timestamp_day")),
        }
    }

    fn bounds(&self, file: &IcebergFile) -> Vec<(Arc<str>, ColumnBounds)> {
        let fields = self.metadata.current_schema().as_struct().fields();
        let known = fields.iter().filter(|field| field.field_type.is_primitive()).filter_map(|field| {
            let bound = |datum: &iceberg::spec::Datum| Bound::of(datum.literal());
            let min = file.lower_bounds().get(&field.id).and_then(bound);
            let max = file.upper_bounds().get(&field.id).and_then(bound);
            let nulls = file.null_value_counts().get(&field.id).copied();
            if min.is_none() && max.is_none() && nulls.is_none() {
                return None;
            }
            let exact = min.iter().chain(&max).all(Bound::is_whole);
            Some((Arc::from(field.name.as_str()), ColumnBounds { min, max, nulls, exact }))
        });
        known.collect()
    }
}
