use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, BinaryBuilder, Int32Builder, StringBuilder};
use arrow::error::ArrowError;
use icegate_model::Table;
use icegate_schema::{columns, event_type, link_type};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};

use crate::attributes::AttributeColumns;
use crate::batch::{TimeColumn, bits_given, id_given, text_given};
use crate::lists::Lists;
use crate::value::Scratch;

/// The events of each span; NULL where there are none.
pub(crate) struct SpanEvents {
    lists: Lists,
    time: TimeColumn,
    name: StringBuilder,
    attributes: AttributeColumns,
    dropped: Int32Builder,
}

impl SpanEvents {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            lists: Lists::new(rows),
            time: TimeColumn::new(0),
            name: StringBuilder::new(),
            attributes: AttributeColumns::new(0, 0),
            dropped: Int32Builder::new(),
        }
    }

    pub(crate) fn append(&mut self, events: &[Event], scratch: &mut Scratch) {
        if events.is_empty() {
            return self.lists.null();
        }
        for event in events {
            self.time.append_given(event.time_unix_nano);
            text_given(&mut self.name, &event.name);
            self.attributes.append(&event.attributes, scratch);
            bits_given(&mut self.dropped, event.dropped_attributes_count);
        }
        self.lists.close(self.name.len());
    }

    pub(crate) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let (time, nanos) = self.time.finish();
        let (attributes, types) = self.attributes.finish()?;
        let items: Vec<ArrayRef> =
            vec![time, Arc::new(self.name.finish()), attributes, Arc::new(self.dropped.finish()), nanos, types];
        self.lists.finish_structs(Table::Spans, columns::EVENTS, event_type(), items)
    }
}

/// The links of each span; NULL where there are none.
pub(crate) struct SpanLinks {
    lists: Lists,
    trace_id: BinaryBuilder,
    span_id: BinaryBuilder,
    trace_state: StringBuilder,
    attributes: AttributeColumns,
    dropped: Int32Builder,
    flags: Int32Builder,
}

impl SpanLinks {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            lists: Lists::new(rows),
            trace_id: BinaryBuilder::new(),
            span_id: BinaryBuilder::new(),
            trace_state: StringBuilder::new(),
            attributes: AttributeColumns::new(0, 0),
            dropped: Int32Builder::new(),
            flags: Int32Builder::new(),
        }
    }

    pub(crate) fn append(&mut self, links: &[Link], scratch: &mut Scratch) {
        if links.is_empty() {
            return self.lists.null();
        }
        for link in links {
            id_given(&mut self.trace_id, &link.trace_id);
            id_given(&mut self.span_id, &link.span_id);
            text_given(&mut self.trace_state, &link.trace_state);
            self.attributes.append(&link.attributes, scratch);
            bits_given(&mut self.dropped, link.dropped_attributes_count);
            bits_given(&mut self.flags, link.flags);
        }
        self.lists.close(self.trace_id.len());
    }

    pub(crate) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let (attributes, types) = self.attributes.finish()?;
        let items: Vec<ArrayRef> = vec![
            Arc::new(self.trace_id.finish()),
            Arc::new(self.span_id.finish()),
            Arc::new(self.trace_state.finish()),
            attributes,
            Arc::new(self.dropped.finish()),
            Arc::new(self.flags.finish()),
            types,
        ];
        self.lists.finish_structs(Table::Spans, columns::LINKS, link_type(), items)
    }
}
