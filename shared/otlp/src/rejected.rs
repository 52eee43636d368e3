/// Reasons that are kept: enough to find the defect, few enough for an answer.
const MAX_REASONS: usize = 5;

/// Records that were refused while their neighbours were kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// How many log records, spans or points. A metric whose points can't be told counts as one.
    pub count: u64,
    /// Why, for the first few; each names the record's place in the request.
    pub reasons: Vec<String>,
}

impl Rejected {
    /// The reasons as one text; empty when nothing was refused.
    #[must_use]
    pub fn message(&self) -> String {
        let mut message = self.reasons.join("; ");
        if self.reasons.len() == MAX_REASONS && self.count > MAX_REASONS as u64 {
            message.push_str("; and more");
        }
        message
    }

    pub(crate) fn add(&mut self, count: u64, reason: impl FnOnce() -> String) {
        self.count += count;
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(reason());
        }
    }
}
