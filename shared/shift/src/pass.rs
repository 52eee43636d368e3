use std::collections::BTreeSet;

use icegate_model::{ErrorKind, Table, Timestamp};
use icegate_tables::{Append, Committed, Ledger, Shifted};
use icegate_wal::{Mark, Segment};

use crate::aside::FAILED_PASSES;
use crate::generate::ToGenerate;
use crate::job_state::CommitState;
use crate::lease::Claim;
use crate::select::{Selection, Unreadable, select};
use crate::{JobState, Metrics, ShiftError, Shifter, trail};

/// What one pass over a table did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// The commit, where there was something to commit and no other shifter was first.
    pub committed: Option<Committed>,
    /// Segments that the commit took in.
    pub segments: usize,
    /// Segments that wait for the next pass.
    pub left: usize,
    /// Segments deleted because their grace is over.
    pub deleted: usize,
    /// Segments that this pass could not read; they stay in the WAL.
    pub unreadable: usize,
    /// Those of them that are set aside from now on.
    pub quarantined: usize,
    /// There was work, and it is another shifter's turn.
    pub others: bool,
    /// For `spans`, the commit of metrics that are made of them.
    pub generated: Option<Committed>,
}

/// Which pending segments are worth a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Any.
    Anything,
    /// Enough of them, or one that is old enough.
    Due,
}

/// What the listing and the ledgers say.
struct Found {
    /// Committed, and their grace is over.
    over: Vec<Segment>,
    /// Not in the table, and worth reading.
    pending: Vec<Segment>,
}

impl Shifter {
    /// Shifts what one pass can hold of a table's pending segments, and deletes segments whose grace is over. For `spans`, then makes the
    /// metrics that are made of them, where [`Shifter::with_generator`] asks for them.
    ///
    /// # Errors
    /// [`ShiftError`]; nothing was added, or (an unknown outcome) repeating the pass tells. That another shifter took the same
    /// segments first, or has the table's lease, is no error: the pass then has no commit.
    pub async fn pass(&self, table: Table) -> Result<Pass, ShiftError> {
        self.triggered_pass(table, Trigger::Anything).await
    }

    pub(crate) async fn triggered_pass(&self, table: Table, trigger: Trigger) -> Result<Pass, ShiftError> {
        let began = self.clock.now();
        let mut listed = self.wal.list(table).await?.segments;
        let marks = self.marks(table, &listed, trigger, began).await?;
        // A segment that stays for good must not make every pass read ledgers as far back.
        let readable = listed.iter().filter(|segment| !marks.contains(&segment.name));
        let oldest = readable.map(|segment| segment.created).min();
        let snapshot = self.tables.snapshot_since(table, oldest.unwrap_or(Timestamp::MAX)).await?;
        let shifted = snapshot.shifted();
        // What is due and what is past its grace is decided by the store's clock.
        let now = if listed.is_empty() { began } else { self.tables.time(table).await? };
        let to_generate = match self.generator.as_ref().filter(|_| table == Table::Spans) {
            Some(generator) => self.look_at_spans(generator, &listed, &marks, trigger).await,
            None => Ok(ToGenerate::Nothing),
        };
        listed.retain(|segment| !marks.contains(&segment.name) || shifted.contains(&segment.name));

        let mut state = JobState::new(table, self.holder(), now);
        let mut found = self.sort_out(table, listed, shifted, trigger, &mut state);
        found.over.retain(|segment| to_generate.as_ref().is_ok_and(|generate| !generate.needs(&segment.name)));
        let mut pass = Pass { left: found.pending.len(), ..Pass::default() };
        let due = self.is_due(&found.pending, trigger, now);
        if !due && found.over.is_empty() && !to_generate.as_ref().is_ok_and(ToGenerate::is_due) {
            return to_generate.map(|_| pass);
        }
        if let Some(jobs) = &self.jobs
            && jobs.claim(table, began, &self.metrics).await == Claim::Others
        {
            pass.others = true;
            return Ok(pass);
        }
        let mut worked = self.work(table, found, due.then_some(shifted), began, &mut pass, &mut state).await;
        if worked.is_ok() {
            // Spans are shifted also where no metrics can be made of them.
            worked = match to_generate {
                Ok(ToGenerate::Found(found)) if found.due => Box::pin(self.generate(*found, shifted, began, &mut pass)).await,
                to_generate => to_generate.map(drop),
            };
        }
        if let Some(jobs) = &self.jobs
            && (worked.is_err() || pass.committed.is_some() || pass.unreadable > 0)
        {
            state.error = worked.as_ref().err().map(ToString::to_string);
            jobs.leave(table, &state, &self.metrics).await;
        }
        worked.map(|()| pass)
    }

    async fn work(
        &self,
        table: Table,
        found: Found,
        shifted: Option<&Shifted>,
        began: Timestamp,
        pass: &mut Pass,
        state: &mut JobState,
    ) -> Result<(), ShiftError> {
        pass.deleted = self.delete(table, &found.over).await;
        let Some(shifted) = shifted else { return Ok(()) };
        let planned_on = shifted.newest();
        let mut selection = select(&self.wal, table, found.pending, shifted, &self.config).await?;
        self.set_aside(table, std::mem::take(&mut selection.unreadable), began, pass).await;
        self.leave_to_later_release(table, std::mem::take(&mut selection.newer), pass);
        self.aside(table).read(&selection.segments);
        {
            let aside = self.aside(table);
            state.quarantined = aside.marked().iter().cloned().collect();
            state.newer_format = aside.newer() as u64;
        }
        state.commit = self.commit(table, selection, (began, planned_on), pass).await?;
        state.pending_segments = state.pending_segments.saturating_sub(pass.segments as u64);
        Ok(())
    }

    /// Deletes committed segments. A store that refuses keeps nothing from being shifted: they are found again.
    async fn delete(&self, table: Table, over: &[Segment]) -> usize {
        if over.is_empty() {
            return 0;
        }
        let labels = Metrics::labels(table);
        match self.wal.delete(over).await {
            Ok(()) => {
                self.metrics.deleted.get_or_create(&labels).inc_by(over.len() as u64);
                over.len()
            }
            Err(error) => {
                tracing::warn!(%table, %error, "committed segments are not deleted, they are tried again");
                self.metrics.failures.get_or_create(&labels).inc();
                0
            }
        }
    }

    #[tracing::instrument(name = "shift", skip_all, fields(%table, segments = selection.segments.len()))]
    async fn commit(
        &self,
        table: Table,
        selection: Selection,
        (began, planned_on): (Timestamp, Timestamp),
        pass: &mut Pass,
    ) -> Result<Option<CommitState>, ShiftError> {
        let Selection { batches, segments, requests, requests_after, repeated_rows, .. } = selection;
        let labels = Metrics::labels(table);
        if segments.is_empty() {
            return Ok(None);
        }
        let files = self.tables.write_files(table, batches, self.config.files).await?;
        let ledger = Ledger {
            segments: segments.iter().map(|segment| segment.name.clone()).collect(),
            requests: requests.clone(),
            at: began,
            after: Some(planned_on),
            oldest: segments.iter().map(|segment| segment.created).min(),
        };
        let committed = match self.tables.commit(table, Append { files, ledger }).await {
            Ok(committed) => committed,
            // The next pass lists what is left without these. Whoever loses lost to a commit, so that there is always progress.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.metrics.lost.get_or_create(&labels).inc();
                tracing::info!(%table, %error, "another shifter was first");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let took = self.clock.now().since(began);
        self.metrics.rows.get_or_create(&labels).inc_by(committed.rows_added);
        self.metrics.retries.get_or_create(&labels).inc_by(u64::from(committed.attempts.saturating_sub(1)));
        self.metrics.repeated_rows.get_or_create(&labels).inc_by(repeated_rows);
        self.metrics.segments.get_or_create(&labels).inc_by(segments.len() as u64);
        self.metrics.duration.get_or_create(&labels).observe(took.as_secs_f64());
        tracing::debug!(%table, segments = segments.len(), rows = committed.rows_added, snapshot = committed.snapshot_id, "shifted");
        trail::shifted(table, &segments, &requests, &requests_after, &committed);
        pass.segments = segments.len();
        pass.left = pass.left.saturating_sub(segments.len());
        pass.committed = Some(committed);
        Ok(Some(CommitState {
            snapshot: committed.snapshot_id,
            segments: segments.len() as u64,
            rows: committed.rows_added,
            repeated_rows,
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }))
    }

    /// The names of the segments that bear a mark; looked up where there is work, and now and then.
    async fn marks(
        &self,
        table: Table,
        listed: &[Segment],
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<BTreeSet<String>, ShiftError> {
        self.aside(table).keep_listed(listed);
        if listed.is_empty() {
            return Ok(BTreeSet::new());
        }
        let known = self.aside(table).marks(now).filter(|_| trigger == Trigger::Due);
        if let Some(known) = known {
            return Ok(known);
        }
        let mut marks = self.wal.quarantined(table).await?;
        if !marks.is_empty() {
            let names: BTreeSet<&str> = listed.iter().map(|segment| segment.name.as_str()).collect();
            let stray: Vec<_> = marks.iter().filter(|name| !names.contains(name.as_str())).cloned().collect();
            for segment in stray {
                // Its segment is gone, by an operator's hand or because another shifter could read it.
                if let Err(error) = self.wal.release(table, &segment).await {
                    tracing::warn!(%table, %error, "mark of a segment that is gone is not removed");
                }
                marks.remove(&segment);
            }
        }
        self.metrics.quarantined.get_or_create(&Metrics::labels(table)).set(count(marks.len()));
        self.aside(table).set_marks(marks.clone(), now);
        Ok(marks)
    }

    /// Tells committed segments from pending ones, and reports them.
    fn sort_out(&self, table: Table, listed: Vec<Segment>, shifted: &Shifted, trigger: Trigger, state: &mut JobState) -> Found {
        let now = Timestamp::from_micros(state.at_micros);
        let (done, mut pending): (Vec<_>, Vec<_>) = listed.into_iter().partition(|segment| shifted.contains(&segment.name));
        self.report_pending(table, &pending, now, state);
        let mut aside = self.aside(table);
        let mut past_grace = |segment: &Segment| {
            let since = aside.committed_since(&segment.name, now);
            // The commit's time may be a few minutes of a committer's clock off. Where this shifter goes on running, what it saw itself
            // has to agree.
            let agreed = trigger == Trigger::Anything || since + self.config.grace <= now;
            agreed && shifted.segment(&segment.name).is_some_and(|at| at + self.config.grace <= now)
        };
        let over = done.into_iter().filter(|segment| past_grace(segment)).collect();
        pending.retain(|segment| aside.is_readable(&segment.name));
        pending.retain(|segment| trigger == Trigger::Anything || !aside.is_resting(&segment.name, now));
        Found { over, pending }
    }

    /// Counts segments that could not be read, and marks those that no pass could read.
    pub(crate) async fn set_aside(&self, table: Table, unreadable: Vec<Unreadable>, now: Timestamp, pass: &mut Pass) {
        let labels = Metrics::labels(table);
        for Unreadable { segment, reason } in unreadable {
            pass.unreadable += 1;
            pass.left = pass.left.saturating_sub(1);
            self.metrics.unreadable.get_or_create(&labels).inc();
            let failed_passes = self.aside(table).failed(&segment.name, now, self.config.interval / 3);
            if failed_passes < FAILED_PASSES {
                tracing::warn!(%table, segment = %segment.path, reason, failed_passes, "segment can't be read, it is tried again");
                continue;
            }
            let (by, at_micros) = (self.holder().to_owned(), now.micros());
            let mark = Mark { segment: segment.name.clone(), reason, failed_passes, by, at_micros };
            if let Err(error) = self.wal.quarantine(&segment, &mark).await {
                tracing::warn!(%table, %error, "segment is not set aside yet, the next pass tries it");
                continue;
            }
            self.aside(table).mark(&segment.name);
            self.metrics.quarantined.get_or_create(&labels).inc();
            pass.quarantined += 1;
            let path = self.wal.mark_path(table, &segment.name);
            tracing::error!(
                %table, segment = %segment.path, reason = mark.reason, mark = %path,
                "segment can't be read and is set aside; it stays, and deleting the mark makes shifters try it again"
            );
        }
    }

    /// A later format is no damage: a shifter of the release that wrote it reads it.
    pub(crate) fn leave_to_later_release(&self, table: Table, newer: Vec<Unreadable>, pass: &mut Pass) {
        for Unreadable { segment, reason } in newer {
            pass.left = pass.left.saturating_sub(1);
            if self.aside(table).add_newer(&segment.name) {
                tracing::warn!(%table, segment = %segment.path, reason, "segment is left to a shifter of a later release");
            }
        }
        self.metrics.newer_format.get_or_create(&Metrics::labels(table)).set(count(self.aside(table).newer()));
    }

    pub(crate) fn is_due(&self, pending: &[Segment], trigger: Trigger, now: Timestamp) -> bool {
        let bytes: u64 = pending.iter().map(|segment| segment.size).sum();
        let enough = bytes >= self.config.max_input_bytes as u64
            || pending.len() >= self.config.max_row_groups
            || pending.iter().any(|segment| segment.created + self.config.interval <= now);
        !pending.is_empty() && (trigger == Trigger::Anything || enough)
    }

    fn report_pending(&self, table: Table, pending: &[Segment], now: Timestamp, state: &mut JobState) {
        let labels = Metrics::labels(table);
        let bytes: u64 = pending.iter().map(|segment| segment.size).sum();
        let oldest = pending.iter().map(|segment| segment.created).min().unwrap_or(now);
        let lag = now.since(oldest).as_secs_f64();
        self.metrics.pending_segments.get_or_create(&labels).set(count(pending.len()));
        self.metrics.pending_bytes.get_or_create(&labels).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.metrics.lag.get_or_create(&labels).set(lag);
        (state.pending_segments, state.pending_bytes, state.lag_seconds) = (pending.len() as u64, bytes, lag);
    }
}

pub(crate) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
