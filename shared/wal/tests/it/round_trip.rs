use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampMicrosecondType;
use icegate_model::{RequestId, Table};
use icegate_schema::{arrow_schema, columns};
use icegate_storage::Root;
use icegate_wal::conformance::{rows, scope};
use icegate_wal::{Footer, Request, Segment, SegmentTenants, WriterConfig};
use proptest::prelude::*;

use crate::{segments, start};

/// Tenant, account, and the times of each batch of each table.
type Sent = (usize, Option<usize>, Vec<(usize, Vec<i64>)>);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let batch = (0..Table::ALL.len(), prop::collection::vec(any::<i32>().prop_map(i64::from), 0..20));
    prop::collection::vec((0..3_usize, prop::option::of(0..2_usize), prop::collection::vec(batch, 0..4)), 1..12)
}

fn request(id: u128, (tenant, account, batches): &Sent) -> Request {
    let account = account.map(|account| format!("account-{account}"));
    let (tenant, account) = scope(["a", "b", "c"][*tenant], account.as_deref()).unwrap();
    let batch = |(table, times): &(usize, Vec<i64>)| {
        let table = Table::ALL[*table];
        (table, rows(table, &tenant, account.as_ref(), times).unwrap())
    };
    let batches = batches.iter().map(batch).collect();
    Request { id: RequestId(id), tenant, account, batches }
}

fn rows_of(request: &Request, table: Table) -> RecordBatch {
    let batches = request.batches.iter().filter(|(of, _)| *of == table).map(|(_, batch)| batch);
    concat_batches(&arrow_schema(table), batches).unwrap()
}

/// What the footer and the name say is what the rows are.
fn check_descriptions(segment: &Segment, footer: &Footer, batches: &[RecordBatch], row_group_rows: usize) {
    assert_eq!(batches.len(), footer.row_groups.len());
    for (group, batch) in footer.row_groups.iter().zip(batches) {
        assert!(batch.num_rows() <= row_group_rows);
        assert_eq!(batch.num_rows() as u64, group.rows);
        let times = batch.column_by_name(columns::TIMESTAMP).unwrap().as_primitive::<TimestampMicrosecondType>();
        assert_eq!(times.values().iter().min(), Some(&group.min));
        assert_eq!(times.values().iter().max(), Some(&group.max));
        let tenants = batch.column_by_name(columns::TENANT_ID).unwrap().as_string::<i32>();
        assert!(tenants.iter().all(|tenant| tenant == Some(group.tenant.as_str())));
        let accounts = batch.column_by_name(columns::ACCOUNT_ID).unwrap().as_string::<i32>();
        assert!(accounts.iter().all(|account| account == group.account.as_ref().map(|account| account.as_str())));
    }
    assert_eq!(footer.row_groups.iter().map(|group| group.min).min(), Some(segment.min));
    assert_eq!(footer.row_groups.iter().map(|group| group.max).max(), Some(segment.max));
    let tenants = footer.tenants();
    match &segment.tenants {
        SegmentTenants::One(tenant) => assert!(tenants.iter().eq([&tenant])),
        SegmentTenants::Many => assert!(tenants.len() > 1),
    }
}

async fn round_trip(sent: Vec<Sent>, row_group_rows: usize) {
    let config = WriterConfig { max_row_group_size: row_group_rows, records_per_flush_multiplier: 10, ..WriterConfig::default() };
    let (wal, writer, task) = start(&Root::memory(), config);
    let requests: Vec<Request> = sent.iter().enumerate().map(|(id, sent)| request(id as u128, sent)).collect();
    futures::future::try_join_all(requests.iter().map(|request| writer.append(request.clone()))).await.unwrap();
    task.close().await;
    for table in Table::ALL {
        let mut found = vec![0; requests.len()];
        for (segment, footer) in segments(&wal, table).await {
            let batches = wal.read(&segment).await.unwrap();
            check_descriptions(&segment, &footer, &batches, row_group_rows);
            let backwards: Vec<usize> = (0..batches.len()).rev().collect();
            let mut alone = wal.read_row_groups(&segment, &backwards).await.unwrap();
            alone.reverse();
            assert_eq!(alone, batches);
            let all = concat_batches(&arrow_schema(table), &batches).unwrap();
            for run in &footer.requests {
                let number = usize::try_from(run.id.0).unwrap();
                let stored = all.slice(usize::try_from(run.first).unwrap(), usize::try_from(run.rows).unwrap());
                assert_eq!(stored, rows_of(&requests[number], table));
                found[number] += 1;
            }
        }
        let expected: Vec<i32> = requests.iter().map(|request| i32::from(rows_of(request, table).num_rows() > 0)).collect();
        assert_eq!(found, expected, "each request's rows are there once");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_row_comes_back_once_in_its_request_and_under_its_tenant(sent in sent(), row_group_rows in 1..12_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(round_trip(sent, row_group_rows));
    }
}
