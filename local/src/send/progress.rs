use indicatif::{ProgressBar, ProgressStyle};

/// The bar on standard error; hidden where that isn't a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    of_bytes: bool,
}

impl Progress {
    /// Of so many requests.
    pub(crate) fn of_requests(total: u64) -> Self {
        Self::new(ProgressBar::new(total), "{wide_bar} {pos}/{len} requests {per_sec} {eta}", false)
    }

    /// Through a file of so many bytes.
    pub(crate) fn of_bytes(total: u64) -> Self {
        Self::new(ProgressBar::new(total), "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}", true)
    }

    /// Without an end.
    pub(crate) fn endless() -> Self {
        Self::new(ProgressBar::new_spinner(), "{spinner} {pos} requests {per_sec} {elapsed}", false)
    }

    fn new(bar: ProgressBar, template: &str, of_bytes: bool) -> Self {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: bar.with_style(style), of_bytes }
    }

    /// A request is done that took so many bytes of the file.
    pub(crate) fn request(&self, bytes: u64) {
        self.bar.inc(if self.of_bytes { bytes } else { 1 });
    }

    /// Takes the bar away, so that the summary stands alone.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
