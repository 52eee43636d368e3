use crate::error::OtlpError;

/// Bounds of a request. The body's own size is bounded by whoever reads it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of text, ids and values of one record; a larger one is refused, its neighbours are kept.
    pub record_bytes: usize,
    /// How deep arrays and key-value lists may lie inside each other; a record with a deeper value is refused.
    /// Values above 30 count as 30: a deeper value could be stored, but not be read back from its OTLP/JSON.
    pub attribute_depth: usize,
    /// Most bytes of all rows of a request, resource and scope counted in each row; values above 1 GiB count as 1 GiB.
    pub rows_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 4 << 20, attribute_depth: MAX_DEPTH, rows_bytes: 512 << 20 }
    }
}

/// Text columns address their bytes with 31 bits; this keeps every column of a request below that.
const MAX_ROWS_BYTES: usize = 1 << 30;
/// Cost of a row beside its text: its cells of fixed width.
const ROW_BYTES: usize = 256;

/// The deepest value whose OTLP/JSON, with four levels a list, stays within the 128 levels that `serde_json` reads.
const MAX_DEPTH: usize = 30;

impl Limits {
    /// The depth that counts.
    pub(crate) fn depth(&self) -> usize {
        self.attribute_depth.min(MAX_DEPTH)
    }
}

/// Buffers are made for at most so many rows or entries at first; the budget is only known once rows are weighed.
const MAX_PRESIZED: usize = 1 << 17;

/// How many of so many rows or entries to make room for.
pub(crate) fn presized(count: usize) -> usize {
    count.min(MAX_PRESIZED)
}

/// What is left of [`Limits::rows_bytes`].
pub(crate) struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        let limit = limits.rows_bytes.min(MAX_ROWS_BYTES);
        Self { limit, left: limit }
    }

    /// Takes what a row costs whose own and whose group's parts have these sizes.
    pub(crate) fn row(&mut self, record: usize, group: usize) -> Result<(), OtlpError> {
        match self.left.checked_sub(ROW_BYTES + record.saturating_add(group)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(OtlpError::RowsTooLarge { limit: self.limit }),
        }
    }
}
