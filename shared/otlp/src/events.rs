use std::sync::Arc;

use arrow::array::{RecordBatch, StringBuilder, UInt64Array};
use arrow::compute::take;
use arrow::error::ArrowError;
use icegate_model::Table;
use icegate_schema::{arrow_schema, columns};
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use crate::batch::{Columns, batch};
use crate::value::{Scratch, render};

/// Attribute that names the event where the record's own field doesn't.
const NAME: &str = "event.name";
/// Attribute that names the event's domain.
const DOMAIN: &str = "event.domain";

/// The log rows that are events too.
#[derive(Default)]
pub(crate) struct Events {
    rows: Vec<u64>,
    name: StringBuilder,
    domain: StringBuilder,
}

impl Events {
    /// Takes in a record, which is log row `row`, if it is an event.
    pub(crate) fn consider(&mut self, row: usize, record: &LogRecord, scratch: &mut Scratch) {
        let start = self.name.values_slice().len();
        if !record.event_name.is_empty() {
            self.name.append_value(&record.event_name);
        } else if let Some(name) = attribute(record, NAME, scratch) {
            self.name.append_value(name);
        } else {
            return;
        }
        self.rows.push(row as u64);
        match attribute(record, DOMAIN, scratch) {
            Some(domain) => self.domain.append_value(domain),
            None => self.domain.append_value(first_part(&self.name.values_slice()[start..])),
        }
    }

    /// The events' rows, which share the cells of `logs`; `None` where no record is an event.
    pub(crate) fn finish(mut self, logs: &Columns) -> Result<Option<RecordBatch>, ArrowError> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = UInt64Array::from(self.rows);
        let schema = arrow_schema(Table::Events);
        let mut events: Columns =
            vec![(columns::EVENT_NAME, Arc::new(self.name.finish())), (columns::EVENT_DOMAIN, Arc::new(self.domain.finish()))];
        for (name, column) in logs {
            if schema.field_with_name(name).is_ok() && *name != columns::EVENT_NAME {
                events.push((name, take(column, &rows, None)?));
            }
        }
        batch(Table::Events, &events).map(Some)
    }
}

fn first_part(name: &[u8]) -> std::borrow::Cow<'_, str> {
    let end = name.iter().position(|byte| *byte == b'.').unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end])
}

/// The text of the first attribute of that key, if it has any.
fn attribute<'a>(record: &'a LogRecord, key: &str, scratch: &'a mut Scratch) -> Option<&'a str> {
    let pair = record.attributes.iter().find(|pair| pair.key == key)?;
    render(pair.value.as_ref(), scratch).text.filter(|text| !text.is_empty())
}
