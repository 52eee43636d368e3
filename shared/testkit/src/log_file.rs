//! What a process writes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Stdio;

/// A file that a process writes its output to. Unlike a pipe that somebody has to empty, it has all that was written before an answer by
/// the time that the answer is here.
#[derive(Debug)]
pub struct LogFile(File);

impl LogFile {
    /// An empty one, which is gone with this.
    ///
    /// # Panics
    /// Where it can't be made.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "making a file is no default")]
    pub fn new() -> Self {
        Self(tempfile::tempfile().unwrap_or_else(|error| panic!("no file for a log: {error}")))
    }

    /// For the output of a process; several may write to one.
    ///
    /// # Panics
    /// Where there are no more files.
    #[must_use]
    pub fn stdio(&self) -> Stdio {
        self.0.try_clone().unwrap_or_else(|error| panic!("no file for a log: {error}")).into()
    }

    /// What was written so far.
    ///
    /// # Panics
    /// Where it can't be read.
    #[must_use]
    pub fn text(&self) -> String {
        // By its position: who writes shares the file's cursor.
        let mut bytes = vec![0; self.0.metadata().map_or(0, |about| usize::try_from(about.len()).unwrap_or_default())];
        self.0.read_exact_at(&mut bytes, 0).unwrap_or_else(|error| panic!("no log: {error}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
