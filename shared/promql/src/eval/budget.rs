use std::cell::Cell;

use crate::PromqlError;

/// Bounds of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples that are held at once.
    pub samples: usize,
    /// Bytes that are held at once.
    pub bytes: usize,
    /// Steps after the first one.
    pub points: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { samples: 50_000_000, bytes: 1 << 30, points: 11_000 }
    }
}

/// Counts what a query holds.
pub(crate) struct Budget<'a> {
    limits: Limits,
    samples: Cell<usize>,
    bytes: Cell<usize>,
    asked: Cell<u32>,
    is_canceled: Option<&'a (dyn Fn() -> bool + Sync)>,
}

/// How often a query is asked whether it is canceled: once in this many series and groups.
const ASK_EVERY: u32 = 64;

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: Limits, is_canceled: Option<&'a (dyn Fn() -> bool + Sync)>) -> Self {
        Self { limits, samples: Cell::new(0), bytes: Cell::new(0), asked: Cell::new(0), is_canceled }
    }

    /// Counts what is held until the result is dropped.
    pub(crate) fn hold(&self, samples: usize, bytes: usize) -> Result<Held<'_, 'a>, PromqlError> {
        let mut held = Held { budget: self, samples: 0, bytes: 0 };
        held.more(samples, bytes)?;
        Ok(held)
    }

    fn check(&self) -> Result<(), PromqlError> {
        if self.samples.get() > self.limits.samples {
            return Err(PromqlError::TooManySamples { limit: self.limits.samples });
        }
        if self.bytes.get() > self.limits.bytes {
            return Err(PromqlError::TooManyBytes { limit: self.limits.bytes });
        }
        self.asked.set(self.asked.get().wrapping_add(1));
        match self.is_canceled {
            Some(is_canceled) if self.asked.get().is_multiple_of(ASK_EVERY) && is_canceled() => Err(PromqlError::Canceled),
            _ => Ok(()),
        }
    }
}

/// What is held of a budget.
pub(crate) struct Held<'b, 'a> {
    budget: &'b Budget<'a>,
    samples: usize,
    bytes: usize,
}

impl Held<'_, '_> {
    /// Holds more.
    pub(crate) fn more(&mut self, samples: usize, bytes: usize) -> Result<(), PromqlError> {
        self.samples = self.samples.saturating_add(samples);
        self.bytes = self.bytes.saturating_add(bytes);
        let Budget { samples: all_samples, bytes: all_bytes, .. } = self.budget;
        all_samples.set(all_samples.get().saturating_add(samples));
        all_bytes.set(all_bytes.get().saturating_add(bytes));
        self.budget.check()
    }
}

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        let Budget { samples, bytes, .. } = self.budget;
        samples.set(samples.get().saturating_sub(self.samples));
        bytes.set(bytes.get().saturating_sub(self.bytes));
    }
}
