//! Lost replies, lost requests, stale processes: on the catalog that is the object store.

use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, ErrorKind, Table};
use icegate_storage::Root;
use icegate_tables::{Append, TablesError};
use icegate_testkit::{ClockedStore, Operation, Script, Trouble, When};
use object_store::ObjectStoreExt;

use crate::backends::{Bench, dated_process, on_files, process};
use crate::conformance::{ledger, write_and_commit};
use crate::rows::{NEW_YEAR, log};

fn losing(root: &Root, lost_replies: usize, lost_requests: usize) -> Root {
    let network = Script::new();
    network.fail(lost_requests, Operation::Create, When::Before, Trouble::Reset);
    network.fail(lost_replies, Operation::Create, When::After, Trouble::Reset);
    root.with_store(network.before(Arc::clone(&root.store)))
}

#[tokio::test]
async fn a_swap_whose_reply_is_lost_lands_once() {
    let bench = on_files().await;
    let Bench { root, clock, tables, .. } = &bench;
    let unlucky = process(&losing(root, 1, 0), clock, 2);
    let committed = write_and_commit(&unlucky, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s1"], &[])).await.unwrap();
    assert_eq!((committed.rows_before, committed.rows_added, committed.attempts), (0, 1, 2));
    let snapshot = tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!((snapshot.total_rows(), snapshot.files().len()), (1, 1));
}

#[tokio::test]
async fn a_swap_that_never_arrived_is_tried_again() {
    let bench = on_files().await;
    let Bench { root, clock, tables, .. } = &bench;
    let unlucky = process(&losing(root, 0, 2), clock, 2);
    let committed = write_and_commit(&unlucky, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s1"], &[])).await.unwrap();
    assert_eq!(committed.attempts, 3);
    assert_eq!(tables.snapshot(Table::Logs).await.unwrap().total_rows(), 1);
}

#[tokio::test]
async fn a_store_that_keeps_failing_leaves_the_outcome_open_and_repeating_settles_it() {
    let bench = on_files().await;
    let Bench { root, clock, tables, .. } = &bench;
    let unlucky = process(&losing(root, 0, 5), clock, 2);
    let rows = [log("a", "s", NEW_YEAR, "x")];
    let error = write_and_commit(&unlucky, &rows, ledger(&["s1"], &[])).await.unwrap_err();
    assert!(matches!(error, TablesError::OutcomeUnknown { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(tables.snapshot(Table::Logs).await.unwrap().total_rows(), 0);
    write_and_commit(&unlucky, &rows, ledger(&["s1"], &[])).await.unwrap();
    let error = write_and_commit(&unlucky, &rows, ledger(&["s1"], &[])).await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
    assert_eq!(tables.snapshot(Table::Logs).await.unwrap().total_rows(), 1);
}

#[tokio::test]
async fn a_lost_reply_followed_by_another_commit_is_still_found() {
    let bench = on_files().await;
    let Bench { root, clock, tables, .. } = &bench;
    let unlucky = Arc::new(process(&losing(root, 1, 0), clock, 2));
    let first = {
        let unlucky = Arc::clone(&unlucky);
        tokio::spawn(async move { write_and_commit(&unlucky, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s1"], &[])).await })
    };
    write_and_commit(tables, &[log("a", "s", NEW_YEAR, "y")], ledger(&["s2"], &[])).await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(tables.snapshot(Table::Logs).await.unwrap().total_rows(), 2);
}

#[tokio::test]
async fn creating_tables_survives_lost_replies() {
    let root = Root::memory();
    let clock = Arc::new(icegate_testkit::ManualClock::at(icegate_model::Timestamp::from_micros(NEW_YEAR)));
    let unlucky = process(&losing(&root, 2, 0), &clock, 2);
    assert_eq!(unlucky.migrate_create(false).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_process_that_slept_through_many_commits_and_their_removal_continues_from_the_newest() {
    let bench = on_files().await;
    let Bench { root, clock, .. } = &bench;
    // How old metadata is says the store.
    let dated = ClockedStore::new(Arc::clone(&root.store), Arc::clone(clock) as Arc<dyn Clock>);
    let root = &root.with_store(Arc::new(dated));
    let (tables, sleeper) = (dated_process(root, clock, 5), dated_process(root, clock, 2));
    sleeper.snapshot(Table::Logs).await.unwrap();
    // More versions than the metadata logs, each old enough to be removed.
    for number in 0..105 {
        clock.advance(Duration::from_secs(3 * 60 * 60));
        tables.commit(Table::Logs, Append { files: Vec::new(), ledger: ledger(&[&format!("s{number}")], &[]) }).await.unwrap();
    }
    // The one before was written past the store that dates.
    let second = root.path("icegate/logs/metadata/v2.metadata.json");
    assert!(root.store.head(&second).await.is_err(), "the second version is removed");
    let committed = write_and_commit(&sleeper, &[log("a", "s", NEW_YEAR, "x")], ledger(&["mine"], &[])).await.unwrap();
    assert_eq!(committed.attempts, 1);
    assert_eq!(tables.snapshot(Table::Logs).await.unwrap().total_rows(), 1);
    let hint = root.store.get(&root.path("icegate/logs/metadata/version-hint.text")).await.unwrap().bytes().await.unwrap();
    // One version by the creation, 105 and one by commits.
    assert_eq!(hint, "107".as_bytes());
}

#[tokio::test]
async fn a_missing_or_wrong_version_hint_changes_nothing() {
    let bench = on_files().await;
    let Bench { root, clock, tables, .. } = &bench;
    write_and_commit(tables, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s1"], &[])).await.unwrap();
    let hint = root.path("icegate/logs/metadata/version-hint.text");
    root.store.put(&hint, "1".into()).await.unwrap();
    assert_eq!(process(root, clock, 3).snapshot(Table::Logs).await.unwrap().total_rows(), 1);
    root.store.delete(&hint).await.unwrap();
    assert_eq!(process(root, clock, 4).snapshot(Table::Logs).await.unwrap().total_rows(), 1);
}

#[tokio::test]
async fn a_summary_that_disagrees_with_the_manifests_stops_the_commit() {
    let bench = on_files().await;
    let Bench { root, clock, tables, .. } = &bench;
    write_and_commit(tables, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s1"], &[])).await.unwrap();
    let path = root.path("icegate/logs/metadata/v2.metadata.json");
    let bytes = root.store.get(&path).await.unwrap().bytes().await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.contains(r#""total-records":"1""#));
    root.store.put(&path, text.replace(r#""total-records":"1""#, r#""total-records":"2""#).into()).await.unwrap();
    let error = write_and_commit(&process(root, clock, 3), &[log("a", "s", 0, "y")], ledger(&["s2"], &[])).await.unwrap_err();
    assert!(matches!(error, TablesError::RowCount { expected: 2, found: 1, .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
