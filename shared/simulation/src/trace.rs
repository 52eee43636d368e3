/// What happened, a line an event. Two runs of a seed have the same bytes here.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    text: String,
    steps: u64,
}

impl Trace {
    /// Adds a line and returns it.
    pub(crate) fn add(&mut self, at: u64, who: &str, what: &str) -> &str {
        self.steps += 1;
        let start = self.text.len();
        self.text += &format!("{:>8}.{:03} {who:<12} {what}\n", at / 1_000, at % 1_000);
        &self.text[start..]
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
