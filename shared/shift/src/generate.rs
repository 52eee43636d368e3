//! The metrics that are made of spans: a second consumer of their segments.
//!
//! Its rows go into `metrics`, and so does what says that they are there: the commit's ledger names the segments of spans under names
//! that no segment of metrics has (`icegate_tables::segment_of`), and the requests that they brought. So what holds for rows that are
//! shifted (SHIFT-1) holds for rows that are made, whatever crashes, repeats or runs in parallel. The halves of requests that wait for
//! their other half are a state of the table (`icegate_tables::NextState`), which the same commit replaces: of two passes that rest on
//! the same state one is refused, also where their segments differ.
//!
//! ```text
//! spans' segments ─▶ subtract metrics' ledgers ─▶ read ─▶ drop repeated requests ─▶ generate(rows, state)
//!    ─▶ write data files and the next state ─▶ commit files, ledger and state together ─▶ delete the state before
//! ```
//!
//! It is part of the pass over `spans` and has its lease. A segment of spans is not deleted before it is counted.
//!
//! The state notes since when metrics are made for whom: from one interval before the first pass that was asked for them, so that all
//! counts whose shift was due by then. What came before is left out, although it may still lie in the WAL.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use icegate_generator::{Counts, Generated, Options, Part, State, generate};
use icegate_model::{ErrorKind, Table, Timestamp};
use icegate_tables::{Append, Ledger, NextState, Shifted, Snapshot, segment_of};
use icegate_wal::{Segment, SegmentTenants};

use crate::pass::{Trigger, count};
use crate::select::{Selection, select};
use crate::{Pass, ShiftError, Shifter};

/// What is made, and what is remembered of the state.
#[derive(Debug)]
pub(crate) struct Generator {
    options: Arc<Options>,
    /// The state that was read last, by its URL. What lies there never changes.
    known: Mutex<Option<(String, Arc<State>)>>,
}

impl Generator {
    pub(crate) fn new(options: Options) -> Self {
        Self { options: Arc::new(options), known: Mutex::default() }
    }

    fn known(&self, url: &str) -> Option<Arc<State>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(of, _)| of == url).map(|(_, state)| Arc::clone(state))
    }

    /// Whether the segment may hold spans to be counted.
    fn wants(&self, state: &State, segment: &Segment) -> bool {
        let since = match &segment.tenants {
            SegmentTenants::One(tenant) => state.since(&self.options, tenant),
            SegmentTenants::Many => state.since_any(),
        };
        since.is_some_and(|since| since <= segment.created)
    }
}

/// What there is to count.
#[derive(Debug)]
pub(crate) enum ToGenerate {
    /// Nobody asked for metrics.
    Nothing,
    /// Another shifter replaces the state at this moment: what it counts is for the next look to tell.
    Unknown,
    /// This.
    Found(Box<Uncounted>),
}

/// Segments whose spans are not counted, and what the count goes on from.
#[derive(Debug)]
pub(crate) struct Uncounted {
    /// The metrics' table.
    snapshot: Arc<Snapshot>,
    /// With those who begin or end now.
    state: State,
    /// Whether some do.
    begins: bool,
    pending: Vec<Segment>,
    needed: HashSet<String>,
    /// Whether it is worth a pass.
    pub(crate) due: bool,
}

impl ToGenerate {
    /// Whether the segment is not counted yet, or may not be.
    pub(crate) fn needs(&self, segment: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Unknown => true,
            Self::Found(found) => found.needed.contains(segment),
        }
    }

    /// Whether there is something that is worth a pass.
    pub(crate) fn is_due(&self) -> bool {
        matches!(self, Self::Found(found) if found.due)
    }
}

impl Shifter {
    /// What of these segments of spans is not counted.
    pub(crate) async fn look_at_spans(
        &self,
        generator: &Generator,
        listed: &[Segment],
        marks: &BTreeSet<String>,
        trigger: Trigger,
    ) -> Result<ToGenerate, ShiftError> {
        let readable = listed.iter().filter(|segment| !marks.contains(&segment.name));
        let oldest = readable.clone().map(|segment| segment.created).min();
        let snapshot = self.tables.snapshot_since(Table::Metrics, oldest.unwrap_or(Timestamp::MAX)).await?;
        let Some(stored) = self.state(generator, &snapshot).await? else { return Ok(ToGenerate::Unknown) };
        let now = self.tables.time(Table::Metrics).await?;
        let begun = stored.begin(&generator.options, now - self.config.interval);
        let begins = begun.is_some() || stored.at() == Timestamp::default();
        let state = begun.unwrap_or_else(|| State::clone(&stored));

        let is_counted = |segment: &Segment| snapshot.shifted().contains(&segment_of(Table::Spans, &segment.name));
        let needed: Vec<&Segment> = readable.filter(|segment| generator.wants(&state, segment) && !is_counted(segment)).collect();
        let mut pending: Vec<Segment> = needed.iter().copied().cloned().collect();
        self.metrics.generator.pending_segments.set(count(pending.len()));
        {
            let aside = self.aside(Table::Spans);
            pending.retain(|segment| aside.is_readable(&segment.name));
            pending.retain(|segment| trigger == Trigger::Anything || !aside.is_resting(&segment.name, now));
        }
        // Where spans go on coming, the next pass over them does it.
        let patience = if trigger == Trigger::Anything { Duration::ZERO } else { self.config.interval };
        let expires = state.expires(&generator.options).is_some_and(|at| at + patience <= now);
        let due = begins || expires || self.is_due(&pending, trigger, now);
        let needed = needed.into_iter().map(|segment| segment.name.clone()).collect();
        Ok(ToGenerate::Found(Box::new(Uncounted { snapshot, state, begins, pending, needed, due })))
    }

    async fn state(&self, generator: &Generator, snapshot: &Snapshot) -> Result<Option<Arc<State>>, ShiftError> {
        let Some(url) = snapshot.state() else { return Ok(Some(Arc::default())) };
        if let Some(known) = generator.known(url) {
            return Ok(Some(known));
        }
        let bytes = match self.tables.state_of(snapshot).await {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::NotFound => return self.without_state(generator, snapshot).await,
            Err(error) => return Err(error.into()),
        };
        let state = Arc::new(State::from_json(&bytes)?);
        *generator.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((url.to_owned(), Arc::clone(&state)));
        Ok(Some(state))
    }

    /// A state that is gone was replaced by another shifter; `None` then. One that is still the newest is lost: a service that cleans
    /// up after days takes it for an orphan. With it go the halves that waited. What is counted is known from the ledgers, so that
    /// everything else in the WAL is counted.
    async fn without_state(&self, generator: &Generator, snapshot: &Snapshot) -> Result<Option<Arc<State>>, ShiftError> {
        if self.tables.snapshot(Table::Metrics).await?.state() != snapshot.state() {
            return Ok(None);
        }
        self.metrics.generator.lost_states.inc();
        tracing::error!(state = snapshot.state(), "what waited for the other side of a request is lost, its object is gone");
        Ok(Some(Arc::new(State::default().begin(&generator.options, Timestamp::default()).unwrap_or_default())))
    }

    /// Counts what one pass can hold, and commits it.
    #[tracing::instrument(name = "generate", skip_all, fields(segments = found.pending.len()))]
    pub(crate) async fn generate(
        &self,
        found: Uncounted,
        in_spans: &Shifted,
        began: Timestamp,
        pass: &mut Pass,
    ) -> Result<(), ShiftError> {
        let Some(generator) = &self.generator else { return Ok(()) };
        let Uncounted { snapshot, state, begins, pending, .. } = found;
        let listed = pending.len();
        let mut selection = select(&self.wal, Table::Spans, pending, snapshot.shifted(), &self.config).await?;
        self.set_uncounted_aside(&mut selection, in_spans, began, pass).await;
        let left = listed - selection.segments.len();
        pass.left = pass.left.max(left);

        let parts = parts(&mut selection, &state, &generator.options)?;
        let now = self.tables.time(Table::Metrics).await?;
        let (options, before) = (Arc::clone(&generator.options), state.clone());
        let made = tokio::task::spawn_blocking(move || generate(&parts, &state, &options, now, left == 0)).await;
        let Generated { batches, state: next, counts } = made.map_err(|source| ShiftError::Task { source })??;
        if selection.segments.is_empty() && batches.is_empty() && !begins && next.is_as(&before) {
            return Ok(());
        }
        let files = self.tables.write_files(Table::Metrics, batches, self.config.files).await?;
        let ledger = Ledger {
            segments: selection.segments.iter().map(|segment| segment_of(Table::Spans, &segment.name)).collect(),
            requests: selection.requests,
            at: began,
            after: Some(snapshot.shifted().newest()),
            oldest: selection.segments.iter().map(|segment| segment.created).min(),
        };
        let next = NextState { after: snapshot.state().map(str::to_owned), bytes: next.to_json()?.into() };
        match self.tables.commit_with_state(Table::Metrics, Append { files, ledger }, next).await {
            Ok(committed) => {
                self.report_generated(&counts, committed.rows_added, selection.segments.len());
                pass.generated = Some(committed);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.metrics.generator.lost.inc();
                tracing::info!(%error, "another shifter has counted these spans first");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The shift of spans has judged segments that it could not read; those that it could and this pass can't are judged here.
    async fn set_uncounted_aside(&self, selection: &mut Selection, in_spans: &Shifted, began: Timestamp, pass: &mut Pass) {
        let mut unreadable = std::mem::take(&mut selection.unreadable);
        unreadable.retain(|one| in_spans.contains(&one.segment.name));
        let mut own = Pass::default();
        self.set_aside(Table::Spans, unreadable, began, &mut own).await;
        self.leave_to_later_release(Table::Spans, std::mem::take(&mut selection.newer), &mut own);
        pass.unreadable += own.unreadable;
        pass.quarantined += own.quarantined;
    }

    fn report_generated(&self, counts: &Counts, rows: u64, segments: usize) {
        let metrics = &self.metrics.generator;
        metrics.spans.inc_by(counts.spans);
        metrics.rows.inc_by(rows);
        metrics.edges.inc_by(counts.edges);
        metrics.expired.inc_by(counts.expired);
        metrics.dropped.inc_by(counts.dropped);
        metrics.waiting.set(i64::try_from(counts.waiting).unwrap_or(i64::MAX));
        if counts.dropped > 0 {
            let (dropped, waiting) = (counts.dropped, counts.waiting);
            tracing::warn!(
                dropped,
                waiting,
                "too many sides of requests wait for the other side, the last are given up (max_items)"
            );
        }
        tracing::debug!(segments, spans = counts.spans, edges = counts.edges, rows, "metrics made of spans");
    }
}

/// The rows that count, with whose they are.
fn parts(selection: &mut Selection, state: &State, options: &Options) -> Result<Vec<Part>, ShiftError> {
    let mut batches = std::mem::take(&mut selection.batches).into_iter();
    let (mut parts, mut from) = (Vec::new(), 0);
    for (segment, to) in selection.segments.iter().zip(&selection.batches_after) {
        for rows in batches.by_ref().take(to - from) {
            let part = Part::of(rows)?;
            if state.since(options, &part.owner.tenant).is_some_and(|since| since <= segment.created) {
                parts.push(part);
            }
        }
        from = *to;
    }
    Ok(parts)
}
