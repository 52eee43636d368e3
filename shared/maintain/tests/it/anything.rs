//! Random sequences of commits, crashes, stalls, readers, maintenance and time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, RequestId, Table, Timestamp};
use icegate_tables::{Append, FileKey, LONGEST_COMMIT, Snapshot, TablesError, WrittenFile};
use object_store::ObjectStoreExt;
use proptest::prelude::*;

use crate::lake::{GRACE, HOUR, Lake, RETENTION, ledger};

#[derive(Clone, Debug)]
enum Step {
    /// A shift from end to end.
    Commit,
    /// A shift that dies after its files.
    Crash,
    /// A shift that has written its files and waits.
    Stall,
    /// The one that has waited longest goes on.
    Wake,
    /// A query plans.
    Open,
    /// The oldest query reads all that it planned on.
    Read,
    /// Time passes, minutes.
    Pass(u64),
    Maintain,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Commit),
        2 => Just(Step::Crash),
        2 => Just(Step::Stall),
        2 => Just(Step::Wake),
        2 => Just(Step::Open),
        2 => Just(Step::Read),
        4 => (1_u64..90).prop_map(Step::Pass),
        1 => (90_u64..3_000).prop_map(Step::Pass),
        5 => Just(Step::Maintain),
    ];
    prop::collection::vec(step, 20..60)
}

struct World {
    lake: Lake,
    next: u64,
    committed: BTreeMap<u64, Timestamp>,
    stalled: VecDeque<(u64, Timestamp, Vec<WrittenFile>)>,
    readers: VecDeque<(Timestamp, Arc<Snapshot>)>,
}

impl World {
    async fn step(&mut self, step: Step) {
        match step {
            Step::Commit => {
                let files = self.lake.write().await;
                let number = self.number();
                self.commit(number, files).await.unwrap();
            }
            Step::Crash => drop(self.lake.write().await),
            Step::Stall => {
                let (number, now) = (self.number(), self.lake.clock.now());
                let files = self.lake.write().await;
                self.stalled.push_back((number, now, files));
            }
            Step::Wake => {
                let Some((number, since, files)) = self.stalled.pop_front() else { return };
                let in_time = self.lake.clock.now().since(since) <= LONGEST_COMMIT;
                match self.commit(number, files).await {
                    Ok(()) => assert!(in_time),
                    Err(error) => assert!(!in_time && matches!(error, TablesError::TooLate { .. }), "{error}"),
                }
            }
            Step::Open => {
                let snapshot = self.lake.fresh(self.next + 1_000).snapshot(Table::Logs).await.unwrap();
                self.readers.push_back((self.lake.clock.now(), snapshot));
            }
            Step::Read => {
                let Some((opened, snapshot)) = self.readers.pop_front() else { return };
                if self.lake.clock.now().since(opened) <= RETENTION {
                    self.all_there(&snapshot).await;
                }
            }
            Step::Pass(minutes) => self.lake.clock.advance(Duration::from_secs(60 * minutes)),
            Step::Maintain => {
                let report = self.lake.maintainer().maintain(Table::Logs, false).await.unwrap();
                assert_eq!(report.swept.failed, 0);
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    async fn commit(&mut self, number: u64, files: Vec<WrittenFile>) -> Result<(), TablesError> {
        let committed = self.lake.tables.commit(Table::Logs, Append { files, ledger: ledger(number) }).await?;
        self.committed.insert(number, committed.at);
        Ok(())
    }

    async fn all_there(&self, snapshot: &Snapshot) {
        for file in snapshot.files() {
            self.lake.root.store.head(&file.path).await.unwrap();
        }
    }

    /// What must hold at any moment, seen by a process that has just started.
    async fn check(&self) {
        let now = self.lake.clock.now();
        for (path, age) in self.lake.store.take_deleted() {
            // The catalog itself removes metadata that its log has forgotten.
            assert!(age >= GRACE || path.as_ref().ends_with(".metadata.json"), "{path} was removed after {age:?}");
        }
        let snapshot = self.lake.fresh(9).snapshot(Table::Logs).await.unwrap();
        assert_eq!((snapshot.total_rows(), snapshot.files().len()), (self.committed.len() as u64, self.committed.len()));
        self.all_there(&snapshot).await;
        for (number, at) in self.committed.iter().filter(|(_, at)| now.since(**at) <= 24 * HOUR) {
            assert_eq!(snapshot.shifted().segment(&format!("s{number}")), Some(*at));
            assert_eq!(snapshot.shifted().request(RequestId(u128::from(*number))), Some(*at));
        }
        self.metadata_is_whole(&snapshot).await;
    }

    /// Every object that the newest metadata names is there.
    async fn metadata_is_whole(&self, snapshot: &Snapshot) {
        let root = self.lake.root.child("warehouse");
        let path = |url: &str| root.path_of_url(url).unwrap();
        let bytes = root.store.get(&path(snapshot.metadata_location())).await.unwrap().bytes().await.unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let snapshots = metadata["snapshots"].as_array().cloned().unwrap_or_default();
        let named = snapshots.iter().flat_map(|snapshot| [&snapshot["manifest-list"], &snapshot["summary"]["icegate.ledger"]]);
        for url in named {
            root.store.head(&path(url.as_str().unwrap())).await.unwrap();
        }
    }

    /// With all shifters and readers gone for long, nothing is left that nobody needs.
    async fn settles(&self) {
        for _ in 0..2 {
            self.lake.clock.advance(GRACE + HOUR);
            self.lake.maintainer().maintain(Table::Logs, false).await.unwrap();
        }
        let snapshot = self.lake.fresh(9).snapshot(Table::Logs).await.unwrap();
        let live: BTreeSet<_> = snapshot.files().iter().map(|file| file.path.to_string()).collect();
        let stored: BTreeSet<_> = self.lake.objects().await.into_iter().filter(|path| path.contains("/data/")).collect();
        assert_eq!(stored, live);
        let root = snapshot.root();
        let index: BTreeSet<_> = snapshot
            .files()
            .iter()
            .filter_map(|file| FileKey::of(&file.path))
            .map(|key| key.index_path(root).to_string())
            .collect();
        assert_eq!(index.len(), live.len());
        for path in index {
            root.store.head(&path.into()).await.unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_young_or_in_use_is_removed_and_the_rest_is(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (committed, stalled, readers) = (BTreeMap::new(), VecDeque::new(), VecDeque::new());
            let mut world = World { lake: Lake::new().await, next: 0, committed, stalled, readers };
            for step in steps {
                world.step(step).await;
                world.check().await;
            }
            world.settles().await;
        });
    }
}
