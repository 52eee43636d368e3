//! What is logged, line by line.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once};

use serde_json::Value;
use tracing_subscriber::EnvFilter;

thread_local! {
    static OF_THIS_THREAD: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// Everything that this thread logs while it is held, as the functions log it.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

/// Ends the keeping of lines.
pub(crate) struct Guard;

impl Lines {
    pub(crate) fn start() -> (Self, Guard) {
        // One subscriber for all tests: which lines are wanted is remembered for the whole process.
        static START: Once = Once::new();
        START.call_once(|| {
            let filter = EnvFilter::new(format!("info,{}=debug", icegate_model::TRAIL));
            let lines = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
            lines.with_writer(|| OfThisThread).init();
        });
        let lines = Self::default();
        OF_THIS_THREAD.set(Some(lines.clone()));
        (lines, Guard)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines with this message.
    pub(crate) fn of(&self, message: &str) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["message"] == message).collect()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        OF_THIS_THREAD.set(None);
    }
}

struct OfThisThread;

impl io::Write for OfThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        OF_THIS_THREAD.with_borrow(|lines| {
            if let Some(lines) = lines {
                lines.0.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
