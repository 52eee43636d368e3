//! Requests that are written alone.

use std::time::Duration;

use futures::future::try_join_all;
use icegate_model::Table;
use icegate_storage::Root;
use icegate_wal::conformance::{rows, scope};
use icegate_wal::{Gathering, Request, WriterConfig};
use tokio::time::Instant;

use crate::faulty::{root, stuck};
use crate::{logs, requests, start};

fn alone() -> WriterConfig {
    WriterConfig { gathering: Gathering::Alone, flush_interval: Duration::from_secs(3_600), ..WriterConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_request_alone_is_one_segment_at_once_that_its_id_names() {
    let (wal, writer, _task) = start(&Root::memory(), alone());
    let started = Instant::now();
    let both = try_join_all([writer.append(logs(0xab, "a", &[1])), writer.append(logs(0xcd, "b", &[2]))]).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    let names = both.iter().map(|durable| durable.segments()[0].name.as_str()).collect::<Vec<_>>();
    assert_eq!(names[0], "00001700000000000000.000000000000000000000000000000ab.a.1.1.parquet");
    assert_eq!(names[1], "00001700000000000000.000000000000000000000000000000cd.b.2.2.parquet");
    let mut found = requests(&wal, Table::Logs).await;
    found.sort();
    assert_eq!(found, [vec![0xab], vec![0xcd]]);
}

#[tokio::test(start_paused = true)]
async fn a_request_alone_is_one_segment_in_each_of_its_tables() {
    let (wal, writer, _task) = start(&Root::memory(), alone());
    let (tenant, account) = scope("a", None).unwrap();
    let batches = Table::ALL.map(|table| (table, rows(table, &tenant, None, &[1]).unwrap())).to_vec();
    let request = Request { id: icegate_model::RequestId(7), tenant, account, batches };
    assert_eq!(writer.append(request).await.unwrap().segments().len(), Table::ALL.len());
    for table in Table::ALL {
        assert_eq!(requests(&wal, table).await, [[7]], "{table}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_alone_do_not_wait_for_each_others_puts() {
    let store = stuck();
    let (_, writer, _task) = start(&root(&store), alone());
    let mut appends = Box::pin(try_join_all((1..=5).map(|id| writer.append(logs(id, "a", &[1])))));
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut appends).await.is_err());
    store.let_through(5);
    assert_eq!(appends.await.unwrap().len(), 5);
}
