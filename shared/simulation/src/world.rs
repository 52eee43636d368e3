use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use icegate_storage::Root;
use icegate_testkit::{ClockedStore, Dice};
use icegate_wal::Writer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::audit::Auditor;
use crate::ledger_of_truth::Truth;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::turns::Turns;
use crate::virtual_clock::VirtualClock;

/// An ingester that takes requests, and what says that it is dead.
pub(crate) type Ingester = (Writer, CancellationToken);

/// What all processes of a run share: the store itself, and the judge's books.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) scenario: Scenario,
    pub(crate) turns: Turns,
    /// The store, without a network before it.
    pub(crate) root: Root,
    pub(crate) auditor: Auditor,
    /// Set when something that must hold did not.
    pub(crate) over: CancellationToken,
    truth: Mutex<Truth>,
    trace: Mutex<Trace>,
    report: Mutex<Report>,
    violation: Mutex<Option<String>>,
    ingesters: Mutex<Vec<Option<Ingester>>>,
    /// Names of damaged segments.
    spoilt: Mutex<BTreeSet<String>>,
    calm: AtomicBool,
    print: bool,
}

impl World {
    pub(crate) fn new(seed: u64, print: bool) -> Arc<Self> {
        let scenario = Scenario::of(seed);
        let turns = Turns::new(Instant::now());
        // Objects are as old as the run's time says.
        let clock = Arc::new(VirtualClock::new(turns.began()));
        let root = Root::memory();
        let root = root.with_store(Arc::new(ClockedStore::new(Arc::clone(&root.store), clock)));
        Arc::new(Self {
            seed,
            auditor: Auditor::new(&root, turns.began()),
            turns,
            root,
            over: CancellationToken::new(),
            truth: Mutex::default(),
            trace: Mutex::default(),
            report: Mutex::default(),
            violation: Mutex::default(),
            ingesters: Mutex::new(vec![None; scenario.ingesters]),
            spoilt: Mutex::default(),
            calm: AtomicBool::new(false),
            print,
            scenario,
        })
    }

    /// Dice of a part of the run.
    pub(crate) fn dice(&self, part: &str) -> Dice {
        Dice::new(self.seed).part(part)
    }

    pub(crate) fn truth(&self) -> MutexGuard<'_, Truth> {
        locked(&self.truth)
    }

    pub(crate) fn note(&self, who: &str, what: &str) {
        let at = self.turns.now();
        let mut trace = locked(&self.trace);
        let line = trace.add(at, who, what);
        if self.print {
            eprint!("{line}");
        }
    }

    pub(crate) fn count(&self, name: impl Into<String>) {
        self.count_many(name, 1);
    }

    pub(crate) fn count_many(&self, name: impl Into<String>, count: u64) {
        locked(&self.report).add(name, count);
    }

    /// Ends the run: something that must hold does not.
    pub(crate) fn violate(&self, what: String) {
        self.note("judge", &what);
        locked(&self.violation).get_or_insert(what);
        self.over.cancel();
    }

    pub(crate) fn violation(&self) -> Option<String> {
        locked(&self.violation).clone()
    }

    /// No further faults, kills or new work.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    pub(crate) fn spoil(&self, segment: String) {
        locked(&self.spoilt).insert(segment);
    }

    pub(crate) fn is_spoilt(&self, segment: &str) -> bool {
        locked(&self.spoilt).contains(segment)
    }

    pub(crate) fn ingester(&self, number: usize) -> Option<Ingester> {
        locked(&self.ingesters)[number].clone()
    }

    pub(crate) fn set_ingester(&self, number: usize, ingester: Option<Ingester>) {
        locked(&self.ingesters)[number] = ingester;
    }

    /// The run's books, when it is over.
    pub(crate) fn close(&self) -> (Report, String) {
        let trace = locked(&self.trace);
        let mut report = locked(&self.report).clone();
        report.add("steps", trace.steps());
        (report, trace.text().to_owned())
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("seed", &self.seed).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
