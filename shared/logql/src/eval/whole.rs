use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use icegate_schema::columns::BODY;
use icegate_series::Windows;

use super::drive::Consume;
use super::sampler::Sampler;
use crate::plan::Plan;
use crate::rows::{NameCache, Names, RowReader, StreamCache, TextColumn, Times};
use crate::{Limits, LogqlError};

/// Series that are known by their key before these are started anew.
const MAX_KEYS: usize = 65_536;

/// Measures rows that have to be looked at.
pub(crate) struct Whole {
    plan: Arc<Plan>,
    sampler: Arc<Sampler>,
    windows: Windows,
    limits: Limits,
    streams: StreamCache,
    columns: NameCache,
    names: Names,
    known: HashMap<String, usize>,
    key: String,
}

impl Whole {
    pub(crate) fn new(plan: Arc<Plan>, sampler: Arc<Sampler>, windows: Windows, limits: Limits) -> Self {
        let columns = plan.names();
        Self {
            plan,
            sampler,
            windows,
            limits,
            streams: StreamCache::default(),
            columns,
            names: Names::default(),
            known: HashMap::new(),
            key: String::new(),
        }
    }

    pub(crate) fn into_windows(self) -> Windows {
        self.windows
    }
}

impl Consume for Whole {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        let times = Times::of(batch)?;
        let body = TextColumn::of(batch, BODY)?;
        let mut reader = RowReader::new(batch, &mut self.streams, &mut self.columns)?;
        for index in 0..batch.num_rows() {
            let at = times.get(index);
            if !self.windows.reaches(at) {
                continue;
            }
            let Some(mut row) = self.plan.run(body.text(index), at, reader.labels(index), &mut self.names) else { continue };
            let Some(value) = self.sampler.value(&mut row)? else { continue };
            self.key.clear();
            self.sampler.write_key(&row.labels, &mut self.key);
            let series = match self.known.get(&self.key) {
                Some(series) => *series,
                None => {
                    let series = self.windows.series(self.sampler.labels(&row.labels));
                    if self.known.len() >= MAX_KEYS {
                        self.known.clear();
                    }
                    self.known.insert(self.key.clone(), series);
                    series
                }
            };
            self.windows.add(series, at, value);
            self.limits.check(&self.windows)?;
        }
        Ok(())
    }
}
