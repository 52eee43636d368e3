use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::logical_expr::{Expr, col};
use icegate_engine::is_out_of_memory;
use icegate_schema::columns::TRACE_ID;
use icegate_traceql::{Span, Trace, TraceId};

use super::decode::Decoder;
use super::drive::{Consume, drive};
use super::{Columns, Scan, pushdown};
use crate::TempoError;
use crate::spans::source::Taken;

/// The most traces that are read at once.
pub(crate) const MAX_IDS: usize = 2_048;

/// Hands whole traces to `take`, as far as their spans are in the scan. As many are read at once as there is memory for.
pub(crate) async fn each_trace(
    scan: &Scan,
    ids: &[TraceId],
    columns: &Columns,
    mut take: impl FnMut(&Trace) -> Result<(), TempoError>,
) -> Result<(), TempoError> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    let (mut rest, mut at_once) = (ids.as_slice(), MAX_IDS);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(at_once));
        match traces(scan, now, columns).await {
            Err(error) if now.len() > 1 && is_out_of_memory(&error) => at_once = now.len() / 2,
            Err(error) => return Err(error),
            Ok((whole, _held)) => {
                whole.iter().try_for_each(&mut take)?;
                rest = later;
            }
        }
    }
    Ok(())
}

/// Whole traces, by sorted ids, with the memory that they take.
async fn traces(scan: &Scan, ids: &[TraceId], columns: &Columns) -> Result<(Vec<Trace>, Taken), TempoError> {
    let frame = scan.frame(of_ids(ids), columns)?;
    let make = || Ok(Gather { decoder: Decoder::default(), spans: HashMap::new(), memory: scan.memory() });
    let mut memory = scan.memory();
    let mut spans: HashMap<TraceId, Vec<Span>> = HashMap::new();
    for part in drive(frame, make).await? {
        memory.absorb(part.memory);
        part.spans.into_iter().for_each(|(id, more)| spans.entry(id).or_default().extend(more));
    }
    let traces = ids.iter().filter_map(|id| spans.remove(id).map(|spans| Trace::new(*id, ordered(spans))));
    Ok((traces.collect(), memory))
}

/// In one order wherever they lie: by service, then by time.
fn ordered(spans: Vec<Span>) -> Vec<Span> {
    let mut keyed: Vec<(Arc<str>, Span)> = spans.into_iter().map(|span| (span.service(), span)).collect();
    keyed.sort_by(|(service, a), (other, b)| {
        let of = |span: &Span| (span.start, span.id, span.kind as u8, span.duration);
        service.cmp(other).then_with(|| of(a).cmp(&of(b)))
    });
    keyed.into_iter().map(|(_, span)| span).collect()
}

/// Rows of these traces, sorted by id: their range prunes files and pages that are sorted by it.
pub(super) fn of_ids(ids: &[TraceId]) -> Vec<Expr> {
    let value = |id: &TraceId| pushdown::binary(&id.0);
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return vec![datafusion::logical_expr::lit(false)] };
    let column = || col(TRACE_ID);
    vec![column().gt_eq(value(first)), column().lt_eq(value(last)), column().in_list(ids.iter().map(value).collect(), false)]
}

struct Gather {
    decoder: Decoder,
    spans: HashMap<TraceId, Vec<Span>>,
    memory: Taken,
}

impl Consume for Gather {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), TempoError> {
        let (spans, mut bytes) = (&mut self.spans, 0);
        self.decoder.each(
            batch,
            |_| true,
            |decoded| {
                bytes += decoded.bytes;
                spans.entry(decoded.trace).or_default().push(decoded.span);
                Ok(())
            },
        )?;
        Ok(self.memory.grow(bytes)?)
    }
}
