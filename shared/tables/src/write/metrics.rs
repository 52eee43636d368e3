//! A written file's manifest entry: its counts and bounds, from the statistics that the Parquet writer kept.

use iceberg::spec::{
    DataContentType, DataFile as IcebergFile, DataFileBuilder, DataFileFormat, Datum, PrimitiveType, Schema, TableMetadata, Type,
};
use icegate_model::Table;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use super::partition::Partition;
use crate::data_file::BOUND_LENGTH;
use crate::error::{TablesError, corrupt};

/// The manifest entry. Columns inside lists, maps and structs get none: their bounds would swell every manifest, and no reader
/// prunes by them.
pub(super) fn data_file(
    table: Table,
    metadata: &TableMetadata,
    partition: &Partition,
    url: String,
    size: u64,
    parquet: &ParquetMetaData,
) -> Result<IcebergFile, TablesError> {
    let rows = u64::try_from(parquet.file_metadata().num_rows()).unwrap_or(0);
    let offsets = parquet.row_groups().iter().filter_map(|group| i64::try_from(group.column(0).byte_range().0).ok());
    let mut builder = DataFileBuilder::default();
    builder
        .content(DataContentType::Data)
        .file_path(url.clone())
        .file_format(DataFileFormat::Parquet)
        .partition(partition.values())
        .partition_spec_id(metadata.default_partition_spec_id())
        .record_count(rows)
        .file_size_in_bytes(size)
        .split_offsets(Some(offsets.collect()));
    if let Ok(order) = i32::try_from(metadata.default_sort_order_id()) {
        builder.sort_order_id(order);
    }
    let columns = columns(metadata.current_schema(), parquet);
    builder
        .column_sizes(columns.iter().map(|column| (column.id, column.size)).collect())
        .value_counts(columns.iter().map(|column| (column.id, rows)).collect())
        .null_value_counts(columns.iter().filter_map(|column| Some((column.id, column.nulls?))).collect())
        .lower_bounds(columns.iter().filter_map(|column| Some((column.id, column.min.clone()?))).collect())
        .upper_bounds(columns.iter().filter_map(|column| Some((column.id, column.max.clone()?))).collect());
    builder.build().map_err(|error| corrupt(format!("manifest entry of icegate.{table} for {url}"), error))
}

/// What is known of a primitive top-level column.
struct Column {
    id: i32,
    size: u64,
    nulls: Option<u64>,
    min: Option<Datum>,
    max: Option<Datum>,
}

fn columns(schema: &Schema, parquet: &ParquetMetaData) -> Vec<Column> {
    let leaves = parquet.file_metadata().schema_descr().columns().iter().enumerate();
    let known = leaves.filter_map(|(index, leaf)| {
        let [name] = leaf.path().parts() else { return None };
        let field = schema.field_by_name(name)?;
        let Type::Primitive(primitive) = field.field_type.as_ref() else { return None };
        let chunks: Vec<_> = parquet.row_groups().iter().map(|group| group.column(index)).collect();
        let bounds = bounds(primitive, &chunks);
        Some(Column {
            id: field.id,
            size: chunks.iter().filter_map(|chunk| u64::try_from(chunk.compressed_size()).ok()).sum(),
            nulls: chunks.iter().map(|chunk| chunk.statistics()?.null_count_opt()).sum(),
            min: bounds.as_ref().and_then(|(min, _)| lower(min)),
            max: bounds.as_ref().and_then(|(_, max)| upper(max)),
        })
    });
    known.collect()
}

/// Values that enclose the column's; `None` where it has only NULLs, or where a row group doesn't say.
fn bounds(primitive: &PrimitiveType, chunks: &[&ColumnChunkMetaData]) -> Option<(Datum, Datum)> {
    let mut enclosing: Option<(Datum, Datum)> = None;
    for chunk in chunks {
        let statistics = chunk.statistics()?;
        if statistics.null_count_opt().and_then(|nulls| i64::try_from(nulls).ok()) == Some(chunk.num_values()) {
            continue;
        }
        let (min, max) = of_statistics(primitive, statistics)?;
        enclosing = Some(match enclosing {
            None => (min, max),
            Some((least, greatest)) => (if min < least { min } else { least }, if max > greatest { max } else { greatest }),
        });
    }
    enclosing
}

fn of_statistics(primitive: &PrimitiveType, statistics: &Statistics) -> Option<(Datum, Datum)> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(Datum::string);
    match (primitive, statistics) {
        (PrimitiveType::Boolean, Statistics::Boolean(s)) => Some((Datum::bool(*s.min_opt()?), Datum::bool(*s.max_opt()?))),
        (PrimitiveType::Int, Statistics::Int32(s)) => Some((Datum::int(*s.min_opt()?), Datum::int(*s.max_opt()?))),
        (PrimitiveType::Long, Statistics::Int64(s)) => Some((Datum::long(*s.min_opt()?), Datum::long(*s.max_opt()?))),
        (PrimitiveType::Double, Statistics::Double(s)) => Some((Datum::double(*s.min_opt()?), Datum::double(*s.max_opt()?))),
        (PrimitiveType::Timestamptz, Statistics::Int64(s)) => {
            Some((Datum::timestamptz_micros(*s.min_opt()?), Datum::timestamptz_micros(*s.max_opt()?)))
        }
        (PrimitiveType::String, Statistics::ByteArray(s)) => Some((text(s.min_opt()?.data())?, text(s.max_opt()?.data())?)),
        (PrimitiveType::Binary, Statistics::ByteArray(s)) => {
            let binary = |bytes: &[u8]| Datum::binary(bytes.iter().copied());
            Some((binary(s.min_opt()?.data()), binary(s.max_opt()?.data())))
        }
        _ => None,
    }
}

/// The bound cut to its length: a prefix is never greater.
fn lower(bound: &Datum) -> Option<Datum> {
    use iceberg::spec::PrimitiveLiteral::{Binary, String};
    match bound.literal() {
        String(text) => Some(Datum::string(cut_text(text))),
        Binary(bytes) => Some(Datum::binary(bytes.iter().take(BOUND_LENGTH).copied())),
        _ => Some(bound.clone()),
    }
}

/// The bound cut to its length and raised above all values that begin so; `None` where nothing of that length is greater.
fn upper(bound: &Datum) -> Option<Datum> {
    use iceberg::spec::PrimitiveLiteral::{Binary, String};
    match bound.literal() {
        String(text) if cut_text(text).len() < text.len() => raised_text(cut_text(text)).map(Datum::string),
        Binary(bytes) if bytes.len() > BOUND_LENGTH => raised_bytes(&bytes[..BOUND_LENGTH]).map(Datum::binary),
        _ => Some(bound.clone()),
    }
}

fn cut_text(text: &str) -> &str {
    text.char_indices().nth(BOUND_LENGTH).map_or(text, |(end, _)| &text[..end])
}

/// The least text without more characters that is greater than all that begin with this.
fn raised_text(text: &str) -> Option<String> {
    let mut characters: Vec<char> = text.chars().collect();
    while let Some(last) = characters.pop() {
        // The code points between U+D7FF and U+E000 aren't characters.
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn raised_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let last = bytes.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut raised = bytes[..=last].to_vec();
    raised[last] += 1;
    Some(raised)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_bound_is_cut_to_sixteen_characters_and_the_upper_one_raised() {
        let long = Datum::string("aaaaaaaaaaaaaaaabbb");
        assert_eq!(lower(&long), Some(Datum::string("aaaaaaaaaaaaaaaa")));
        assert_eq!(upper(&long), Some(Datum::string("aaaaaaaaaaaaaaab")));
        let short = Datum::string("aaaaaaaaaaaaaaaa");
        assert_eq!((lower(&short), upper(&short)), (Some(short.clone()), Some(short.clone())));
    }

    #[test]
    fn characters_are_counted_rather_than_bytes() {
        let long = Datum::string("é".repeat(17));
        assert_eq!(lower(&long), Some(Datum::string("é".repeat(16))));
        assert_eq!(upper(&long), Some(Datum::string(format!("{}ê", "é".repeat(15)))));
    }

    #[test]
    fn an_upper_bound_that_can_not_be_raised_is_left_out() {
        assert_eq!(upper(&Datum::string("\u{10ffff}".repeat(17))), None);
        assert_eq!(upper(&Datum::binary([0xff_u8; 17])), None);
        assert_eq!(raised_text("a\u{10ffff}"), Some("b".to_owned()));
        assert_eq!(raised_text("\u{d7ff}"), Some("\u{e000}".to_owned()));
    }

    #[test]
    fn an_id_of_sixteen_bytes_is_its_own_bound() {
        let id = Datum::binary([0xff_u8; 16]);
        assert_eq!((lower(&id), upper(&id)), (Some(id.clone()), Some(id.clone())));
        assert_eq!(
            upper(&Datum::binary([[1_u8; 16].as_slice(), &[9]].concat())),
            Some(Datum::binary([[1_u8; 15].as_slice(), &[2]].concat()))
        );
    }
}
