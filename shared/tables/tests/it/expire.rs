//! Snapshots go, ledgers stay: on every catalog backend.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, ErrorKind, RequestId, Table, Timestamp};
use icegate_tables::{Append, Expired, InWal, LONGEST_COMMIT, Ledger, Retention, Tables, TablesError};
use object_store::ObjectStoreExt;

use crate::backends::{Bench, on_files, process};
use crate::conformance::{ledger, on_every_backend, write_and_commit};
use crate::rows::{NEW_YEAR, log, read_all};

const HOUR: Duration = Duration::from_secs(60 * 60);
const RETENTION: Retention = Retention { time: HOUR, snapshots: 2 };

fn nothing_in_wal(clock: &dyn Clock) -> InWal {
    InWal { at: clock.now(), segments: HashMap::new() }
}

async fn expire(bench: &Bench) -> Expired {
    bench.tables.expire(Table::Logs, RETENTION, &nothing_in_wal(bench.clock.as_ref()), false).await.unwrap()
}

async fn commit_segment(tables: &Tables, name: &str, requests: &[u128]) {
    let rows = [log("a", "s", NEW_YEAR, name)];
    write_and_commit(tables, &rows, ledger(&[name], requests)).await.unwrap();
}

/// Five commits, a checkpoint over them, and two hours later their removal.
async fn five_commits_expired(bench: &Bench) {
    for number in 0..5 {
        commit_segment(&bench.tables, &format!("s{number}"), &[number]).await;
    }
    assert_eq!(expire(bench).await, Expired { removed: 0, kept: 6, checkpoint: true });
    commit_segment(&bench.tables, "after", &[]).await;
    bench.clock.advance(2 * HOUR);
    // The checkpoint, the commit after it and the checkpoint of now.
    assert_eq!(expire(bench).await, Expired { removed: 5, kept: 3, checkpoint: true });
}

on_every_backend!(
    @with_history
    snapshots_behind_a_checkpoint_that_is_old_enough_are_removed_and_no_row_is,
    a_segment_and_a_request_of_a_removed_snapshot_are_refused,
    a_committer_that_compared_before_the_expiry_compares_the_checkpoint_too,
    what_is_older_than_the_horizon_is_forgotten_unless_it_is_in_the_wal,
    a_retry_that_waited_in_the_wal_is_recognised_by_the_request_that_it_repeats,
    an_idle_table_is_left_alone_and_a_dry_run_changes_nothing,
    expiries_and_commits_at_once_lose_nothing,
    a_commit_that_took_too_long_is_refused,
);

// What needs no old snapshot holds on a REST server too.
on_every_backend!(
    @module rest,
    crate::backends::on_rest,
    a_committer_that_compared_before_the_expiry_compares_the_checkpoint_too,
    expiries_and_commits_at_once_lose_nothing
);

async fn snapshots_behind_a_checkpoint_that_is_old_enough_are_removed_and_no_row_is(bench: Bench) {
    five_commits_expired(&bench).await;
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!((snapshot.total_rows(), snapshot.files().len()), (6, 6));
    assert_eq!(read_all(&snapshot).await.len(), 6);
    let mut segments: Vec<_> = snapshot.shifted().segments().map(|(name, _)| name.to_owned()).collect();
    segments.sort();
    assert_eq!(segments, ["after", "s0", "s1", "s2", "s3", "s4"]);
    // The time is the commit's, not the checkpoint's: a segment is deleted by it.
    assert_eq!(snapshot.shifted().segment("s4"), Some(Timestamp::from_micros(NEW_YEAR)));
    assert_eq!(snapshot.shifted().request(RequestId(3)), Some(Timestamp::from_micros(NEW_YEAR)));
}

async fn a_segment_and_a_request_of_a_removed_snapshot_are_refused(bench: Bench) {
    five_commits_expired(&bench).await;
    let rows = [log("a", "s", NEW_YEAR, "again")];
    for again in [ledger(&["s2"], &[]), ledger(&["new"], &[2]), ledger(&["s4", "new"], &[4, 99])] {
        let error = write_and_commit(&bench.tables, &rows, again).await.unwrap_err();
        assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
    }
    // Nearly a day after the commit a request is still known, after one more checkpoint took it over.
    bench.clock.advance(21 * HOUR);
    commit_segment(&bench.tables, "later", &[]).await;
    assert!(expire(&bench).await.checkpoint);
    let error = write_and_commit(&bench.tables, &rows, ledger(&["other"], &[0])).await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
    assert_eq!(bench.tables.snapshot(Table::Logs).await.unwrap().total_rows(), 7);
}

async fn a_committer_that_compared_before_the_expiry_compares_the_checkpoint_too(bench: Bench) {
    // Another shifter and an expiry come between the attempts of many commits of the same segment.
    let mut commits = Vec::new();
    for _ in 0..4 {
        let tables = Arc::clone(&bench.tables);
        commits.push(tokio::spawn(async move {
            write_and_commit(&tables, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s1"], &[1])).await
        }));
        let (tables, in_wal) = (Arc::clone(&bench.tables), nothing_in_wal(bench.clock.as_ref()));
        let keep_one = Retention { time: HOUR, snapshots: 1 };
        tokio::spawn(async move { tables.expire(Table::Logs, keep_one, &in_wal, false).await.unwrap() });
    }
    let mut landed = 0;
    for commit in commits {
        match commit.await.unwrap() {
            Ok(_) => landed += 1,
            Err(error) => assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}"),
        }
    }
    assert_eq!(landed, 1);
    assert_eq!(bench.tables.snapshot(Table::Logs).await.unwrap().total_rows(), 1);
}

async fn what_is_older_than_the_horizon_is_forgotten_unless_it_is_in_the_wal(bench: Bench) {
    let Bench { tables, clock, .. } = &bench;
    five_commits_expired(&bench).await;
    let made = clock.now() - 2 * HOUR;
    clock.advance(24 * HOUR);
    commit_segment(tables, "later", &[]).await;
    let in_wal = InWal { at: clock.now(), segments: HashMap::from([("s1".to_owned(), made)]) };
    assert!(tables.expire(Table::Logs, RETENTION, &in_wal, false).await.unwrap().checkpoint);
    let known = |snapshot: &icegate_tables::Snapshot, name| snapshot.shifted().contains(name);
    let snapshot = tables.snapshot_since(Table::Logs, made).await.unwrap();
    assert!(known(&snapshot, "s1") && known(&snapshot, "later"));
    assert!(!known(&snapshot, "s0"));
    let again = Ledger { oldest: Some(made), ..ledger(&["s1"], &[]) };
    let error = write_and_commit(tables, &[log("a", "s", 0, "x")], again).await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
    // Deleted from the WAL, it is forgotten too.
    commit_segment(tables, "last", &[]).await;
    assert!(expire(&bench).await.checkpoint);
    assert!(!known(&tables.snapshot_since(Table::Logs, made).await.unwrap(), "s1"));
}

async fn a_retry_that_waited_in_the_wal_is_recognised_by_the_request_that_it_repeats(bench: Bench) {
    let Bench { tables, clock, .. } = &bench;
    commit_segment(tables, "first", &[7]).await;
    clock.advance(23 * HOUR);
    // The same request again, within the horizon; the shift then stands still for a day and a half.
    let retried = clock.now();
    clock.advance(36 * HOUR);
    commit_segment(tables, "other", &[]).await;
    commit_segment(tables, "another", &[]).await;
    let in_wal = InWal { at: clock.now(), segments: HashMap::from([("retry".to_owned(), retried)]) };
    assert!(tables.expire(Table::Logs, RETENTION, &in_wal, false).await.unwrap().checkpoint);
    let snapshot = tables.snapshot_since(Table::Logs, retried).await.unwrap();
    assert_eq!(snapshot.shifted().request(RequestId(7)), Some(Timestamp::from_micros(NEW_YEAR)));
    let retry = Ledger { oldest: Some(retried), ..ledger(&["retry"], &[7]) };
    let error = write_and_commit(tables, &[log("a", "s", 0, "x")], retry).await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
}

async fn an_idle_table_is_left_alone_and_a_dry_run_changes_nothing(bench: Bench) {
    let Bench { tables, clock, .. } = &bench;
    let location = |snapshot: Arc<icegate_tables::Snapshot>| snapshot.metadata_location().to_owned();
    let empty = location(tables.snapshot(Table::Logs).await.unwrap());
    assert_eq!(expire(&bench).await, Expired::default());
    assert_eq!(location(tables.snapshot(Table::Logs).await.unwrap()), empty);

    for number in 0..5 {
        commit_segment(tables, &format!("s{number}"), &[]).await;
    }
    let before = location(tables.snapshot(Table::Logs).await.unwrap());
    let dry = tables.expire(Table::Logs, RETENTION, &nothing_in_wal(clock.as_ref()), true).await.unwrap();
    assert_eq!(dry, Expired { removed: 0, kept: 6, checkpoint: true });
    assert_eq!(location(tables.snapshot(Table::Logs).await.unwrap()), before);

    expire(&bench).await;
    clock.advance(2 * HOUR);
    // The checkpoint is the newest; two snapshots are to stay, so one in front of it is missing.
    assert_eq!(expire(&bench).await, Expired { removed: 0, kept: 6, checkpoint: false });
    let keep_one = Retention { snapshots: 1, ..RETENTION };
    let expired = tables.expire(Table::Logs, keep_one, &nothing_in_wal(clock.as_ref()), false).await.unwrap();
    assert_eq!(expired, Expired { removed: 5, kept: 1, checkpoint: false });
    let idle = location(tables.snapshot(Table::Logs).await.unwrap());
    clock.advance(48 * HOUR);
    assert_eq!(expire(&bench).await, Expired { removed: 0, kept: 1, checkpoint: false });
    assert_eq!(location(tables.snapshot(Table::Logs).await.unwrap()), idle);
    assert_eq!(tables.snapshot(Table::Logs).await.unwrap().total_rows(), 5);
}

/// Commits one row again and again until it is acknowledged or somebody else has the segment. `true` where it is acknowledged.
async fn persist(tables: &Tables, name: &str, requests: &[u128]) -> bool {
    loop {
        match write_and_commit(tables, &[log("a", "s", NEW_YEAR, name)], ledger(&[name], requests)).await {
            Ok(_) => return true,
            Err(TablesError::AlreadyShifted { .. }) => return false,
            // Others move the clock on, and the table, as fast as they can.
            Err(TablesError::TooLate { .. } | TablesError::Contended { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn expiries_and_commits_at_once_lose_nothing(bench: Bench) {
    const COMMITS: u64 = 10;
    let mut committers = Vec::new();
    for committer in 0..4 {
        let (tables, clock) = (Arc::clone(&bench.tables), Arc::clone(&bench.clock));
        committers.push(tokio::spawn(async move {
            let mut shared = 0;
            for number in 0..COMMITS {
                // All four want the first one; one of them gets it.
                shared += usize::from(persist(&tables, &format!("shared-{number}"), &[]).await);
                let request = committer * 1000 + u128::from(number);
                assert!(persist(&tables, &format!("{committer}-{number}"), &[request]).await);
                clock.advance(Duration::from_secs(120));
            }
            shared
        }));
    }
    let mut expiries = Vec::new();
    for _ in 0..2 {
        let (tables, clock) = (Arc::clone(&bench.tables), Arc::clone(&bench.clock));
        expiries.push(tokio::spawn(async move {
            for _ in 0..10 {
                let in_wal = nothing_in_wal(clock.as_ref());
                match tables.expire(Table::Logs, RETENTION, &in_wal, false).await {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
                tokio::task::yield_now().await;
            }
        }));
    }
    let mut shared = 0;
    for committer in committers {
        shared += committer.await.unwrap();
    }
    for expiry in expiries {
        expiry.await.unwrap();
    }
    assert_eq!(shared, 10);
    bench.clock.advance(2 * HOUR);
    expire(&bench).await;
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    // 4 × 10 of their own and 10 that one of the four got.
    assert_eq!(snapshot.total_rows(), 50);
    assert_eq!(snapshot.shifted().segments().count(), 50);
    assert_eq!(snapshot.shifted().requests().count(), 40);
}

async fn a_commit_that_took_too_long_is_refused(bench: Bench) {
    let Bench { tables, clock, .. } = &bench;
    let rows = crate::rows::logs(&[log("a", "s", NEW_YEAR, "x")]);
    let files = tables.write_files(Table::Logs, vec![rows], Default::default()).await.unwrap();
    let planned = clock.now();
    clock.advance(LONGEST_COMMIT + Duration::from_secs(1));
    let late = tables.commit(Table::Logs, Append { files, ledger: ledger(&["s1"], &[]) }).await.unwrap_err();
    assert_eq!(late.to_string(), "table icegate.logs: the commit was planned 3601s ago, the limit is 3600s");
    assert_eq!(late.kind(), ErrorKind::Unavailable);
    // The same for a plan without files.
    let ledger = Ledger { at: planned, ..ledger(&["s1"], &[]) };
    let late = tables.commit(Table::Logs, Append { files: Vec::new(), ledger }).await.unwrap_err();
    assert!(matches!(late, TablesError::TooLate { .. }), "{late}");
    assert_eq!(tables.snapshot(Table::Logs).await.unwrap().id(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_stays_small_over_five_hundred_commits() {
    let bench = on_files().await;
    let Bench { tables, clock, root, .. } = &bench;
    let mut largest = 0;
    for number in 0..500 {
        tables
            .commit(Table::Logs, Append { files: Vec::new(), ledger: ledger(&[&format!("s{number}")], &[number]) })
            .await
            .unwrap();
        clock.advance(Duration::from_secs(30));
        if number % 60 == 59 {
            expire(&bench).await;
        }
        let location = tables.snapshot(Table::Logs).await.unwrap().metadata_location().to_owned();
        let size = root.store.head(&root.path_of_url(&location).unwrap()).await.unwrap().size;
        largest = largest.max(size);
    }
    let snapshots = expire(&bench).await.kept;
    eprintln!(
        "500 commits, one each 30 s, an expiry each 30 minutes: {snapshots} snapshots at the end, metadata at most {largest} bytes"
    );
    // An hour of retention and as much again until the next checkpoint is that old: 240 snapshots, of about 700 bytes.
    assert!(snapshots <= 240, "{snapshots}");
    assert!(largest < 300_000, "{largest}");
    // Another process knows them all from the checkpoint.
    let other = process(root, clock, 9);
    assert_eq!(other.snapshot(Table::Logs).await.unwrap().shifted().segments().count(), 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_a_tag_names_stays() {
    let bench = on_files().await;
    for number in 0..5 {
        commit_segment(&bench.tables, &format!("s{number}"), &[]).await;
    }
    let Bench { root, clock, .. } = &bench;
    let path = root.path("icegate/logs/metadata/v6.metadata.json");
    let mut metadata: serde_json::Value =
        serde_json::from_slice(&root.store.get(&path).await.unwrap().bytes().await.unwrap()).unwrap();
    let tagged = metadata["snapshots"][2]["snapshot-id"].as_i64().unwrap();
    metadata["refs"]["audit"] = serde_json::json!({"snapshot-id": tagged, "type": "tag"});
    root.store.put(&path, serde_json::to_vec(&metadata).unwrap().into()).await.unwrap();
    let tables = Arc::new(process(root, clock, 2));
    let keep_one = Retention { time: HOUR, snapshots: 1 };
    tables.expire(Table::Logs, keep_one, &nothing_in_wal(clock.as_ref()), false).await.unwrap();
    clock.advance(2 * HOUR);
    let expired = tables.expire(Table::Logs, keep_one, &nothing_in_wal(clock.as_ref()), false).await.unwrap();
    assert_eq!(expired, Expired { removed: 4, kept: 2, checkpoint: false });
    let location = tables.snapshot(Table::Logs).await.unwrap().metadata_location().to_owned();
    let newest = root.store.get(&root.path_of_url(&location).unwrap()).await.unwrap().bytes().await.unwrap();
    let newest: serde_json::Value = serde_json::from_slice(&newest).unwrap();
    assert_eq!(newest["refs"]["audit"]["snapshot-id"].as_i64(), Some(tagged));
}

/// The machine slept for a day between its plan and its commit, and its clock stood still with it.
#[tokio::test]
async fn a_plan_from_before_what_was_forgotten_since_is_refused_whatever_its_clock_says() {
    let bench = crate::backends::on_memory().await;
    commit_segment(&bench.tables, "s0", &[]).await;
    let planned = bench.tables.snapshot(Table::Logs).await.unwrap().shifted().newest();
    for number in 1..6 {
        commit_segment(&bench.tables, &format!("s{number}"), &[]).await;
        bench.clock.advance(Duration::from_secs(1));
    }
    bench.clock.advance(26 * HOUR);
    // None of the segments is in the WAL any more: all are forgotten.
    assert!(expire(&bench).await.checkpoint);
    let shifted = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert!(!shifted.shifted().contains("s3"));
    let again = |after| Append { files: Vec::new(), ledger: Ledger { after: Some(after), ..ledger(&["s3"], &[]) } };
    let error = bench.tables.commit(Table::Logs, again(planned)).await.unwrap_err();
    assert!(matches!(error, TablesError::Forgotten { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    // A plan of now knows that nothing of that name is in the WAL; who has it all the same wrote it anew.
    bench.tables.commit(Table::Logs, again(shifted.shifted().newest())).await.unwrap();
}
