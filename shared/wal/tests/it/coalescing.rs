use std::time::Duration;

use futures::future::{join_all, try_join_all};
use icegate_model::{RequestId, Table};
use icegate_storage::Root;
use icegate_wal::conformance::{rows, scope};
use icegate_wal::{Request, SegmentTenants, WriterConfig};
use tokio::time::Instant;

use crate::faulty::{root, stuck};
use crate::{logs, requests, segments, start};

#[tokio::test(start_paused = true)]
async fn requests_within_the_interval_share_a_segment_and_wait_no_longer_than_it() {
    let (wal, writer, task) = start(&Root::memory(), WriterConfig::default());
    let started = Instant::now();
    let late = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        writer.append(logs(3, "a", &[3])).await
    };
    let (first, second, late) = tokio::join!(writer.append(logs(1, "a", &[1])), writer.append(logs(2, "b", &[2])), late);
    let names = [first, second, late].map(|durable| durable.unwrap().segments()[0].name.clone());
    assert!(names.iter().all(|name| *name == names[0]));
    let waited = started.elapsed();
    assert!((200..250).contains(&waited.as_millis()), "{waited:?}");
    writer.append(logs(4, "a", &[4])).await.unwrap();
    task.close().await;
    let mut found = requests(&wal, Table::Logs).await;
    found.sort();
    // Sorted by tenant within the segment: 1 and 3 are tenant a's.
    assert_eq!(found, [vec![1, 3, 2], vec![4]]);
    assert_eq!(
        segments(&wal, Table::Logs).await.iter().filter(|(segment, _)| segment.tenants == SegmentTenants::Many).count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_segment_is_written_at_once_when_it_has_its_rows() {
    let config = WriterConfig { max_row_group_size: 4, records_per_flush_multiplier: 2, ..WriterConfig::default() };
    let (wal, writer, _task) = start(&Root::memory(), config);
    let started = Instant::now();
    try_join_all([writer.append(logs(1, "a", &[1, 2, 3, 4, 5])), writer.append(logs(2, "a", &[6, 7, 8]))]).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(200));
    let (_, footer) = &segments(&wal, Table::Logs).await[0];
    // Eight rows in row groups of at most four: the first request's run crosses them.
    assert_eq!(footer.row_groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(footer.requests.iter().map(|run| (run.first, run.rows)).collect::<Vec<_>>(), [(0, 5), (5, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_segment_is_written_at_once_when_it_has_its_bytes_and_a_large_request_is_one_segment() {
    let config = WriterConfig { max_bytes_per_flush: 1_000, ..WriterConfig::default() };
    let (wal, writer, _task) = start(&Root::memory(), config);
    let started = Instant::now();
    let times: Vec<i64> = (0..100).collect();
    try_join_all([writer.append(logs(1, "a", &times)), writer.append(logs(2, "a", &times))]).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(200));
    let mut found = requests(&wal, Table::Logs).await;
    found.sort();
    assert_eq!(found, [vec![1], vec![2]]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_gathered_twice_is_stored_once_and_both_are_acknowledged() {
    let (wal, writer, _task) = start(&Root::memory(), WriterConfig::default());
    let twice = try_join_all([writer.append(logs(7, "a", &[1, 2])), writer.append(logs(7, "a", &[1, 2]))]).await.unwrap();
    assert_eq!(twice[0].segments(), twice[1].segments());
    let (_, footer) = &segments(&wal, Table::Logs).await[0];
    assert_eq!(footer.rows(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_id_of_another_tenant_is_another_request() {
    let (wal, writer, _task) = start(&Root::memory(), WriterConfig::default());
    try_join_all([writer.append(logs(7, "a", &[1])), writer.append(logs(7, "b", &[1]))]).await.unwrap();
    assert_eq!(requests(&wal, Table::Logs).await, [[7, 7]]);
}

#[tokio::test(start_paused = true)]
async fn a_request_of_several_tables_is_acknowledged_when_all_are_written() {
    let store = stuck();
    let (_, writer, _task) = start(&root(&store), WriterConfig::default());
    let (tenant, account) = scope("a", None).unwrap();
    let batches = Table::ALL.map(|table| (table, rows(table, &tenant, None, &[1]).unwrap())).to_vec();
    let mut append = Box::pin(writer.append(Request { id: RequestId(1), tenant, account, batches }));
    store.let_through(Table::ALL.len() - 1);
    assert!(tokio::time::timeout(Duration::from_secs(5), &mut append).await.is_err());
    store.let_through(1);
    assert_eq!(append.await.unwrap().segments().len(), Table::ALL.len());
}

#[tokio::test(start_paused = true)]
async fn a_request_without_rows_is_durable_at_once_and_leaves_nothing() {
    let (wal, writer, _task) = start(&Root::memory(), WriterConfig::default());
    let started = Instant::now();
    assert!(writer.append(logs(1, "a", &[])).await.unwrap().segments().is_empty());
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(wal.list(Table::Logs).await.unwrap().segments.is_empty());
}

#[tokio::test(start_paused = true)]
async fn closing_writes_what_is_gathered_and_refuses_what_comes_later() {
    let config = WriterConfig { flush_interval: Duration::from_secs(3_600), ..WriterConfig::default() };
    let (wal, writer, task) = start(&Root::memory(), config);
    let started = Instant::now();
    let sender = writer.clone();
    let waiting = tokio::spawn(async move { join_all((1..=5).map(|id| sender.append(logs(id, "a", &[1])))).await });
    tokio::task::yield_now().await;
    task.close().await;
    assert!(waiting.await.unwrap().into_iter().all(|result| result.is_ok()));
    assert!(started.elapsed() < Duration::from_secs(1));
    let error = writer.append(logs(6, "a", &[1])).await.unwrap_err();
    assert_eq!(error.kind(), icegate_model::ErrorKind::Unavailable);
    assert_eq!(requests(&wal, Table::Logs).await.concat(), [1, 2, 3, 4, 5]);
}
