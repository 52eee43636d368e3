use icegate_model::{ErrorKind, Table};
use icegate_storage::Root;
use icegate_wal::{Segment, Wal, WriterConfig};
use object_store::ObjectStoreExt;
use proptest::prelude::*;

use crate::{logs, start};

/// A written segment and its bytes.
async fn segment(root: &Root) -> (Wal, Segment, Vec<u8>) {
    let (wal, writer, task) = start(root, WriterConfig::default());
    let times: Vec<i64> = (0..50).collect();
    writer.append(logs(1, "a", &times)).await.unwrap();
    task.close().await;
    let segment = wal.list(Table::Logs).await.unwrap().segments.remove(0);
    let bytes = root.store.get(&segment.path).await.unwrap().bytes().await.unwrap().to_vec();
    (Wal::clone(&wal), segment, bytes)
}

/// The segment with other bytes under its name.
async fn replace(wal: &Wal, segment: &Segment, bytes: Vec<u8>) -> Segment {
    let size = bytes.len() as u64;
    wal.root().store.put(&segment.path, bytes.into()).await.unwrap();
    Segment { size, ..segment.clone() }
}

#[tokio::test(start_paused = true)]
async fn a_truncated_segment_is_corrupt_and_named() {
    let (wal, whole, bytes) = segment(&Root::memory()).await;
    for length in [0, 1, 7, 8, 12, bytes.len() / 2, bytes.len() - 1] {
        let cut = replace(&wal, &whole, bytes[..length].to_vec()).await;
        for error in [wal.footer(&cut).await.unwrap_err(), wal.read(&cut).await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}: {error}");
            assert!(error.to_string().contains(&whole.name), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn parquet_without_our_footer_is_corrupt() {
    let (wal, whole, _) = segment(&Root::memory()).await;
    let rows = wal.read(&whole).await.unwrap();
    let mut foreign = parquet::arrow::ArrowWriter::try_new(Vec::new(), rows[0].schema(), None).unwrap();
    foreign.write(&rows[0]).unwrap();
    let foreign = replace(&wal, &whole, foreign.into_inner().unwrap()).await;
    let error = wal.read(&foreign).await.unwrap_err();
    assert!(error.to_string().ends_with(r#"is corrupt: its Parquet metadata has no key "icegate.wal""#), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_segment_under_another_tables_prefix_is_corrupt() {
    let (wal, whole, _) = segment(&Root::memory()).await;
    let misplaced = Segment { table: Table::Spans, ..whole };
    let error = wal.read(&misplaced).await.unwrap_err();
    assert!(error.to_string().ends_with("its columns are not those of table spans"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn metadata_that_claims_more_bytes_than_there_are_is_corrupt() {
    let (wal, whole, mut bytes) = segment(&Root::memory()).await;
    let at = bytes.len() - 8;
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let claiming = replace(&wal, &whole, bytes).await;
    assert_eq!(wal.footer(&claiming).await.unwrap_err().kind(), ErrorKind::Corrupt);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn flipped_bytes_give_an_error_or_rows_but_never_a_panic(flips in prop::collection::vec((0.0..1.0, 1_u8..), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (wal, whole, mut bytes) = segment(&Root::memory()).await;
            for (place, flip) in flips {
                let place: f64 = place;
                let at = (place * bytes.len() as f64) as usize;
                bytes[at] ^= flip;
            }
            let flipped = replace(&wal, &whole, bytes).await;
            for error in [wal.footer(&flipped).await.err(), wal.read(&flipped).await.err()].into_iter().flatten() {
                assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported), "{error}");
            }
        });
    }
}
