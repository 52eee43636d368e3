use std::sync::Arc;

use icegate_model::Table;
use icegate_storage::{Counted, RequestMetrics, Root};
use icegate_wal::{Wal, WriterConfig};

use crate::{logs, start};

/// Bytes of rows and of metadata that both exceed what a reader takes from a file's end at first.
const ROW_GROUPS: i64 = 40;

#[tokio::test(start_paused = true)]
async fn a_segment_with_long_metadata_reads_with_few_requests() {
    let root = Root::memory();
    let config = WriterConfig { max_row_group_size: 50, records_per_flush_multiplier: 1_000, ..WriterConfig::default() };
    let (_, writer, task) = start(&root, config);
    let times: Vec<i64> = (0..ROW_GROUPS * 50).collect();
    writer.append(logs(1, "a", &times)).await.unwrap();
    task.close().await;

    let counted = Counted::new(Arc::clone(&root.store), RequestMetrics::new());
    let wal = Wal::new(root.with_store(Arc::new(counted.clone())));
    let segment = wal.list(Table::Logs).await.unwrap().segments.remove(0);
    assert!(segment.size > 256 << 10, "{}", segment.size);
    assert_eq!(wal.footer(&segment).await.unwrap().row_groups.len(), 40);
    // The end of the file tells how long its metadata is, then the metadata is read.
    assert_eq!(counted.counts().get, 2);
    let all = wal.read(&segment).await.unwrap();
    assert_eq!(counted.counts().get, 2 + 1);
    assert_eq!(all.iter().map(|batch| batch.num_rows()).sum::<usize>(), times.len());
    let some = wal.read_row_groups(&segment, &[3, 0, 39]).await.unwrap();
    assert_eq!(some, [all[3].clone(), all[0].clone(), all[39].clone()]);
    // Two for the metadata, and near row groups in one.
    assert!(counted.counts().get <= 2 + 1 + 2 + 2, "{:?}", counted.counts());
}
