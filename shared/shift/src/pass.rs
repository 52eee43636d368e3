use icegate_model::{ErrorKind, Table, Timestamp};
use icegate_tables::{Append, Committed, Ledger, Shifted};
use icegate_wal::Segment;

use crate::select::{Selection, select};
use crate::{Metrics, ShiftError, Shifter};

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
    /// Segments that this pass found it can't read; they stay in the WAL.
    pub unreadable: usize,
}

/// Which pending segments are worth a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Any.
    Anything,
    /// Enough of them, or one that is old enough.
    Due,
}

impl Shifter {
    /// Shifts what one pass can hold of a table's pending segments, and deletes segments whose grace is over.
    ///
    /// # Errors
    /// [`ShiftError`]; nothing was added, or (an unknown outcome) repeating the pass tells. That another shifter took the same
    /// segments first is no error: the pass then has no commit.
    pub async fn pass(&self, table: Table) -> Result<Pass, ShiftError> {
        self.triggered_pass(table, Trigger::Anything).await
    }

    pub(crate) async fn triggered_pass(&self, table: Table, trigger: Trigger) -> Result<Pass, ShiftError> {
        let began = self.clock.now();
        let listed = self.wal.list(table).await?.segments;
        let oldest = listed.iter().map(|segment| segment.created).min();
        let snapshot = self.tables.snapshot_since(table, oldest.unwrap_or(Timestamp::MAX)).await?;
        let shifted = snapshot.shifted();
        let (done, mut pending): (Vec<_>, Vec<_>) = listed.into_iter().partition(|segment| shifted.contains(&segment.name));
        self.report_pending(table, &pending, began);
        pending.retain(|segment| !self.is_set_aside(&segment.name));

        let mut pass = Pass { left: pending.len(), ..Pass::default() };
        pass.deleted = self.delete_past_grace(table, done, shifted).await?;
        if !pending.is_empty() && (trigger == Trigger::Anything || self.is_due(&pending, began)) {
            let selection = select(&self.wal, table, pending, shifted, &self.config).await?;
            self.commit(table, selection, began, &mut pass).await?;
        }
        Ok(pass)
    }

    #[tracing::instrument(name = "shift", skip_all, fields(%table, segments = selection.segments.len()))]
    async fn commit(&self, table: Table, selection: Selection, began: Timestamp, pass: &mut Pass) -> Result<(), ShiftError> {
        let Selection { batches, segments, requests, repeated_rows, unreadable } = selection;
        let labels = Metrics::labels(table);
        pass.unreadable = unreadable.len();
        pass.left = pass.left.saturating_sub(unreadable.len());
        self.metrics.unreadable.get_or_create(&labels).inc_by(i64::try_from(unreadable.len()).unwrap_or(i64::MAX));
        self.set_aside(unreadable);
        if segments.is_empty() {
            return Ok(());
        }
        let files = self.tables.write_files(table, batches, self.config.files).await?;
        let ledger = Ledger {
            segments: segments.iter().map(|segment| segment.name.clone()).collect(),
            requests,
            at: began,
            oldest: segments.iter().map(|segment| segment.created).min(),
        };
        let committed = match self.tables.commit(table, Append { files, ledger }).await {
            Ok(committed) => committed,
            // The next pass lists what is left without these.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                tracing::info!(%table, %error, "another shifter was first");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.metrics.rows.get_or_create(&labels).inc_by(committed.rows_added);
        self.metrics.repeated_rows.get_or_create(&labels).inc_by(repeated_rows);
        self.metrics.segments.get_or_create(&labels).inc_by(segments.len() as u64);
        self.metrics.duration.get_or_create(&labels).observe(self.clock.now().since(began).as_secs_f64());
        tracing::debug!(%table, segments = segments.len(), rows = committed.rows_added, snapshot = committed.snapshot_id, "shifted");
        pass.segments = segments.len();
        pass.left = pass.left.saturating_sub(segments.len());
        pass.committed = Some(committed);
        Ok(())
    }

    async fn delete_past_grace(&self, table: Table, done: Vec<Segment>, shifted: &Shifted) -> Result<usize, ShiftError> {
        let now = self.clock.now();
        let past_grace = |segment: &Segment| shifted.segment(&segment.name).is_some_and(|at| at + self.config.grace <= now);
        let over: Vec<Segment> = done.into_iter().filter(past_grace).collect();
        if !over.is_empty() {
            self.wal.delete(&over).await?;
            self.metrics.deleted.get_or_create(&Metrics::labels(table)).inc_by(over.len() as u64);
        }
        Ok(over.len())
    }

    fn is_due(&self, pending: &[Segment], now: Timestamp) -> bool {
        let bytes: u64 = pending.iter().map(|segment| segment.size).sum();
        bytes >= self.config.max_input_bytes as u64
            || pending.len() >= self.config.max_row_groups
            || pending.iter().any(|segment| segment.created + self.config.interval <= now)
    }

    fn report_pending(&self, table: Table, pending: &[Segment], now: Timestamp) {
        let labels = Metrics::labels(table);
        let bytes: u64 = pending.iter().map(|segment| segment.size).sum();
        let oldest = pending.iter().map(|segment| segment.created).min().unwrap_or(now);
        self.metrics.pending_segments.get_or_create(&labels).set(i64::try_from(pending.len()).unwrap_or(i64::MAX));
        self.metrics.pending_bytes.get_or_create(&labels).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.metrics.lag.get_or_create(&labels).set(now.since(oldest).as_secs_f64());
    }
}
