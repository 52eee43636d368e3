use std::time::Duration;

use futures::future::join_all;
use icegate_model::{ErrorKind, Table};
use icegate_storage::Root;
use icegate_testkit::Operation;
use icegate_wal::conformance::scope;
use icegate_wal::{Metrics, WalError, WriterConfig};
use prometheus_client::registry::Registry;

use crate::faulty::{failing, losing_replies, root, stuck};
use crate::pressure::gauge;
use crate::{logs, requests, segments, start, start_counted};

#[tokio::test(start_paused = true)]
async fn a_put_that_fails_is_repeated_under_the_same_name_until_it_succeeds() {
    let store = failing(5);
    let (wal, writer, _task) = start(&root(&store), WriterConfig::default());
    writer.append(logs(1, "a", &[1])).await.unwrap();
    assert_eq!(requests(&wal, Table::Logs).await, [[1]]);
    let names = store.asked(Operation::Put);
    assert_eq!(names.len(), 6);
    assert!(names.iter().all(|name| *name == names[0]));
}

#[tokio::test(start_paused = true)]
async fn a_put_whose_reply_is_lost_is_stored_once() {
    let store = losing_replies(3);
    let (wal, writer, _task) = start(&root(&store), WriterConfig::default());
    writer.append(logs(1, "a", &[1])).await.unwrap();
    assert_eq!(requests(&wal, Table::Logs).await, [[1]]);
}

#[tokio::test(start_paused = true)]
async fn after_all_retries_no_request_of_the_segment_is_acknowledged() {
    let store = failing(3);
    let (wal, writer, _task) = start(&root(&store), WriterConfig { write_retries: 2, ..WriterConfig::default() });
    let results = join_all((1..=3).map(|id| writer.append(logs(id, "a", &[1])))).await;
    for result in results {
        let error = result.unwrap_err();
        assert!(matches!(error, WalError::Store { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("503 Slow Down"), "{error}");
    }
    assert!(segments(&wal, Table::Logs).await.is_empty());
    writer.append(logs(4, "a", &[1])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_put_that_never_answers_is_given_up() {
    let store = stuck();
    let put_timeout = Duration::from_secs(1);
    let config = WriterConfig { write_retries: 1, put_timeout, ..WriterConfig::default() };
    let (_, writer, _task) = start(&root(&store), config);
    let error = writer.append(logs(1, "a", &[1])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().ends_with("no answer in 1000 ms"), "{error}");
    assert_eq!(store.asked(Operation::Put).len(), 2);
}

/// The bound of every append: gathering, and then writing.
fn bound(config: &WriterConfig) -> Duration {
    config.flush_interval + config.write_deadline
}

#[tokio::test(start_paused = true)]
async fn on_a_store_that_never_answers_every_append_fails_within_the_deadline_however_many_wait() {
    const APPENDS: u128 = 20;
    let store = stuck();
    // A segment for each request, so that most wait for earlier ones.
    let config = WriterConfig { max_row_group_size: 1, ..WriterConfig::default() };
    let mut registry = Registry::default();
    let (wal, writer, _task) = start_counted(&root(&store), config.clone(), Metrics::register(&mut registry));
    let append = |id: u128| {
        let writer = writer.clone();
        async move {
            // Arrivals are spread, and so are their deadlines.
            tokio::time::sleep(Duration::from_millis(u64::try_from(id).unwrap() * 100)).await;
            let began = tokio::time::Instant::now();
            (writer.append(logs(id, "a", &[1])).await, began.elapsed())
        }
    };
    for (result, elapsed) in join_all((1..=APPENDS).map(append)).await {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(elapsed <= bound(&config), "{elapsed:?}");
    }
    assert_eq!(gauge(&registry, "wal_buffered_bytes "), "0");
    store.let_through(1_000);
    writer.append(logs(99, "a", &[1])).await.unwrap();
    assert_eq!(requests(&wal, Table::Logs).await, [[99]]);
}

#[tokio::test(start_paused = true)]
async fn repeats_end_at_the_deadline_with_what_the_store_said() {
    let store = failing(usize::MAX);
    let config = WriterConfig { write_retries: 1_000, ..WriterConfig::default() };
    let (_, writer, _task) = start(&root(&store), config.clone());
    let began = tokio::time::Instant::now();
    let error = writer.append(logs(1, "a", &[1])).await.unwrap_err();
    assert!(began.elapsed() <= bound(&config), "{:?}", began.elapsed());
    assert!(error.to_string().contains("503 Slow Down"), "{error}");
    assert!(store.asked(Operation::Put).len() > 2);
}

#[tokio::test(start_paused = true)]
async fn rows_of_another_tenant_account_or_table_are_refused() {
    let (wal, writer, _task) = start(&Root::memory(), WriterConfig::default());
    let mut other_tenant = logs(1, "a", &[1]);
    other_tenant.tenant = "b".parse().unwrap();
    let mut other_account = logs(1, "a", &[1]);
    other_account.account = scope("a", Some("x")).unwrap().1;
    let mut other_table = logs(1, "a", &[1]);
    other_table.batches[0].0 = Table::Spans;
    for request in [other_tenant, other_account, other_table] {
        let error = writer.append(request).await.unwrap_err();
        assert!(matches!(error, WalError::Misplaced { .. }), "{error}");
    }
    assert!(segments(&wal, Table::Logs).await.is_empty());
}
