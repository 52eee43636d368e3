use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use icegate_model::{AccountId, InvalidTenant, Table, TenantId};
use icegate_schema::{attribute_map_fields, columns};

/// A tenant and account from their text.
///
/// # Errors
/// What is wrong with either.
pub fn scope(tenant: &str, account: Option<&str>) -> Result<(TenantId, Option<AccountId>), InvalidTenant> {
    Ok((tenant.parse()?, account.map(str::parse).transpose()?))
}

/// Rows that fill every column of a table but its lists, one for each time in microseconds. Rows of different times differ.
///
/// # Errors
/// Where the table has a type of column that no sample is known for.
pub fn rows(table: Table, tenant: &TenantId, account: Option<&AccountId>, times: &[i64]) -> Result<RecordBatch, ArrowError> {
    let schema = icegate_schema::arrow_schema(table);
    let filled = schema.fields().iter().map(|field| match field.name().as_str() {
        columns::TENANT_ID => Ok(Arc::new(StringArray::from(vec![tenant.as_str(); times.len()])) as ArrayRef),
        columns::ACCOUNT_ID => Ok(Arc::new(StringArray::from(vec![account.map(AccountId::as_str); times.len()])) as ArrayRef),
        _ => column(field, times),
    });
    let filled = filled.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema, filled)
}

fn column(field: &Field, times: &[i64]) -> Result<ArrayRef, ArrowError> {
    let text = |time: &i64| format!("{} of {time}", field.name());
    Ok(match field.data_type() {
        DataType::Timestamp(..) => Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("+00:00")),
        DataType::Utf8 => Arc::new(StringArray::from_iter_values(times.iter().map(text))),
        DataType::Int32 => {
            Arc::new(Int32Array::from_iter_values(times.iter().map(|time| i32::try_from(time % 1_000).unwrap_or(0))))
        }
        DataType::Int64 => Arc::new(Int64Array::from(times.to_vec())),
        DataType::Float64 => Arc::new(times.iter().map(|&time| Some(time as f64)).collect::<Float64Array>()),
        DataType::Boolean => Arc::new(times.iter().map(|&time| Some(time % 2 == 0)).collect::<BooleanArray>()),
        DataType::Binary => Arc::new(BinaryArray::from_iter_values(times.iter().map(|time| time.to_be_bytes()))),
        DataType::Map(..) => Arc::new(map(times.iter().map(text))?),
        DataType::List(..) => new_null_array(field.data_type(), times.len()),
        other => return Err(ArrowError::NotYetImplemented(format!("sample of {other}"))),
    })
}

fn map(values: impl Iterator<Item = String>) -> Result<arrow::array::MapArray, ArrowError> {
    let fields = attribute_map_fields();
    let names = MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
        .with_keys_field(Arc::clone(&fields[0]))
        .with_values_field(Arc::clone(&fields[1]));
    for value in values {
        builder.keys().append_value("key");
        builder.values().append_value(value);
        builder.append(true)?;
    }
    Ok(builder.finish())
}
