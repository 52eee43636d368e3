//! What holds on every catalog backend.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use icegate_model::{Clock, ErrorKind, RequestId, Table};
use icegate_tables::{Append, Committed, FileOptions, Ledger, Tables, TablesError};

use crate::backends::Bench;
use crate::rows::{DAY, Log, NEW_YEAR, log, logs, read, read_all, total};

pub(crate) fn ledger(segments: &[&str], requests: &[u128]) -> Ledger {
    Ledger {
        segments: segments.iter().map(|name| (*name).to_owned()).collect(),
        requests: requests.iter().copied().map(RequestId).collect(),
        ..Ledger::default()
    }
}

pub(crate) async fn write_and_commit(tables: &Tables, rows: &[Log], ledger: Ledger) -> Result<Committed, TablesError> {
    let files = tables.write_files(Table::Logs, vec![logs(rows)], FileOptions::default()).await?;
    tables.commit(Table::Logs, Append { files, ledger }).await
}

/// A module of tests for each backend. A backend that isn't there skips its tests and says why.
macro_rules! on_every_backend {
    ($($name:ident),* $(,)?) => {
        on_every_backend!(@module rest, $crate::backends::on_rest, $($name),*);
        on_every_backend!(@with_history $($name),*);
    };
    // All but REST servers, of which Nessie shows the newest snapshot alone, so that nothing is left to expire.
    (@with_history $($name:ident),* $(,)?) => {
        on_every_backend!(@module memory, async |_: &str| Some($crate::backends::on_memory().await), $($name),*);
        on_every_backend!(@module files, async |_: &str| Some($crate::backends::on_files().await), $($name),*);
        on_every_backend!(@module s3, $crate::backends::on_s3, $($name),*);
        on_every_backend!(@module glue, $crate::backends::on_glue, $($name),*);
        on_every_backend!(@module s3_tables, $crate::backends::on_s3_tables, $($name),*);
    };
    (@module $backend:ident, $open:expr, $($name:ident),*) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let test = concat!(stringify!($backend), "::", stringify!($name));
                if let Some(bench) = ($open)(test).await {
                    super::$name(bench).await;
                }
            })*
        }
    };
}
pub(crate) use on_every_backend;

on_every_backend!(
    committed_rows_read_back_split_by_partition_and_sorted,
    files_without_a_commit_are_not_visible,
    a_commit_of_only_a_ledger_is_allowed,
    of_two_commits_of_one_segment_exactly_one_lands,
    of_two_commits_of_one_request_exactly_one_lands,
    disjoint_committers_at_once_all_land,
    ledgers_older_than_the_horizon_are_read_where_asked_for,
    many_small_manifests_are_merged_without_losing_a_row,
    batches_of_another_schema_are_refused,
    a_file_that_grows_large_is_ended_and_another_begun,
    bounds_tell_what_a_file_can_not_hold,
);

async fn committed_rows_read_back_split_by_partition_and_sorted(bench: Bench) {
    let Bench { tables, .. } = bench;
    let mut with_account = log("a", "api", NEW_YEAR, "account");
    with_account.account = Some("x");
    let mut without_service = log("a", "", NEW_YEAR + 5, "no service");
    without_service.service = None;
    let rows = [
        log("b", "web", NEW_YEAR + 1, "b"),
        without_service,
        log("a", "web", NEW_YEAR + 1, "old"),
        log("a", "api", NEW_YEAR + 3, "api"),
        log("a", "web", NEW_YEAR + 2, "new"),
        log("a", "web", NEW_YEAR + DAY, "tomorrow"),
        log("a", "web", NEW_YEAR - 1, "yesterday"),
        with_account,
    ];
    let committed = write_and_commit(&tables, &rows, ledger(&["s1"], &[7])).await.unwrap();
    assert_eq!((committed.rows_before, committed.rows_added, committed.attempts), (0, 8, 1));

    let snapshot = tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!((snapshot.id(), snapshot.total_rows()), (Some(committed.snapshot_id), 8));
    let mut partitions: Vec<_> = snapshot
        .files()
        .iter()
        .map(|file| (file.tenant.to_string(), file.account.as_ref().map(ToString::to_string), file.day, file.rows))
        .collect();
    partitions.sort();
    let a = "a".to_owned();
    let expected = [
        (a.clone(), None, 20_453, 1),
        (a.clone(), None, 20_454, 4),
        (a.clone(), None, 20_455, 1),
        (a, Some("x".to_owned()), 20_454, 1),
        ("b".to_owned(), None, 20_454, 1),
    ];
    assert_eq!(partitions, expected);

    let file = snapshot.files().iter().find(|file| file.rows == 4).unwrap();
    assert!(file.sorted);
    assert_eq!((file.min_timestamp, file.max_timestamp), (NEW_YEAR + 1, NEW_YEAR + 5));
    let bodies: Vec<_> = read(snapshot.root(), &file.path).await.into_iter().map(|(_, _, _, body)| body).collect();
    assert_eq!(bodies, ["api", "new", "old", "no service"]);
    assert!(snapshot.shifted().contains("s1"));
    assert_eq!(snapshot.shifted().request(RequestId(7)), Some(committed.at));
    assert_eq!(snapshot.committed(), Some(committed.at));
}

async fn files_without_a_commit_are_not_visible(bench: Bench) {
    let before = bench.tables.snapshot(Table::Logs).await.unwrap();
    let files =
        bench.tables.write_files(Table::Logs, vec![logs(&[log("a", "s", 0, "x")])], FileOptions::default()).await.unwrap();
    assert_eq!(total(&files), 1);
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!((snapshot.id(), snapshot.files().len(), snapshot.total_rows()), (before.id(), 0, 0));
}

async fn a_commit_of_only_a_ledger_is_allowed(bench: Bench) {
    let committed = bench.tables.commit(Table::Logs, Append { files: Vec::new(), ledger: ledger(&["s1"], &[]) }).await.unwrap();
    assert_eq!(committed.rows_added, 0);
    write_and_commit(&bench.tables, &[log("a", "s", 0, "x")], ledger(&["s2"], &[])).await.unwrap();
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert!(snapshot.shifted().contains("s1") && snapshot.shifted().contains("s2"));
    assert_eq!(snapshot.total_rows(), 1);
}

async fn of_two_commits_of_one_segment_exactly_one_lands(bench: Bench) {
    let mut commits = Vec::new();
    for _ in 0..2 {
        let tables = Arc::clone(&bench.tables);
        commits.push(tokio::spawn(async move {
            write_and_commit(&tables, &[log("a", "s", 0, "x")], ledger(&["s1", "s2"], &[])).await
        }));
    }
    let mut refused = 0;
    for commit in commits {
        match commit.await.unwrap() {
            Ok(committed) => assert_eq!(committed.rows_added, 1),
            Err(error @ TablesError::AlreadyShifted { .. }) => {
                assert_eq!(error.kind(), ErrorKind::Conflict);
                let TablesError::AlreadyShifted { segments, .. } = error else { unreachable!() };
                assert_eq!(segments, ["s1", "s2"]);
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(refused, 1);
    assert_eq!(bench.tables.snapshot(Table::Logs).await.unwrap().total_rows(), 1);
}

async fn of_two_commits_of_one_request_exactly_one_lands(bench: Bench) {
    let rows = [log("a", "s", 0, "x")];
    write_and_commit(&bench.tables, &rows, ledger(&["replica-1"], &[9])).await.unwrap();
    let error = write_and_commit(&bench.tables, &rows, ledger(&["replica-2"], &[9, 10])).await.unwrap_err();
    let TablesError::AlreadyShifted { segments, requests, .. } = error else { panic!("{error}") };
    assert_eq!((segments.len(), requests), (0, vec![RequestId(9)]));
    assert_eq!(bench.tables.snapshot(Table::Logs).await.unwrap().total_rows(), 1);
}

async fn disjoint_committers_at_once_all_land(bench: Bench) {
    const COMMITTERS: i64 = 8;
    let mut commits = Vec::new();
    for number in 0..COMMITTERS {
        let tables = Arc::clone(&bench.tables);
        commits.push(tokio::spawn(async move {
            let rows: Vec<_> = (0..=number).map(|row| log("a", "s", NEW_YEAR + row, &format!("{number}/{row}"))).collect();
            write_and_commit(&tables, &rows, ledger(&[&format!("s{number}")], &[])).await.unwrap()
        }));
    }
    let mut snapshots = HashSet::new();
    for commit in commits {
        snapshots.insert(commit.await.unwrap().snapshot_id);
    }
    assert_eq!(snapshots.len(), 8);
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    // 1 + 2 + … + 8
    assert_eq!((snapshot.files().len(), snapshot.total_rows()), (8, 36));
    assert_eq!(read_all(&snapshot).await.len(), 36);
    for number in 0..COMMITTERS {
        assert!(snapshot.shifted().contains(&format!("s{number}")));
    }
}

async fn ledgers_older_than_the_horizon_are_read_where_asked_for(bench: Bench) {
    let Bench { tables, clock, .. } = bench;
    let since = clock.now();
    write_and_commit(&tables, &[log("a", "s", 0, "x")], ledger(&["old"], &[])).await.unwrap();
    clock.advance(Duration::from_secs(25 * 60 * 60));
    write_and_commit(&tables, &[log("a", "s", 0, "x")], ledger(&["new"], &[])).await.unwrap();

    let shifted = |snapshot: &icegate_tables::Snapshot| (snapshot.shifted().contains("old"), snapshot.shifted().contains("new"));
    assert_eq!(shifted(&tables.snapshot(Table::Logs).await.unwrap()), (false, true));
    assert_eq!(shifted(&tables.snapshot_since(Table::Logs, since).await.unwrap()), (true, true));

    let again = Ledger { oldest: Some(since), ..ledger(&["old"], &[]) };
    let error = write_and_commit(&tables, &[log("a", "s", 0, "x")], again).await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
}

async fn many_small_manifests_are_merged_without_losing_a_row(bench: Bench) {
    // The commit after 100 manifests replaces them by one.
    for number in 0..103 {
        write_and_commit(&bench.tables, &[log("a", "s", NEW_YEAR + number, "x")], ledger(&[&format!("s{number}")], &[]))
            .await
            .unwrap();
    }
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!((snapshot.files().len(), snapshot.total_rows()), (103, 103));
    let paths: HashSet<_> = snapshot.files().iter().map(|file| &file.path).collect();
    assert_eq!(paths.len(), 103);
    assert_eq!(snapshot.shifted().segments().count(), 103);
    if bench.table_bucket.is_some() {
        return;
    }
    // Manifest 0 of a commit holds its own files, the others stand for older ones.
    let root = snapshot.root();
    let objects: Vec<_> = root.store.list(Some(&root.path("metadata"))).try_collect().await.unwrap();
    assert_eq!(objects.iter().filter(|object| object.location.as_ref().ends_with("-m1.avro")).count(), 1);
}

async fn batches_of_another_schema_are_refused(bench: Bench) {
    let batch = logs(&[log("a", "s", 0, "x")]);
    let fewer = batch.project(&[0, 1, 2]).unwrap();
    let error = bench.tables.write_files(Table::Logs, vec![fewer], FileOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let spans = bench.tables.write_files(Table::Spans, vec![batch], FileOptions::default()).await;
    assert_eq!(spans.unwrap_err().kind(), ErrorKind::Invalid);
    let escaping = logs(&[log("../b", "s", 0, "x")]);
    let error = bench.tables.write_files(Table::Logs, vec![escaping], FileOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("invalid tenant id"), "{error}");
}

async fn a_file_that_grows_large_is_ended_and_another_begun(bench: Bench) {
    let rows: Vec<_> = (0..20_000).map(|row| log("a", "s", NEW_YEAR + row, &format!("body {row}"))).collect();
    let options = FileOptions { row_group_rows: 4_000, max_file_bytes: 40_000, ..FileOptions::default() };
    let files = bench.tables.write_files(Table::Logs, vec![logs(&rows)], options).await.unwrap();
    assert!(files.len() > 1, "{}", files.len());
    assert_eq!(total(&files), 20_000);
    bench.tables.commit(Table::Logs, Append { files, ledger: ledger(&["s"], &[]) }).await.unwrap();
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    let mut read: Vec<_> = read_all(&snapshot).await.into_iter().map(|(_, _, time, body)| (time, body)).collect();
    read.sort();
    let written: Vec<_> = rows.into_iter().map(|row| (row.timestamp, row.body)).collect();
    assert!(read == written);
}

async fn bounds_tell_what_a_file_can_not_hold(bench: Bench) {
    use icegate_tables::Bound::{Bytes, Long, Text};
    let rows = [log("a", "api", NEW_YEAR, "short"), log("a", "web-frontend-service", NEW_YEAR + 9, "zzzzzzzzzzzzzzzzzzzzz")];
    write_and_commit(&bench.tables, &rows, ledger(&["s"], &[])).await.unwrap();
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    let file = &snapshot.files()[0];
    let service = file.bounds_of("service_name").unwrap();
    // Sixteen characters of the name, the last one raised.
    assert_eq!((&service.min, &service.max), (&Some(Text("api".to_owned())), &Some(Text("web-frontend-ses".to_owned()))));
    assert_eq!((service.nulls, service.exact), (Some(0), false));
    let time = file.bounds_of("timestamp").unwrap();
    assert_eq!((&time.min, &time.max, time.exact), (&Some(Long(NEW_YEAR)), &Some(Long(NEW_YEAR + 9)), true));
    let id = |time: i64| Some(Bytes([time.to_be_bytes(), time.to_be_bytes()].concat()));
    let trace = file.bounds_of("trace_id").unwrap();
    assert_eq!((&trace.min, &trace.max), (&id(NEW_YEAR), &id(NEW_YEAR + 9)));
    let flags = file.bounds_of("flags").unwrap();
    assert_eq!((&flags.min, flags.nulls), (&None, Some(2)));
    assert!(file.bounds_of("attributes").is_none());
}
