use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::report::Report;
use crate::run::{Failure, run};

/// Runs seeds `first` to `first + count - 1` on all processors.
///
/// # Errors
/// The [`Failure`] of the lowest seed that has one.
///
/// # Panics
/// If a run panics.
pub fn run_seeds(first: u64, count: u64) -> Result<Report, Failure> {
    let next = AtomicU64::new(first);
    let total = Mutex::new((Report::default(), None::<Failure>));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= first + count || total.lock().unwrap().1.is_some() {
                return;
            }
            let result = run(seed, false);
            let mut total = total.lock().unwrap();
            total.0.add("seeds", 1);
            match result {
                Ok(report) => total.0.merge(&report),
                Err(failure) if total.1.as_ref().is_none_or(|known| failure.seed < known.seed) => total.1 = Some(failure),
                Err(_) => {}
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    match total.into_inner().unwrap() {
        (_, Some(failure)) => Err(failure),
        (report, None) => Ok(report),
    }
}
