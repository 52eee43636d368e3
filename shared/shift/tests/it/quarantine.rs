//! Segments that can't be read: counted, named, left alone, and the rest goes on.

use std::time::Duration;

use futures::TryStreamExt;
use icegate_model::{ErrorKind, RequestId, Table};
use icegate_storage::Root;
use object_store::ObjectStoreExt;

use crate::lake::{GRACE, Lake};

#[tokio::test]
async fn a_segment_is_set_aside_after_several_passes_and_the_others_go_on() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (2, 4)]).await;
    let broken = lake.first().await;
    let whole = lake.cut(&broken).await;
    let shifter = lake.shifter(2, 1024);
    let pass = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((pass.segments, pass.unreadable, pass.quarantined, lake.rows().await), (1, 1, 0, 4));
    let pass = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((pass.unreadable, pass.quarantined), (1, 0));
    let pass = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((pass.unreadable, pass.quarantined), (1, 1));

    let marked = lake.wal.quarantined(Table::Logs).await.unwrap();
    assert_eq!(marked.into_iter().collect::<Vec<_>>(), std::slice::from_ref(&broken.name));
    let mark = lake.wal.quarantine_mark(Table::Logs, &broken.name).await.unwrap();
    assert_eq!((mark.segment.as_str(), mark.failed_passes), (broken.name.as_str(), 3));
    assert!(mark.reason.contains("corrupt"), "{}", mark.reason);

    // Others know, also those that start later, and nobody deletes it.
    lake.clock.advance(GRACE * 10);
    assert_eq!(lake.shifter(3, 1024).pass(Table::Logs).await.unwrap().unreadable, 0);
    assert_eq!(lake.first().await.name, broken.name);

    // Mended and given free, it is shifted.
    lake.root.store.put(&broken.path, whole.into()).await.unwrap();
    lake.wal.release(Table::Logs, &broken.name).await.unwrap();
    let pass = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((pass.segments, lake.rows().await), (1, 7));
}

#[tokio::test]
async fn a_segment_that_reads_well_after_a_bad_read_is_not_held_against_it() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3)]).await;
    let segment = lake.first().await;
    let shifter = lake.shifter(2, 1024);
    let whole = lake.cut(&segment).await;
    for _ in 0..2 {
        assert_eq!(shifter.pass(Table::Logs).await.unwrap().unreadable, 1);
    }
    lake.root.store.put(&segment.path, whole.into()).await.unwrap();
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().segments, 1);
    assert!(lake.wal.quarantined(Table::Logs).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_second_copy_of_a_request_is_stored_where_the_first_cannot_be_read() {
    let lake = Lake::new().await;
    lake.write(&[(7, 3), (7, 3)]).await;
    lake.cut(&lake.first().await).await;
    let shifter = lake.shifter(2, 1024);
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().committed.unwrap().rows_added, 3);
    let shifted = lake.tables.snapshot(Table::Logs).await.unwrap();
    assert!(shifted.shifted().request(RequestId(7)).is_some());
    assert_eq!(lake.rows().await, 3);
}

#[tokio::test]
async fn a_mark_whose_segment_is_gone_is_removed() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (2, 1)]).await;
    let broken = lake.first().await;
    lake.cut(&broken).await;
    let shifter = lake.shifter(2, 1024);
    for _ in 0..3 {
        shifter.pass(Table::Logs).await.unwrap();
    }
    assert_eq!(lake.wal.quarantined(Table::Logs).await.unwrap().len(), 1);
    lake.wal.delete(&[broken]).await.unwrap();
    lake.write(&[(3, 1)]).await;
    shifter.pass(Table::Logs).await.unwrap();
    assert!(lake.wal.quarantined(Table::Logs).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_old_segment_that_is_set_aside_does_not_make_every_pass_read_old_ledgers() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (2, 1)]).await;
    lake.cut(&lake.first().await).await;
    let shifter = lake.shifter(2, 1024);
    for _ in 0..3 {
        shifter.pass(Table::Logs).await.unwrap();
    }
    lake.clock.advance(GRACE);
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().deleted, 1);
    let mut ledgers: Vec<_> =
        lake.root.store.list(Some(&lake.root.path("warehouse/icegate/logs/ledger"))).try_collect().await.unwrap();
    ledgers.retain(|object| object.location.filename() != Some("time.json"));
    assert_eq!(ledgers.len(), 1);
    lake.clock.advance(Duration::from_secs(30 * 86_400));
    lake.write(&[(3, 1)]).await;
    assert_eq!(lake.shifter(3, 1024).pass(Table::Logs).await.unwrap().segments, 1);
    // Who reads the ledger of that day, now that it isn't the newest, fails.
    lake.root.store.put(&ledgers[0].location, "no ledger".into()).await.unwrap();
    lake.write(&[(4, 1)]).await;
    assert_eq!(lake.shifter(4, 1024).pass(Table::Logs).await.unwrap().segments, 1);
}

#[tokio::test]
async fn a_segment_of_a_later_format_is_left_and_the_others_go_on() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (2, 4)]).await;
    let later = lake.first().await;
    icegate_wal::conformance::rewrite_as_version(&lake.root.child("queue"), &later, 2).await.unwrap();
    let later = lake.first().await;
    assert_eq!(lake.wal.footer(&later).await.unwrap_err().kind(), ErrorKind::Unsupported);
    let shifter = lake.shifter(2, 1024);
    for _ in 0..5 {
        let pass = shifter.pass(Table::Logs).await.unwrap();
        assert_eq!((pass.unreadable, pass.quarantined), (0, 0));
    }
    assert_eq!(lake.rows().await, 4);
    assert!(lake.wal.quarantined(Table::Logs).await.unwrap().is_empty());
    assert_eq!(lake.first().await.name, later.name);
}

#[tokio::test]
async fn marks_lie_where_no_listing_of_segments_sees_them() {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::open(&format!("file://{}/", directory.path().display())).unwrap();
    let lake = Lake::on(root).await;
    lake.write(&[(1, 3)]).await;
    lake.cut(&lake.first().await).await;
    let shifter = lake.sharing(2, 1024);
    for _ in 0..3 {
        shifter.pass(Table::Logs).await.unwrap();
    }
    assert!(directory.path().join("queue/quarantine/logs").is_dir());
    assert!(directory.path().join("queue/jobs/state/logs.json").is_file());
    for table in Table::ALL {
        let listing = lake.wal.list(table).await.unwrap();
        assert_eq!((listing.segments.len(), listing.unknown), (usize::from(table == Table::Logs), Vec::new()));
    }
}
