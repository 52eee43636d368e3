//! A process dies at any of its requests, and another goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use icegate_model::Table;
use icegate_testkit::{Call, Fate, FaultyStore, Network, Trouble, When};

use crate::generate::{calls, pair, rows};
use crate::lake::Lake;
use crate::series::{series, value};
use crate::written::both;

/// The network of a process that dies at one of its changes: with its effect or without, and nothing after it. Where it dies at a
/// read, the store is as after the change before.
#[derive(Debug)]
struct Dying {
    left: AtomicUsize,
    when: When,
}

#[async_trait]
impl Network for Dying {
    async fn request(&self, call: &Call) -> Fate {
        if !call.operation.changes() && self.left.load(Ordering::SeqCst) > 0 {
            return Fate::default();
        }
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1)));
        let trouble = match left.unwrap_or_default() {
            0 => Some((When::Before, Trouble::Reset)),
            1 => Some((self.when, Trouble::Reset)),
            _ => None,
        };
        Fate { trouble, truncated: false }
    }

    async fn reply(&self, _call: &Call, _fate: Fate, _result: Option<Result<(), &object_store::Error>>) {}
}

/// One process dies at its change `at`; what another finds and makes of it. Whether the first one lived to its end.
async fn dies(at: usize, when: When) -> bool {
    let lake = Lake::new().await;
    lake.generating(&lake.root, 2, 1024, both()).pass(Table::Spans).await.unwrap();
    let [first, second] = [pair(0), pair(1)];
    lake.write_spans([(1, "t", rows(&first[..1])), (2, "t", rows(&second[1..]))]).await;
    lake.generating(&lake.root, 3, 1024, both()).pass(Table::Spans).await.unwrap();
    lake.write_spans([(3, "t", rows(&first[1..])), (4, "t", rows(&second[..1])), (4, "t", rows(&second[..1]))]).await;

    let network = Arc::new(Dying { left: AtomicUsize::new(at), when });
    let store = FaultyStore::new(Arc::clone(&lake.root.store), Arc::clone(&network) as Arc<dyn Network>);
    let dying = lake.generating(&lake.root.with_store(Arc::new(store)), 4, 1024, both());
    let lived = dying.pass(Table::Spans).await.is_ok() && network.left.load(Ordering::SeqCst) > 0;

    let other = lake.generating(&lake.root, 5, 1024, both());
    while other.pass(Table::Spans).await.unwrap().left > 0 {}
    lake.clock.advance(Duration::from_secs(11));
    other.pass(Table::Spans).await.unwrap();
    let found = series(&lake.metrics().await);
    let edges = value(&found, "traces_service_graph_request_total", &[("client", "shop"), ("server", "cart")]);
    assert_eq!((calls(&found), edges), (4.0, 2.0), "dead at change {at}, {when:?}");
    assert_eq!(lake.tables.snapshot(Table::Spans).await.unwrap().total_rows(), 4);
    lived
}

#[tokio::test(start_paused = true)]
async fn whichever_change_a_process_dies_at_every_span_is_counted_once() {
    for when in [When::Before, When::After] {
        let mut at = 1;
        while !dies(at, when).await {
            at += 1;
        }
        // Files, manifest, manifest list, ledger and metadata of two tables, and a state.
        assert!(at > 10, "a pass makes more changes than {at}");
    }
}
