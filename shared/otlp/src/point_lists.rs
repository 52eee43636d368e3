use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, BinaryBuilder, Float64Builder, Int64Builder, PrimitiveBuilder};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use icegate_model::Table;
use icegate_schema::{columns, exemplar_type, quantile_type};
use opentelemetry_proto::tonic::metrics::v1::Exemplar;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;

use crate::attributes::AttributeColumns;
use crate::batch::{TimeColumn, id_given};
use crate::lists::Lists;
use crate::value::Scratch;

/// A column of lists of numbers.
pub(crate) struct Numbers<T: ArrowPrimitiveType> {
    lists: Lists,
    items: PrimitiveBuilder<T>,
}

/// Lists of counts.
pub(crate) type Longs = Numbers<Int64Type>;
/// Lists of bounds.
pub(crate) type Doubles = Numbers<Float64Type>;

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(crate) fn new(rows: usize) -> Self {
        Self { lists: Lists::new(rows), items: PrimitiveBuilder::new() }
    }

    pub(crate) fn append(&mut self, items: Option<&[T::Native]>) {
        let Some(items) = items else { return self.lists.null() };
        self.items.append_slice(items);
        self.lists.close(self.items.len());
    }

    pub(crate) fn finish(mut self, column: &str) -> Result<ArrayRef, ArrowError> {
        self.lists.finish_list(Table::Metrics, column, Arc::new(self.items.finish()))
    }
}

impl Longs {
    /// Counts, which keep their 64 bits.
    pub(crate) fn append_unsigned(&mut self, items: Option<&[u64]>) {
        let Some(items) = items else { return self.lists.null() };
        for item in items {
            self.items.append_value(item.cast_signed());
        }
        self.lists.close(self.items.len());
    }
}

/// The quantiles of each summary point; NULL for other kinds.
pub(crate) struct Quantiles {
    lists: Lists,
    quantile: Float64Builder,
    value: Float64Builder,
}

impl Quantiles {
    pub(crate) fn new(rows: usize) -> Self {
        Self { lists: Lists::new(rows), quantile: Float64Builder::new(), value: Float64Builder::new() }
    }

    pub(crate) fn append(&mut self, quantiles: Option<&[ValueAtQuantile]>) {
        let Some(quantiles) = quantiles else { return self.lists.null() };
        for quantile in quantiles {
            self.quantile.append_value(quantile.quantile);
            self.value.append_value(quantile.value);
        }
        self.lists.close(self.quantile.len());
    }

    pub(crate) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let items: Vec<ArrayRef> = vec![Arc::new(self.quantile.finish()), Arc::new(self.value.finish())];
        self.lists.finish_structs(Table::Metrics, columns::QUANTILE_VALUES, quantile_type(), items)
    }
}

/// The exemplars of each point; NULL where there are none.
pub(crate) struct Exemplars {
    lists: Lists,
    time: TimeColumn,
    value_double: Float64Builder,
    value_int: Int64Builder,
    span_id: BinaryBuilder,
    trace_id: BinaryBuilder,
    attributes: AttributeColumns,
}

impl Exemplars {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            lists: Lists::new(rows),
            time: TimeColumn::new(0),
            value_double: Float64Builder::new(),
            value_int: Int64Builder::new(),
            span_id: BinaryBuilder::new(),
            trace_id: BinaryBuilder::new(),
            attributes: AttributeColumns::new(0, 0),
        }
    }

    pub(crate) fn append(&mut self, exemplars: &[Exemplar], scratch: &mut Scratch) {
        if exemplars.is_empty() {
            return self.lists.null();
        }
        for exemplar in exemplars {
            self.time.append_given(exemplar.time_unix_nano);
            let (double, int) = match exemplar.value {
                Some(Value::AsDouble(value)) => (Some(value), None),
                Some(Value::AsInt(value)) => (None, Some(value)),
                None => (None, None),
            };
            self.value_double.append_option(double);
            self.value_int.append_option(int);
            id_given(&mut self.span_id, &exemplar.span_id);
            id_given(&mut self.trace_id, &exemplar.trace_id);
            self.attributes.append(&exemplar.filtered_attributes, scratch);
        }
        self.lists.close(self.span_id.len());
    }

    pub(crate) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let (time, nanos) = self.time.finish();
        let (attributes, types) = self.attributes.finish()?;
        let items: Vec<ArrayRef> = vec![
            time,
            Arc::new(self.value_double.finish()),
            Arc::new(self.value_int.finish()),
            Arc::new(self.span_id.finish()),
            Arc::new(self.trace_id.finish()),
            attributes,
            nanos,
            types,
        ];
        self.lists.finish_structs(Table::Metrics, columns::EXEMPLARS, exemplar_type(), items)
    }
}
