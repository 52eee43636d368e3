//! What a commit leaves to the next of its kind.

use std::sync::Arc;

use icegate_model::{ErrorKind, Table};
use icegate_tables::{Append, Committed, NextState, Tables, TablesError};

use crate::backends::Bench;
use crate::conformance::{ledger, on_every_backend, write_and_commit};
use crate::rows::{NEW_YEAR, log};

on_every_backend!(
    a_state_is_replaced_with_the_commit_and_other_commits_leave_it,
    of_two_commits_that_rest_on_one_state_exactly_one_lands,
);

async fn leave(tables: &Tables, segment: &str, after: Option<String>, text: &'static str) -> Result<Committed, TablesError> {
    let append = Append { files: Vec::new(), ledger: ledger(&[segment], &[]) };
    tables.commit_with_state(Table::Logs, append, NextState { after, bytes: text.into() }).await
}

async fn newest(tables: &Tables) -> (Option<String>, Option<String>) {
    let snapshot = tables.snapshot(Table::Logs).await.unwrap();
    let bytes = tables.state_of(&snapshot).await.unwrap();
    (snapshot.state().map(str::to_owned), bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
}

async fn a_state_is_replaced_with_the_commit_and_other_commits_leave_it(bench: Bench) {
    let tables = &bench.tables;
    assert_eq!(newest(tables).await, (None, None));
    leave(tables, "s1", None, "one").await.unwrap();
    let before = tables.snapshot(Table::Logs).await.unwrap();
    write_and_commit(tables, &[log("a", "s", NEW_YEAR, "x")], ledger(&["s2"], &[])).await.unwrap();
    let (first, text) = newest(tables).await;
    assert_eq!(text.as_deref(), Some("one"));
    leave(tables, "s3", first.clone(), "two").await.unwrap();
    let (second, text) = newest(tables).await;
    assert_eq!(text.as_deref(), Some("two"));
    assert_ne!(first, second);
    // The one before is deleted, unless nobody but the catalog may.
    let gone = tables.state_of(&before).await.map_err(|error| error.kind());
    assert_eq!(gone.err(), Some(ErrorKind::NotFound).filter(|_| !tables.is_managed()));
    for stale in [None, first] {
        let error = leave(tables, "s4", stale, "three").await.unwrap_err();
        assert!(matches!(error, TablesError::StateReplaced { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }
    assert_eq!(newest(tables).await, (second, Some("two".to_owned())));
    assert!(!tables.snapshot(Table::Logs).await.unwrap().shifted().contains("s4"));
}

async fn of_two_commits_that_rest_on_one_state_exactly_one_lands(bench: Bench) {
    leave(&bench.tables, "s0", None, "none").await.unwrap();
    let (after, _) = newest(&bench.tables).await;
    let commits = ["a", "b", "c"].map(|segment| {
        let (tables, after) = (Arc::clone(&bench.tables), after.clone());
        tokio::spawn(async move { leave(&tables, segment, after, segment).await.map(|_| segment) })
    });
    let mut landed = Vec::new();
    for commit in commits {
        match commit.await.unwrap() {
            Ok(segment) => landed.push(segment),
            Err(error) => assert!(matches!(error, TablesError::StateReplaced { .. }), "{error}"),
        }
    }
    let [only] = landed[..] else { panic!("{landed:?}") };
    assert_eq!(newest(&bench.tables).await.1.as_deref(), Some(only));
}
