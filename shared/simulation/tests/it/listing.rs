//! Listings of many pages, while objects come and go (F10).

use std::collections::BTreeSet;
use std::sync::Arc;

use icegate_model::Table;
use icegate_storage::Root;
use icegate_testkit::{FaultyStore, Script};
use icegate_wal::Wal;
use object_store::ObjectStoreExt;
use object_store::path::Path;

fn segment(number: u32) -> String {
    format!("{number:020}.{number:032x}.t.0.1.parquet")
}

/// A store with so many segments of logs, listed in pages.
async fn store(segments: u32, page: usize) -> (Root, Wal) {
    let root = Root::memory();
    for number in 0..segments {
        root.store.put(&root.path("logs").join(segment(number)), "x".into()).await.unwrap();
    }
    let paged = FaultyStore::new(Arc::clone(&root.store), Script::new()).with_page(page);
    (root.clone(), Wal::new(root.with_store(Arc::new(paged))))
}

#[tokio::test]
async fn every_segment_of_three_pages_is_listed_once_beside_keys_that_no_writer_made() {
    let (root, wal) = store(2_001, 1_000).await;
    let odd = ["logs/.parquet", "logs/é %2e%2e.parquet", "logs/a/b.parquet", "logs/~", "logsx/a.parquet"];
    for name in odd {
        root.store.put(&Path::from(name), "x".into()).await.unwrap();
    }
    let listing = wal.list(Table::Logs).await.unwrap();
    let names: BTreeSet<_> = listing.segments.iter().map(|segment| segment.name.clone()).collect();
    assert_eq!((listing.segments.len(), names.len()), (2_001, 2_001));
    assert_eq!(names, (0..2_001).map(segment).collect());
    // `logsx` is another prefix.
    assert_eq!(listing.unknown.len(), odd.len() - 1, "{:?}", listing.unknown);
}

#[tokio::test]
async fn what_is_there_all_the_time_is_listed_whatever_is_written_and_deleted_between_the_pages() {
    use futures::StreamExt;
    for page in [1, 2, 3, 7] {
        let (root, wal) = store(20, page).await;
        let prefix = root.path("logs");
        let mut listed = wal.root().store.list(Some(&prefix));
        let mut seen = BTreeSet::new();
        let mut number = 0;
        while let Some(object) = listed.next().await {
            assert!(seen.insert(object.unwrap().location), "listed twice");
            // Even ones stay, odd ones go, new ones come before and behind.
            let odd = root.path("logs").join(segment(2 * number + 1));
            let _ = root.store.delete(&odd).await;
            if number < 20 {
                root.store.put(&prefix.clone().join(format!("{}x", segment(number))), "x".into()).await.unwrap();
            }
            number += 1;
        }
        for stays in (0..20).step_by(2) {
            assert!(seen.contains(&prefix.clone().join(segment(stays))), "page {page}: {stays} is missing");
        }
    }
}
