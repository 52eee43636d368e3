use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    StringViewArray, StructArray, TimestampMicrosecondArray,
};
use icegate_schema::columns::*;
use icegate_traceql::{Event, Kind, Link, Span, SpanId, Status, TraceId};

use super::maps::{Known, Maps, Resources, Scopes};
use crate::TempoError;

/// Reads rows as spans; what many spans share is kept from batch to batch. What isn't among the columns is as in an empty span.
#[derive(Default)]
pub(super) struct Decoder {
    known: Known,
    resources: Resources,
    scopes: Scopes,
}

/// A span of a trace, and about how many bytes it takes.
pub(super) struct Decoded {
    pub(super) trace: TraceId,
    pub(super) span: Span,
    pub(super) bytes: usize,
}

impl Decoder {
    /// Hands each row's span to `take`, of those whose start `wants` takes.
    pub(super) fn each(
        &mut self,
        batch: &RecordBatch,
        wants: impl Fn(i64) -> bool,
        mut take: impl FnMut(Decoded) -> Result<(), TempoError>,
    ) -> Result<(), TempoError> {
        let cells = Cells::new(batch)?;
        for row in 0..batch.num_rows() {
            let start = cells.start(row);
            if wants(start) {
                take(self.span(&cells, row, start)?)?;
            }
        }
        Ok(())
    }

    fn span(&mut self, cells: &Cells<'_>, row: usize, start: i64) -> Result<Decoded, TempoError> {
        let known = &mut self.known;
        let texts = [cells.name, cells.status_message, cells.trace_state];
        let mut bytes = size_of::<Span>() + texts.map(|column| text(column, row).len()).iter().sum::<usize>();
        let mut span = Span {
            id: SpanId(id(cells.span_id, row).unwrap_or_default()),
            parent: id(cells.parent, row).map(SpanId),
            name: known.text(text(cells.name, row)),
            kind: of_code(&Kind::ALL, cells.kind, row),
            status: of_code(&Status::ALL, cells.status, row),
            status_message: known.text(text(cells.status_message, row)),
            start,
            duration: cells.duration(row),
            trace_state: known.text(text(cells.trace_state, row)),
            ..Span::default()
        };
        if let Some(maps) = &cells.attributes {
            let (attributes, more) = maps.at(row, known)?;
            (span.attributes, bytes) = (attributes, bytes + more);
        }
        if let Some(maps) = &cells.resource {
            let (resource, more) = self.resources.at(maps, row, known)?;
            (span.resource, bytes) = (resource, bytes + more);
        }
        if let Some(maps) = &cells.scope {
            let names = (text(cells.scope_name, row), text(cells.scope_version, row));
            let (scope, more) = self.scopes.at(names, maps, row, known)?;
            (span.instrumentation, bytes) = (scope, bytes + more);
        }
        if let Some(events) = &cells.events {
            for item in items(events.list, row) {
                let (event, more) = events.at(item, known)?;
                span.events.push(event);
                bytes += size_of::<Event>() + more;
            }
        }
        if let Some(links) = &cells.links {
            for item in items(links.list, row) {
                let (link, more) = links.at(item, known)?;
                span.links.push(link);
                bytes += size_of::<Link>() + more;
            }
        }
        Ok(Decoded { trace: cells.trace(row), span, bytes })
    }
}

/// The columns of a batch, as far as it has them.
pub(super) struct Cells<'a> {
    trace_id: &'a BinaryViewArray,
    timestamp: &'a TimestampMicrosecondArray,
    timestamp_nanos: Option<&'a Int32Array>,
    duration_micros: Option<&'a Int64Array>,
    duration_nanos: Option<&'a Int32Array>,
    span_id: Option<&'a BinaryViewArray>,
    parent: Option<&'a BinaryViewArray>,
    name: Option<&'a StringViewArray>,
    kind: Option<&'a Int32Array>,
    status: Option<&'a Int32Array>,
    status_message: Option<&'a StringViewArray>,
    trace_state: Option<&'a StringViewArray>,
    attributes: Option<Maps<'a>>,
    resource: Option<Maps<'a>>,
    scope: Option<Maps<'a>>,
    scope_name: Option<&'a StringViewArray>,
    scope_version: Option<&'a StringViewArray>,
    events: Option<Events<'a>>,
    links: Option<Links<'a>>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, TempoError> {
        let missing = |column, expected| TempoError::Column { column, expected };
        Ok(Self {
            trace_id: column(batch, TRACE_ID, BYTES)?.ok_or_else(|| missing(TRACE_ID, BYTES))?,
            timestamp: column(batch, TIMESTAMP, TIME)?.ok_or_else(|| missing(TIMESTAMP, TIME))?,
            timestamp_nanos: column(batch, TIMESTAMP_NANOS, INTEGER)?,
            duration_micros: column(batch, DURATION_MICROS, LONG)?,
            duration_nanos: column(batch, DURATION_NANOS, INTEGER)?,
            span_id: column(batch, SPAN_ID, BYTES)?,
            parent: column(batch, PARENT_SPAN_ID, BYTES)?,
            name: column(batch, NAME, TEXT)?,
            kind: column(batch, KIND, INTEGER)?,
            status: column(batch, STATUS_CODE, INTEGER)?,
            status_message: column(batch, STATUS_MESSAGE, TEXT)?,
            trace_state: column(batch, TRACE_STATE, TEXT)?,
            attributes: maps(batch, RECORD_ATTRIBUTES, RECORD_ATTRIBUTE_TYPES)?,
            resource: maps(batch, RESOURCE_ATTRIBUTES, RESOURCE_ATTRIBUTE_TYPES)?,
            scope: maps(batch, SCOPE_ATTRIBUTES, SCOPE_ATTRIBUTE_TYPES)?,
            scope_name: column(batch, SCOPE_NAME, TEXT)?,
            scope_version: column(batch, SCOPE_VERSION, TEXT)?,
            events: column(batch, EVENTS, LIST)?.map(Events::new).transpose()?,
            links: column(batch, LINKS, LIST)?.map(Links::new).transpose()?,
        })
    }

    pub(super) fn trace(&self, row: usize) -> TraceId {
        TraceId(id(Some(self.trace_id), row).unwrap_or_default())
    }

    /// Nanoseconds since 1970; times that these can't say are the nearest that they can.
    pub(super) fn start(&self, row: usize) -> i64 {
        nanos(self.timestamp.value(row), number(self.timestamp_nanos, row))
    }

    fn duration(&self, row: usize) -> i64 {
        self.duration_micros.map_or(0, |micros| nanos(micros.value(row), number(self.duration_nanos, row)))
    }
}

struct Events<'a> {
    list: &'a ListArray,
    time: &'a TimestampMicrosecondArray,
    nanos: &'a Int32Array,
    name: &'a StringArray,
    attributes: Maps<'a>,
}

impl<'a> Events<'a> {
    fn new(list: &'a ListArray) -> Result<Self, TempoError> {
        let items = structs(list, EVENTS)?;
        Ok(Self {
            list,
            time: member(items, TIMESTAMP, TIME)?,
            nanos: member(items, TIMESTAMP_NANOS, INTEGER)?,
            name: member(items, NAME, TEXT)?,
            attributes: Maps::of_items(items, ATTRIBUTES, ATTRIBUTE_TYPES)?,
        })
    }

    fn at(&self, item: usize, known: &mut Known) -> Result<(Event, usize), TempoError> {
        let (attributes, bytes) = self.attributes.at(item, known)?;
        let given = self.time.is_valid(item);
        let time = if given { nanos(self.time.value(item), number(Some(self.nanos), item)) } else { 0 };
        let name = if self.name.is_valid(item) { self.name.value(item) } else { "" };
        Ok((Event { time, name: known.text(name), attributes }, bytes))
    }
}

struct Links<'a> {
    list: &'a ListArray,
    trace: &'a BinaryArray,
    span: &'a BinaryArray,
    attributes: Maps<'a>,
}

impl<'a> Links<'a> {
    fn new(list: &'a ListArray) -> Result<Self, TempoError> {
        let items = structs(list, LINKS)?;
        let attributes = Maps::of_items(items, ATTRIBUTES, ATTRIBUTE_TYPES)?;
        Ok(Self { list, trace: member(items, TRACE_ID, BYTES)?, span: member(items, SPAN_ID, BYTES)?, attributes })
    }

    fn at(&self, item: usize, known: &mut Known) -> Result<(Link, usize), TempoError> {
        let (attributes, bytes) = self.attributes.at(item, known)?;
        let bytes_of = |array: &'a BinaryArray| array.is_valid(item).then(|| array.value(item));
        let trace = TraceId(bytes_of(self.trace).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default());
        let span = SpanId(bytes_of(self.span).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default());
        Ok((Link { trace, span, attributes }, bytes))
    }
}

const BYTES: &str = "bytes";
const TEXT: &str = "text";
const TIME: &str = "time in microseconds";
const INTEGER: &str = "32-bit integer";
const LONG: &str = "64-bit integer";
const LIST: &str = "list";

/// A column of a type, where the batch has it.
fn column<'a, T: Array + 'static>(
    batch: &'a RecordBatch,
    column: &'static str,
    expected: &'static str,
) -> Result<Option<&'a T>, TempoError> {
    let found = |array: &'a ArrayRef| array.as_any().downcast_ref().ok_or(TempoError::Column { column, expected });
    batch.column_by_name(column).map(found).transpose()
}

fn maps<'a>(batch: &'a RecordBatch, values: &'static str, types: &'static str) -> Result<Option<Maps<'a>>, TempoError> {
    let both = batch.column_by_name(values).zip(batch.column_by_name(types));
    both.map(|(of_values, of_types)| Maps::new(of_values, of_types, values)).transpose()
}

fn structs<'a>(list: &'a ListArray, column: &'static str) -> Result<&'a StructArray, TempoError> {
    list.values().as_struct_opt().ok_or(TempoError::Column { column, expected: "list of structs" })
}

fn member<'a, T: Array + 'static>(
    items: &'a StructArray,
    column: &'static str,
    expected: &'static str,
) -> Result<&'a T, TempoError> {
    let found = items.column_by_name(column).and_then(|array| array.as_any().downcast_ref());
    found.ok_or(TempoError::Column { column, expected })
}

/// The items of a row's list, as indices into the list's values.
fn items(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    if list.is_valid(row) { at(row)..at(row + 1) } else { 0..0 }
}

fn id<const N: usize>(column: Option<&BinaryViewArray>, row: usize) -> Option<[u8; N]> {
    column.filter(|column| column.is_valid(row)).and_then(|column| column.value(row).try_into().ok())
}

fn text(column: Option<&StringViewArray>, row: usize) -> &str {
    column.filter(|column| column.is_valid(row)).map_or("", |column| column.value(row))
}

fn number(column: Option<&Int32Array>, row: usize) -> i32 {
    column.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row))
}

/// What a number stands for; the first where it is NULL.
fn of_code<T: Copy + Default>(all: &[T], column: Option<&Int32Array>, row: usize) -> T {
    usize::try_from(number(column, row)).ok().and_then(|code| all.get(code)).copied().unwrap_or_default()
}

fn nanos(micros: i64, rest: i32) -> i64 {
    micros.saturating_mul(1_000).saturating_add(i64::from(rest))
}
