//! One run over the tables.

use icegate_model::{ErrorKind, Table};
use icegate_tables::Append;
use object_store::ObjectStoreExt;

use crate::lake::{GRACE, HOUR, Lake, ledger};

async fn with_everything_to_do() -> Lake {
    let lake = Lake::new().await;
    for number in 0..5 {
        let files = lake.write().await;
        lake.tables.commit(Table::Logs, Append { files, ledger: ledger(number) }).await.unwrap();
    }
    lake.maintainer().maintain(Table::Logs, false).await.unwrap();
    drop(lake.write().await);
    let files = lake.write().await;
    lake.tables.commit(Table::Logs, Append { files, ledger: ledger(5) }).await.unwrap();
    lake.clock.advance(GRACE + HOUR);
    lake
}

#[tokio::test]
async fn a_dry_run_says_what_a_run_does_and_changes_nothing() {
    let lake = with_everything_to_do().await;
    let before = lake.objects().await;
    let dry = lake.maintainer().maintain(Table::Logs, true).await.unwrap();
    // The five before the checkpoint; the file of the shift that died, and its index.
    assert_eq!((dry.expired.removed, dry.swept.orphans.len(), dry.swept.removed), (5, 2, 0));
    assert_eq!(lake.objects().await, before);
    let done = lake.maintainer().maintain(Table::Logs, false).await.unwrap();
    assert_eq!(done.expired.removed, 5);
    // Those two, and the five lists and ledgers that only the removed snapshots named.
    assert_eq!((done.swept.removed, done.swept.failed), (12, 0));
    assert_eq!(lake.fresh(7).snapshot(Table::Logs).await.unwrap().total_rows(), 6);
}

#[tokio::test]
async fn two_processes_at_once_do_it_together() {
    let lake = with_everything_to_do().await;
    let (one, other) = (lake.maintainer(), lake.maintainer());
    let (one, other) = tokio::join!(one.maintain(Table::Logs, false), other.maintain(Table::Logs, false));
    assert!(one.unwrap().expired.removed == 5 || other.unwrap().expired.removed == 5);
    let snapshot = lake.fresh(7).snapshot(Table::Logs).await.unwrap();
    assert_eq!(snapshot.total_rows(), 6);
    for file in snapshot.files() {
        lake.root.store.head(&file.path).await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_object_in_the_wal_is_counted_and_stays() {
    let lake = Lake::new().await;
    let stranger = lake.root.path("queue/logs/notes.txt");
    lake.root.store.put(&stranger, "x".into()).await.unwrap();
    lake.clock.advance(2 * GRACE);
    let report = lake.maintainer().maintain(Table::Logs, false).await.unwrap();
    assert_eq!((report.unknown, report.segments), (vec![stranger.clone()], 0));
    lake.root.store.head(&stranger).await.unwrap();
}

#[tokio::test]
async fn a_table_that_can_not_be_read_does_not_stop_the_others() {
    let lake = with_everything_to_do().await;
    let metadata = lake.root.path("warehouse/icegate/spans/metadata/v1.metadata.json");
    lake.root.store.put(&metadata, "garbage".into()).await.unwrap();
    for (table, report) in lake.maintainer().run_once(false).await {
        match report {
            Ok(report) => assert_eq!(report.expired.removed, if table == Table::Logs { 5 } else { 0 }, "{table}"),
            Err(error) => assert_eq!((table, error.kind()), (Table::Spans, ErrorKind::Corrupt), "{error}"),
        }
    }
}
