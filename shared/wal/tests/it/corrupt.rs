use icegate_model::{ErrorKind, Table};
use icegate_storage::Root;
use icegate_wal::{Segment, Wal, WriterConfig};
use object_store::ObjectStoreExt;

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
    assert!(error.to_string().ends_with("is corrupt: its metadata has no seal"), "{error}");
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

/// A change that storage or a network may make to an object's bytes.
fn mutate(bytes: &mut Vec<u8>, random: impl Fn(usize) -> usize) {
    const CLAIMS: [u32; 4] = [0, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    let at = random(bytes.len());
    // The end holds what decoders believe most.
    let at = if random(3) == 0 { bytes.len() - 1 - random(bytes.len().min(6_000)) } else { at };
    match random(6) {
        0 => bytes[at] ^= 1 << random(8),
        1 => bytes[at] = u8::try_from(random(256)).unwrap(),
        2 => {
            let claim = CLAIMS[random(CLAIMS.len())].to_le_bytes();
            let end = bytes.len().min(at + 4);
            bytes[at..end].copy_from_slice(&claim[..end - at]);
        }
        3 => bytes.truncate(at),
        4 => {
            let end = bytes.len().min(at + random(64));
            bytes.drain(at..end);
        }
        _ => {
            let end = bytes.len().min(at + random(512));
            bytes[at..end].fill(0);
        }
    }
}

/// F11: of 10,000 changed segments each reads as it was or is an error, and never as other rows. Checksums are compared before
/// anything is decoded, so that no size that a changed byte claims is ever reserved.
#[tokio::test(start_paused = true)]
async fn no_changed_byte_becomes_other_rows_or_a_panic() {
    const CHANGES: u64 = 10_000;
    let (wal, whole, bytes) = segment(&Root::memory()).await;
    let (footer, rows) = wal.read_whole(&whole).await.unwrap();
    let mut refused = 0;
    for seed in 0..CHANGES {
        let ids = icegate_testkit::SeededIds::new(seed);
        let random = |below: usize| (icegate_model::IdGenerator::unique(&ids).0 % below.max(1) as u128) as usize;
        let mut changed = bytes.clone();
        for _ in 0..1 + random(3) {
            if !changed.is_empty() {
                mutate(&mut changed, random);
            }
        }
        let changed = replace(&wal, &whole, changed).await;
        match wal.read_whole(&changed).await {
            Ok(read) => assert_eq!(read, (footer.clone(), rows.clone()), "seed {seed}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "seed {seed}: {error}");
                refused += 1;
            }
        }
        if let Ok(read) = wal.footer(&changed).await {
            assert_eq!(read, footer, "seed {seed}");
        }
    }
    // A byte that is set to what it was, or one of the magic at the file's start, changes nothing.
    assert!(refused > CHANGES * 9 / 10, "only {refused} of {CHANGES} were refused");
}

#[tokio::test(start_paused = true)]
async fn a_later_version_is_named_and_is_no_damage() {
    let root = Root::memory();
    let (wal, whole, _) = segment(&root).await;
    icegate_wal::conformance::rewrite_as_version(&root, &whole, 2).await.unwrap();
    let later = wal.list(Table::Logs).await.unwrap().segments.remove(0);
    let error = wal.read_whole(&later).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().ends_with("has format version 2, allowed is 1"), "{error}");
}
