//! Time stamps at and beyond every edge, from OTLP through segment, shift and table to an answer (F14).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use icegate_engine::{Engine, EngineConfig, EngineError, Opened};
use icegate_model::{RequestId, Signal, Table, TenantId, TimeRange, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use icegate_schema::columns;
use icegate_shift::{ShiftConfig, Shifter};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_testkit::{Dice, SeededIds};
use icegate_wal::{Request, Wal, Writer, WriterConfig};

use crate::bench::clock;

/// Nanoseconds: the epoch, the ends of a signed number (2262-04-11), and of what OTLP can say (2554).
const EDGES: [u64; 10] = [
    0,
    1,
    999,
    86_399_999_999_999,
    86_400_000_000_000,
    1_767_225_600_000_000_001,
    9_223_372_036_854_775_806,
    9_223_372_036_854_775_807,
    9_223_372_036_854_775_808,
    u64::MAX,
];
const SPANS: u64 = 60;

fn time(dice: &mut Dice) -> u64 {
    if dice.chance(700) { *dice.pick(&EDGES) } else { dice.next() }
}

/// Start and end of each span by its id: many end before they start.
fn drawn(seed: u64) -> BTreeMap<u64, (u64, u64)> {
    let mut dice = Dice::new(seed);
    (1..=SPANS).map(|id| (id, (time(&mut dice), time(&mut dice)))).collect()
}

fn otlp(times: &BTreeMap<u64, (u64, u64)>) -> Vec<u8> {
    let span = |(id, (start, end)): (&u64, &(u64, u64))| {
        serde_json::json!({
            "traceId": format!("{id:032x}"), "spanId": format!("{id:016x}"), "name": id.to_string(),
            "startTimeUnixNano": start.to_string(), "endTimeUnixNano": end.to_string(),
        })
    };
    let spans: Vec<_> = times.iter().map(span).collect();
    serde_json::to_vec(&serde_json::json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] })).unwrap()
}

/// What a query over all of time answers.
async fn answered(engine: &Engine, tenant: &TenantId) -> BTreeMap<u64, (u64, u64)> {
    let columns =
        [columns::NAME, columns::TIMESTAMP, columns::TIMESTAMP_NANOS, columns::END_TIMESTAMP, columns::END_TIMESTAMP_NANOS];
    let all = async |opened: Opened| {
        Ok::<_, EngineError>(opened.session.read_table(opened.provider)?.select_columns(&columns)?.collect().await?)
    };
    let batches = engine.with_replan(Table::Spans, tenant, TimeRange::ALL, all).await.unwrap();
    let mut answered = Vec::new();
    for batch in &batches {
        let number = |column: usize| cast(batch.column(column), &DataType::Int64).unwrap();
        let text = cast(batch.column(0), &DataType::Utf8).unwrap();
        let parts: Vec<_> = (1..5).map(number).collect();
        let nanos = |row: usize, at: usize| {
            let part = |at: usize| i128::from(parts[at].as_primitive::<Int64Type>().value(row));
            u64::try_from(part(at) * 1_000 + part(at + 1)).unwrap()
        };
        let id = |row: usize| text.as_string::<i32>().value(row).parse::<u64>().unwrap();
        answered.extend((0..batch.num_rows()).map(|row| (id(row), (nanos(row, 0), nanos(row, 2)))));
    }
    let distinct: BTreeMap<_, _> = answered.iter().copied().collect();
    assert_eq!(distinct.len(), answered.len(), "a span twice");
    distinct
}

#[tokio::test]
async fn any_time_stamp_comes_back_as_it_was_sent_from_the_log_and_from_the_table() {
    for seed in 0..4 {
        let root = Root::memory();
        let wal = Arc::new(Wal::new(root.child("queue")));
        let tables = Arc::new(Tables::object_store(root.child("warehouse"), clock(), Arc::new(SeededIds::new(seed))));
        tables.migrate_create(false).await.unwrap();
        let (tenant, times) = (TenantId::default_tenant(), drawn(seed));
        let origin = Origin { tenant: tenant.clone(), account: None, ingested: Timestamp::from_secs(1) };
        let rows = decode(Signal::Traces, Encoding::Json, &otlp(&times), &origin, &Limits::default()).unwrap();
        assert_eq!((rows.accepted, rows.rejected.count), (SPANS, 0));
        let ids = Arc::new(SeededIds::new(seed + 100));
        let metrics = icegate_wal::Metrics::default();
        let (writer, task) = Writer::start(Arc::clone(&wal), WriterConfig::default(), clock(), ids, metrics);
        let request = Request { id: RequestId(1), tenant: tenant.clone(), account: None, batches: rows.batches };
        writer.append(request).await.unwrap();
        task.close().await;

        let engine = || Engine::new(Arc::clone(&tables), Some(Arc::clone(&wal)), EngineConfig::default()).unwrap();
        assert_eq!(answered(&engine(), &tenant).await, times, "seed {seed}, in the log");
        let metrics = icegate_shift::Metrics::default();
        let shifter = Shifter::new(Arc::clone(&tables), Arc::clone(&wal), ShiftConfig::default(), clock(), metrics);
        assert_eq!(shifter.pass(Table::Spans).await.unwrap().committed.unwrap().rows_added, SPANS);
        wal.delete(&wal.list(Table::Spans).await.unwrap().segments).await.unwrap();
        assert_eq!(answered(&engine(), &tenant).await, times, "seed {seed}, in the table");
    }
}
