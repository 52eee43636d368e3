use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::SendError;

/// The file that says which requests were acknowledged, for comparing with what a server has after a crash.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// Opens the file for appending, makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, SendError> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let file = opened.map_err(|source| SendError::Journal { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Adds the line of an acknowledged request: its number and the rows that the server accepted.
    pub(crate) fn acked(&self, request: u64, rows: u64) -> Result<(), SendError> {
        // One unbuffered write a line: a line that is there is whole, also after this process is killed.
        let line = format!("{request} {rows} acked\n");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes()).map_err(|source| SendError::Journal { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_in_the_file_at_once_and_earlier_ones_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        Journal::open(&path).unwrap().acked(0, 5).unwrap();
        let again = Journal::open(&path).unwrap();
        again.acked(12, 3).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "0 5 acked\n12 3 acked\n");
    }
}
