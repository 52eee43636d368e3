use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::logical_expr::Expr;
use icegate_traceql::{Predicate, TraceId};

use super::decode::{Cells, Decoder};
use super::drive::{Consume, drive};
use super::sieve::{self, Sieve};
use super::traces::of_ids;
use super::{Columns, Scan, Window, pushdown};
use crate::TempoError;
use crate::spans::source::Taken;

/// A trace that has a span that may fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: TraceId,
    /// When the first of these spans starts, so that the trace doesn't start later.
    pub(crate) start: i64,
}

/// Of predicates that a trace has to have a span for, each, the one that columns decide the most of; everything without any.
pub(crate) fn leading(predicates: &[Predicate]) -> Predicate {
    let best = predicates.iter().find(|predicate| pushdown::helps(predicate)).or(predicates.first());
    best.cloned().unwrap_or(Predicate::All(Vec::new()))
}

/// About what one candidate takes.
const CANDIDATE_BYTES: usize = 64;

/// The traces that have a span that may fit and starts within the window; with the memory that they take.
pub(crate) async fn candidates(
    scan: &Scan,
    predicate: &Predicate,
    window: Window,
) -> Result<(Vec<Candidate>, Taken), TempoError> {
    let filters = pushdown::within(window).into_iter().chain(pushdown::filter(predicate)).collect();
    let everything = *predicate == Predicate::All(Vec::new());
    let sieve = if everything { None } else { Some(Arc::new(Sieve::new(predicate)?)) };
    let frame = scan.frame(filters, &sieve::columns(predicate, Columns::bare()))?;
    let make = || {
        let (decoder, memory) = (Decoder::default(), scan.memory());
        Ok(Gather { window, sieve: sieve.clone(), decoder, found: HashMap::new(), memory })
    };
    let mut memory = scan.memory();
    let mut found: HashMap<TraceId, i64> = HashMap::new();
    for part in drive(frame, make).await? {
        memory.absorb(part.memory);
        for (id, start) in part.found {
            let first = found.entry(id).or_insert(start);
            *first = start.min(*first);
        }
    }
    Ok((found.into_iter().map(|(id, start)| Candidate { id, start }).collect(), memory))
}

struct Gather {
    window: Window,
    sieve: Option<Arc<Sieve>>,
    decoder: Decoder,
    found: HashMap<TraceId, i64>,
    memory: Taken,
}

impl Consume for Gather {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), TempoError> {
        let (before, window, found) = (self.found.len(), self.window, &mut self.found);
        let mut add = |id, start: i64| {
            let first = found.entry(id).or_insert(start);
            *first = start.min(*first);
        };
        if let Some(sieve) = &self.sieve {
            self.decoder.each(
                batch,
                |start| window.holds(start),
                |decoded| {
                    if sieve.lets_through(decoded.trace, &decoded.span)? {
                        add(decoded.trace, decoded.span.start);
                    }
                    Ok(())
                },
            )?;
        } else {
            let cells = Cells::new(batch)?;
            for row in 0..batch.num_rows() {
                let start = cells.start(row);
                if window.holds(start) {
                    add(cells.trace(row), start);
                }
            }
        }
        let new = self.found.len() - before;
        Ok(self.memory.grow(new * CANDIDATE_BYTES)?)
    }
}

/// Those of the traces that have a row that a filter on columns lets through.
pub(crate) async fn those_with(scan: &Scan, all: Vec<Candidate>, filter: Expr) -> Result<Vec<Candidate>, TempoError> {
    let mut ids: Vec<TraceId> = all.iter().map(|one| one.id).collect();
    ids.sort_unstable();
    let mut held = HashSet::new();
    for part in ids.chunks(super::traces::MAX_IDS) {
        let filters = of_ids(part).into_iter().chain([filter.clone()]).collect();
        let make = || Ok(Ids::default());
        for part in drive(scan.frame(filters, &Columns::bare())?, make).await? {
            held.extend(part.0);
        }
    }
    Ok(all.into_iter().filter(|one| held.contains(&one.id)).collect())
}

#[derive(Default)]
struct Ids(HashSet<TraceId>);

impl Consume for Ids {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), TempoError> {
        let cells = Cells::new(batch)?;
        self.0.extend((0..batch.num_rows()).map(|row| cells.trace(row)));
        Ok(())
    }
}
