//! What nothing refers to goes, what something refers to or may still refer to stays.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use icegate_model::{Clock, SystemClock, Table};
use icegate_storage::Root;
use icegate_tables::{Append, FileKey, InWal, IndexGroups, IndexMerge, MIN_ORPHAN_GRACE, Retention, Swept, Tables, TablesError};
use icegate_testkit::{ClockedStore, ManualClock, SeededIds};
use object_store::ObjectStoreExt;

use crate::backends::{dated_process as process, s3_root};
use crate::conformance::{ledger, write_and_commit};
use crate::rows::{NEW_YEAR, log, logs, read_all};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const GRACE: Duration = Duration::from_secs(3 * 24 * 60 * 60);

const RETENTION: Retention = Retention { time: HOUR, snapshots: 1 };

struct Place {
    root: Root,
    store: Arc<ClockedStore>,
    clock: Arc<ManualClock>,
    tables: Tables,
}

fn clocked(root: &Root, clock: &Arc<ManualClock>) -> (Root, Arc<ClockedStore>) {
    let store = Arc::new(ClockedStore::new(Arc::clone(&root.store), Arc::clone(clock) as Arc<dyn Clock>));
    (root.with_store(Arc::clone(&store) as icegate_storage::Store), store)
}

async fn place() -> Place {
    let clock = Arc::new(ManualClock::at(icegate_model::Timestamp::from_micros(NEW_YEAR)));
    let (root, store) = clocked(&Root::memory(), &clock);
    let tables = process(&root, &clock, 1);
    tables.migrate_create(false).await.unwrap();
    Place { root, store, clock, tables }
}

impl Place {
    fn in_wal(&self) -> InWal {
        InWal { at: self.clock.now(), segments: HashMap::new() }
    }

    async fn sweep(&self) -> Swept {
        self.tables.sweep(Table::Logs, RETENTION, GRACE, &self.in_wal(), false).await.unwrap()
    }

    async fn objects(&self) -> BTreeSet<String> {
        let listed = self.root.store.list(Some(&self.root.path("icegate/logs")));
        listed.map_ok(|object| object.location.to_string()).try_collect().await.unwrap()
    }

    async fn commit(&self, name: &str) {
        write_and_commit(&self.tables, &[log("a", "s", NEW_YEAR, name)], ledger(&[name], &[])).await.unwrap();
    }

    /// A shift that writes a file and then dies; its URL's file name.
    async fn crash(&self) -> String {
        let rows = logs(&[log("a", "s", NEW_YEAR, "lost")]);
        let files = self.tables.write_files(Table::Logs, vec![rows], Default::default()).await.unwrap();
        files[0].url().rsplit('/').next().unwrap().to_owned()
    }
}

/// The name of the index object that covers a file.
fn index_of(file: &str) -> String {
    format!("/index/{}.bloom", file.split_once('-').unwrap().0)
}

#[tokio::test]
async fn a_crashed_shifts_file_and_its_index_go_after_the_grace_and_nothing_else_does() {
    let place = place().await;
    place.commit("s1").await;
    let lost = place.crash().await;
    let before = place.objects().await;
    place.clock.advance(GRACE - Duration::from_secs(1));
    assert_eq!(place.sweep().await, Swept::default());
    assert_eq!(place.objects().await, before);

    place.clock.advance(Duration::from_secs(1));
    let swept = place.sweep().await;
    assert_eq!((swept.orphans.len(), swept.removed, swept.failed), (2, 2, 0));
    assert_eq!(swept.removed_bytes, swept.orphans[0].1 + swept.orphans[1].1);
    let gone: Vec<_> = before.difference(&place.objects().await).cloned().collect();
    assert_eq!(gone, swept.orphans.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>());
    assert!(gone[0].ends_with(&lost) && gone[1].ends_with(&index_of(&lost)), "{gone:?}");
    let snapshot = process(&place.root, &place.clock, 2).snapshot(Table::Logs).await.unwrap();
    assert_eq!(read_all(&snapshot).await.len(), 1);
    assert_eq!(place.sweep().await, Swept::default());
}

#[tokio::test]
async fn groups_of_the_index_grow_and_one_that_was_replaced_stays_until_the_list_after_that() {
    let place = place().await;
    let commits = async |from: usize, to: usize| {
        for number in from..to {
            place.commit(&format!("s{number}")).await;
        }
    };
    let merge = async || place.tables.merge_index(Table::Logs).await.unwrap();
    let groups = async || {
        let bytes = place.root.store.get(&place.root.path("icegate/logs/index/groups")).await.unwrap().bytes().await.unwrap();
        IndexGroups::decode(&bytes).unwrap()
    };
    let objects = async || place.objects().await.into_iter().filter(|path| path.contains("/index/")).collect::<Vec<_>>();
    commits(0, 15).await;
    assert_eq!(merge().await, IndexMerge::default(), "too few to be worth it");
    commits(15, 16).await;
    assert_eq!(merge().await, IndexMerge { groups: 1, files: 16 });
    assert_eq!(merge().await, IndexMerge::default(), "nothing is new");
    // 16 objects, a group, the list.
    assert_eq!((groups().await.files(), objects().await.len()), (16, 18));
    commits(16, 40).await;
    assert_eq!(merge().await, IndexMerge { groups: 1, files: 40 }, "the group had room");
    assert_eq!((groups().await.files(), objects().await.len()), (40, 43));
    place.clock.advance(GRACE);
    place.sweep().await;
    assert_eq!(objects().await.len(), 43, "a reader may have the list before");
    commits(40, 60).await;
    assert_eq!(merge().await, IndexMerge { groups: 1, files: 60 });
    place.clock.advance(GRACE);
    place.sweep().await;
    // 60 objects, a group, the one before it, the list.
    assert_eq!(objects().await.len(), 63);
    let listed = groups().await;
    for file in place.tables.snapshot(Table::Logs).await.unwrap().files() {
        let group = listed.of(FileKey::of(&file.path).unwrap()).unwrap();
        assert!(place.root.store.head(&group.path(&place.root.child("icegate").child("logs"))).await.is_ok());
    }
}

#[tokio::test]
async fn a_dry_run_names_the_orphans_and_changes_nothing() {
    let place = place().await;
    let lost = place.crash().await;
    place.clock.advance(GRACE);
    let before = place.objects().await;
    let swept = place.tables.sweep(Table::Logs, RETENTION, GRACE, &place.in_wal(), true).await.unwrap();
    assert_eq!((swept.orphans.len(), swept.removed), (2, 0));
    assert!(swept.orphans[0].0.as_ref().ends_with(&lost));
    assert_eq!(place.objects().await, before);
}

#[tokio::test]
async fn what_an_expiry_left_behind_goes_and_what_retained_snapshots_use_stays() {
    let place = place().await;
    // More manifests than a commit merges, so that merged ones are left behind too.
    for number in 0..103 {
        place.commit(&format!("s{number}")).await;
    }
    place.tables.expire(Table::Logs, RETENTION, &place.in_wal(), false).await.unwrap();
    place.clock.advance(2 * DAY);
    let removed = place.tables.expire(Table::Logs, RETENTION, &place.in_wal(), false).await.unwrap().removed;
    assert_eq!(removed, 103);
    assert_eq!(place.sweep().await, Swept::default());
    place.clock.advance(2 * DAY);
    let swept = place.sweep().await;
    assert_eq!(swept.failed, 0);
    let removed = |part: &str| swept.orphans.iter().filter(|(path, _)| path.as_ref().contains(part)).count();
    // A list and a ledger of each, the hundred merged manifests, and all but the logged hundred of the older metadata.
    assert_eq!((removed("/snap-"), removed("/ledger/"), removed("-m0.avro")), (103, 103, 100));
    assert_eq!((removed("/data/"), removed("/index/"), removed("version-hint")), (0, 0, 0));
    assert_eq!(removed(".metadata.json"), swept.orphans.len() - 306);
    let snapshot = process(&place.root, &place.clock, 2).snapshot(Table::Logs).await.unwrap();
    assert_eq!(read_all(&snapshot).await.len(), 103);
}

#[tokio::test]
async fn more_orphans_than_a_page_holds_are_all_removed_and_one_that_fails_stops_none() {
    const COUNT: usize = 1_205;
    let place = place().await;
    let mut undeletable = Vec::new();
    for number in 0..COUNT {
        let path = place.root.path(&format!("icegate/logs/data/lost/{number}.parquet"));
        place.root.store.put(&path, "x".into()).await.unwrap();
        if number % 400 == 7 {
            // 7, 407 and 807.
            undeletable.push(path);
        }
    }
    place.store.refuse_to_delete(undeletable);
    place.clock.advance(GRACE);
    let swept = place.sweep().await;
    assert_eq!((swept.orphans.len(), swept.removed, swept.failed, swept.removed_bytes), (COUNT, COUNT - 3, 3, 1_202));
    place.store.refuse_to_delete([]);
    let swept = place.sweep().await;
    assert_eq!((swept.removed, swept.failed), (3, 0));
}

#[tokio::test]
async fn no_grace_is_shorter_than_the_least_one() {
    let place = place().await;
    place.crash().await;
    place.clock.advance(MIN_ORPHAN_GRACE - Duration::from_secs(1));
    let swept = place.tables.sweep(Table::Logs, RETENTION, Duration::ZERO, &place.in_wal(), false).await.unwrap();
    assert_eq!(swept, Swept::default());
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(place.tables.sweep(Table::Logs, RETENTION, Duration::ZERO, &place.in_wal(), false).await.unwrap().removed, 2);
}

#[tokio::test]
async fn nothing_is_removed_while_something_that_is_referred_to_can_not_be_read() {
    let place = place().await;
    place.commit("s1").await;
    place.crash().await;
    place.clock.advance(GRACE);
    let manifest = place.objects().await.into_iter().find(|path| path.ends_with("-m0.avro")).unwrap();
    place.root.store.put(&manifest.as_str().into(), "garbage".into()).await.unwrap();
    let before = place.objects().await;
    let error = place.tables.sweep(Table::Logs, RETENTION, GRACE, &place.in_wal(), false).await.unwrap_err();
    assert!(matches!(error, TablesError::Corrupt { .. }), "{error}");
    assert_eq!(place.objects().await, before);
}

#[tokio::test]
async fn a_commit_that_was_checked_before_the_sweep_is_refused_after_it() {
    let place = place().await;
    place.commit("s1").await;
    let rows = logs(&[log("a", "s", NEW_YEAR, "frozen")]);
    let files = place.tables.write_files(Table::Logs, vec![rows], Default::default()).await.unwrap();
    place.clock.advance(GRACE);
    assert_eq!(place.sweep().await.removed, 2);
    let error = place.tables.commit(Table::Logs, Append { files, ledger: ledger(&["s2"], &[]) }).await.unwrap_err();
    assert!(matches!(error, TablesError::TooLate { .. }), "{error}");
    assert_eq!(place.tables.snapshot(Table::Logs).await.unwrap().total_rows(), 1);
}

#[tokio::test]
async fn a_process_that_was_frozen_before_its_swap_for_days_does_not_commit_files_that_were_removed() {
    let place = place().await;
    place.commit("s1").await;
    let (root, store) = clocked(&place.root, &place.clock);
    let frozen = process(&root, &place.clock, 2);
    let rows = logs(&[log("a", "s", NEW_YEAR, "frozen")]);
    let files = frozen.write_files(Table::Logs, vec![rows], Default::default()).await.unwrap();
    let ice = store.creations.lock().await;
    let commit = tokio::spawn(async move { frozen.commit(Table::Logs, Append { files, ledger: ledger(&["s2"], &[]) }).await });
    while store.creators() == 0 {
        tokio::task::yield_now().await;
    }
    place.clock.advance(GRACE);
    // Its data file, index, manifest, manifest list and ledger: nobody has committed since, so nothing but the sweep stands in its way.
    assert_eq!(place.sweep().await.removed, 5);
    drop(ice);
    let error = commit.await.unwrap().unwrap_err();
    assert!(matches!(error, TablesError::TooLate { .. }), "{error}");
    let snapshot = process(&place.root, &place.clock, 3).snapshot(Table::Logs).await.unwrap();
    assert_eq!(read_all(&snapshot).await.len(), 1);
}

#[tokio::test]
async fn a_sweep_that_removes_something_replaces_the_newest_snapshot_first() {
    let place = place().await;
    place.commit("s1").await;
    place.crash().await;
    let before = place.tables.snapshot(Table::Logs).await.unwrap();
    place.clock.advance(GRACE);
    place.sweep().await;
    let after = place.tables.snapshot(Table::Logs).await.unwrap();
    // A swap that was planned on the one before fails on every catalog.
    assert_ne!(after.id(), before.id());
    assert_eq!(after.total_rows(), 1);
    place.sweep().await;
    assert_eq!(place.tables.snapshot(Table::Logs).await.unwrap().id(), after.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_server_of_s3s_protocol_orphans_of_several_pages_go_and_what_is_in_use_stays() {
    const COUNT: usize = 1_105;
    let Some(root) = s3_root("orphans::on_a_server_of_s3s_protocol") else { return };
    let tables = Tables::object_store(root.clone(), Arc::new(SystemClock), Arc::new(SeededIds::new(1)));
    tables.migrate_create(false).await.unwrap();
    write_and_commit(&tables, &[log("a", "s", NEW_YEAR, "kept")], ledger(&["s1"], &[])).await.unwrap();
    let rows = logs(&[log("a", "s", NEW_YEAR, "lost")]);
    drop(tables.write_files(Table::Logs, vec![rows], Default::default()).await.unwrap());
    let strays = (0..COUNT).map(|number| root.path(&format!("icegate/logs/data/lost/{number} ~.parquet")));
    let puts = strays.map(|path| {
        let store = &root.store;
        async move { store.put(&path, "x".into()).await.map(drop) }
    });
    futures::stream::iter(puts).buffer_unordered(16).try_collect::<Vec<()>>().await.unwrap();
    let now = tables.ask_time(Table::Logs).await.unwrap();
    let at = |at| InWal { at, segments: HashMap::new() };
    let young = tables.sweep(Table::Logs, RETENTION, GRACE, &at(now), false).await.unwrap();
    assert_eq!(young, Swept::default(), "by the server's clock all of it is young");
    let swept = tables.sweep(Table::Logs, RETENTION, GRACE, &at(now + GRACE + HOUR), false).await.unwrap();
    assert_eq!((swept.orphans.len(), swept.removed, swept.failed), (COUNT + 2, COUNT + 2, 0));
    let other = Tables::object_store(root.clone(), Arc::new(SystemClock), Arc::new(SeededIds::new(2)));
    assert_eq!(read_all(&other.snapshot(Table::Logs).await.unwrap()).await.len(), 1);
    let listed: Vec<_> = root.store.list(Some(&root.path("icegate/logs/data"))).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
}

/// A shifter of a machine whose clock was set back while it worked: by its clock no time has passed.
#[tokio::test]
async fn a_commit_whose_clock_was_set_back_is_refused_by_the_stores_clock() {
    let place = place().await;
    place.commit("s1").await;
    let wrong = Arc::new(ManualClock::at(place.clock.now() + DAY));
    let tables = process(&place.root, &wrong, 2);
    let rows = logs(&[log("a", "s", NEW_YEAR, "late")]);
    let files = tables.write_files(Table::Logs, vec![rows], Default::default()).await.unwrap();
    place.clock.advance(GRACE);
    let error = tables.commit(Table::Logs, Append { files, ledger: ledger(&["s2"], &[]) }).await.unwrap_err();
    assert!(matches!(error, TablesError::TooLate { .. }), "{error}");
    assert_eq!(place.sweep().await.removed, 2, "its file and that one's index; what the attempt itself wrote is young");
}

#[tokio::test]
async fn a_commit_of_a_clock_that_is_a_day_off_is_dated_by_the_store() {
    let place = place().await;
    for (seed, wrong) in [(2, place.clock.now() + DAY), (3, place.clock.now() - DAY)] {
        let tables = process(&place.root, &Arc::new(ManualClock::at(wrong)), seed);
        let name = format!("s{seed}");
        let committed = write_and_commit(&tables, &[log("a", "s", NEW_YEAR, "x")], ledger(&[&name], &[])).await.unwrap();
        assert_eq!(committed.at, place.clock.now());
        assert_eq!(tables.time(Table::Logs).await.unwrap(), place.clock.now());
    }
    // One that differs by less is believed.
    let near = Arc::new(ManualClock::at(place.clock.now() + Duration::from_secs(600)));
    let tables = process(&place.root, &near, 4);
    let committed = write_and_commit(&tables, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s4"], &[])).await.unwrap();
    assert_eq!(committed.at, near.now());
}
