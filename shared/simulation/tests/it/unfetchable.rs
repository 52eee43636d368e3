//! One segment that the store answers with 500 for ever.

use std::sync::Arc;

use async_trait::async_trait;
use icegate_engine::{Engine, EngineConfig, EngineError, Opened};
use icegate_model::{ErrorKind, Table, TimeRange};
use icegate_testkit::{Call, Fate, Network, Trouble, When};
use object_store::Error;
use object_store::path::Path;

use crate::bench::{Bench, shifter, tables, tenant, wal};

/// Fails every request for one object.
#[derive(Debug)]
struct Lost(Path);

#[async_trait]
impl Network for Lost {
    async fn request(&self, call: &Call) -> Fate {
        let trouble = (call.path == self.0).then_some((When::Before, Trouble::Internal));
        Fate { trouble, truncated: false }
    }

    async fn reply(&self, _call: &Call, _fate: Fate, _result: Option<Result<(), &Error>>) {}
}

#[tokio::test]
async fn a_segment_that_can_never_be_fetched_stops_no_other_and_an_answer_names_it() {
    let bench = Bench::new().await;
    bench.write(1..=5).await;
    let segments = bench.wal().list(Table::Logs).await.unwrap().segments;
    let lost = &segments[0];
    let root = bench.behind(Arc::new(Lost(lost.path.clone())));
    let shifter = shifter(&root, 2);
    let first = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((first.segments, first.left), (4, 1));
    bench.write(6..=8).await;
    let next = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((next.segments, next.left, next.quarantined), (3, 1, 0));
    assert_eq!(bench.rows().await, 7);

    let engine = Engine::new(Arc::new(tables(&root, 3)), Some(wal(&root)), EngineConfig::default()).unwrap();
    let query = async |opened: Opened| Ok::<_, EngineError>(opened.session.read_table(opened.provider)?.collect().await?);
    let error = engine.with_replan(Table::Logs, &tenant(), TimeRange::ALL, query).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&lost.name), "{error}");

    // When the store has found it again, it is shifted once.
    let healed = crate::bench::shifter(&bench.root, 4);
    assert_eq!(healed.pass(Table::Logs).await.unwrap().segments, 1);
    assert_eq!(bench.rows().await, 8);
}
