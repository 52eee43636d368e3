//! One shifter a table at a time, as a rule; exactly once whatever becomes of the rule.

use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, Table};
use icegate_shift::{Codec, Jobs, JobsConfig, Metrics};
use icegate_storage::aws::AwsOptions;
use icegate_storage::{Counted, RequestMetrics, Root, Stores};
use icegate_testkit::S3Server;
use icegate_wal::Wal;
use object_store::ObjectStoreExt;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::lake::{Lake, START};

const LEASE: Duration = Duration::from_secs(60);
const SEGMENTS: u64 = 20;

async fn objects(root: &Root, below: &str) -> usize {
    use futures::TryStreamExt;
    let listed: Vec<_> = root.store.list(Some(&root.path(below))).try_collect().await.unwrap();
    listed.len()
}

/// Memory, files, and a server of S3's protocol where there is one.
async fn everywhere(test: &str) -> Vec<(Option<tempfile::TempDir>, Root)> {
    let directory = tempfile::tempdir().unwrap();
    let files = Root::open(&format!("file://{}/", directory.path().display())).unwrap();
    let mut places = vec![(None, Root::memory()), (Some(directory), files)];
    places.extend(on_s3(test).map(|root| (None, root)));
    places
}

fn on_s3(test: &str) -> Option<Root> {
    let server = S3Server::shared(test)?;
    let s3 = AwsOptions {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(server.endpoint()),
        credentials: Some(("key".to_owned(), "secret".to_owned())),
        ..AwsOptions::default()
    };
    Some(Stores::new(s3).open(&format!("s3://{}/lake/", server.bucket())).unwrap())
}

/// Runs passes of several shifters side by side until nothing is left; how often segments were read.
async fn race(lake: &Arc<Lake>, shifters: u64, leases: bool) -> u64 {
    let work = (0..shifters).map(|number| {
        let lake = Arc::clone(lake);
        tokio::spawn(async move {
            let reads = RequestMetrics::new();
            let queue = lake.root.child("queue");
            let counted = queue.with_store(Arc::new(Counted::new(Arc::clone(&queue.store), reads.clone())));
            let mut shifter = lake.shifter_over(Arc::new(Wal::new(counted)), 10 + number, if leases { 1024 } else { 5 });
            if leases {
                shifter = shifter.with_jobs(lake.jobs(10 + number));
            }
            // Each until the table holds all of them.
            while lake.rows().await < SEGMENTS * 2 {
                shifter.pass(Table::Logs).await.unwrap();
                tokio::task::yield_now().await;
            }
            reads.counts().get
        })
    });
    let mut reads = 0;
    for done in work.collect::<Vec<_>>() {
        reads += done.await.unwrap();
    }
    reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shifters_side_by_side_add_each_row_once_with_leases_and_without() {
    for (_directory, root) in everywhere("leases::shifters_side_by_side_on_s3").await {
        for (number, (shifters, leases)) in [(2, false), (8, false), (2, true), (8, true)].into_iter().enumerate() {
            let lake = Arc::new(Lake::on(root.child(&number.to_string())).await);
            lake.write(&(1..=u128::from(SEGMENTS)).map(|id| (id, 2)).collect::<Vec<_>>()).await;
            let reads = race(&lake, shifters, leases).await;
            assert_eq!(lake.rows().await, SEGMENTS * 2);
            if leases {
                assert_eq!(reads, SEGMENTS, "{shifters} shifters with leases read each segment once");
            }
        }
    }
}

#[tokio::test]
async fn a_table_is_worked_by_one_and_then_by_who_comes_after_the_lease_ends() {
    for (_directory, root) in everywhere("leases::a_table_is_worked_by_one_on_s3").await {
        let lake = Lake::on(root).await;
        let (first, second) = (lake.sharing(2, 1), lake.sharing(3, 1));
        lake.write(&[(1, 1), (2, 1), (3, 1)]).await;
        assert_eq!(first.pass(Table::Logs).await.unwrap().segments, 1);
        let refused = second.pass(Table::Logs).await.unwrap();
        assert_eq!((refused.others, refused.segments, refused.left), (true, 0, 2));
        // The first one dies. Its lease ends a minute after it took it.
        lake.clock.advance(LEASE - Duration::from_secs(1));
        assert!(second.pass(Table::Logs).await.unwrap().others);
        lake.clock.advance(Duration::from_secs(1));
        assert_eq!(second.pass(Table::Logs).await.unwrap().segments, 1);
        // It was only slow, and finds its table taken.
        assert!(first.pass(Table::Logs).await.unwrap().others);
        assert_eq!(lake.rows().await, 2);
        assert_eq!(objects(&lake.root, "queue/jobs/leases/logs").await, 1);
    }
}

#[tokio::test]
async fn a_holder_renews_and_leaves_one_object() {
    let lake = Lake::new().await;
    let (first, second) = (lake.sharing(2, 1), lake.sharing(3, 1));
    for number in 1..=10 {
        lake.write(&[(number, 1), (number + 100, 1)]).await;
        assert_eq!(first.pass(Table::Logs).await.unwrap().segments, 1);
        assert!(second.pass(Table::Logs).await.unwrap().others);
        lake.clock.advance(LEASE / 2);
        assert_eq!(objects(&lake.root, "queue/jobs/leases/logs").await, 1);
    }
}

#[tokio::test]
async fn a_holder_that_lost_its_lease_while_it_worked_adds_nothing_twice() {
    let lake = Arc::new(Lake::new().await);
    lake.write(&[(1, 3), (2, 4)]).await;
    let (slow, other) = (lake.sharing(2, 1024), lake.sharing(3, 1024));
    // The slow one holds the lease and has shifted nothing of what comes now.
    assert_eq!(slow.pass(Table::Logs).await.unwrap().segments, 2);
    lake.write(&[(3, 5)]).await;
    lake.clock.advance(LEASE);
    let (a, b) = tokio::join!(other.pass(Table::Logs), slow.pass(Table::Logs));
    assert_eq!(a.unwrap().segments + b.unwrap().segments, 1);
    assert_eq!(lake.rows().await, 12);
}

#[tokio::test]
async fn a_lease_of_a_clock_that_is_days_ahead_binds_nobody() {
    let lake = Lake::new().await;
    lake.write(&[(1, 1), (2, 1)]).await;
    let path = lake.root.path("queue/jobs/leases/logs/00000000000000000007.json");
    let until = (START + Duration::from_secs(3 * 86_400)).micros();
    let lease = format!(r#"{{"holder":"tomorrow","until-micros":{until}}}"#);
    lake.root.store.put(&path, lease.into()).await.unwrap();
    assert_eq!(lake.sharing(2, 1024).pass(Table::Logs).await.unwrap().segments, 2);
}

#[tokio::test]
async fn a_lease_that_no_shifter_wrote_binds_nobody() {
    let lake = Lake::new().await;
    lake.write(&[(1, 1)]).await;
    let path = lake.root.path("queue/jobs/leases/logs/00000000000000000007.json");
    lake.root.store.put(&path, "gibberish".into()).await.unwrap();
    assert_eq!(lake.sharing(2, 1024).pass(Table::Logs).await.unwrap().segments, 1);
    assert!(lake.sharing(3, 1024).pass(Table::Logs).await.unwrap().left == 0);
}

#[tokio::test]
async fn the_shift_goes_on_where_the_place_of_leases_is_down_and_counts_it() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3)]).await;
    // Files where directories have to be: every request fails.
    let directory = tempfile::tempdir().unwrap();
    for name in ["leases", "state"] {
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    let broken = Root::open(&format!("file://{}/", directory.path().display())).unwrap();
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let jobs = Jobs::new(broken, JobsConfig::named("a"));
    let shifter = lake.shifter_with(metrics, 2).with_jobs(jobs);
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().segments, 1);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert!(text.contains("shift_lease_failures_total{table=\"logs\"} 1"), "{text}");
    assert!(text.contains("shift_job_state_failures_total{table=\"logs\"} 1"), "{text}");
    assert_eq!(lake.rows().await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_shifter_that_is_stopped_gives_its_tables_back() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3)]).await;
    lake.clock.advance(Duration::from_secs(30));
    let (first, second) = (lake.sharing(2, 1024), lake.sharing(3, 1024));
    let stop = CancellationToken::new();
    tokio::join!(first.run(stop.clone()), async {
        while lake.rows().await < 3 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
    });
    lake.write(&[(2, 1)]).await;
    assert_eq!(second.pass(Table::Logs).await.unwrap().segments, 1);
}

#[tokio::test]
async fn job_state_says_who_did_what_in_the_codec_that_was_chosen() {
    for codec in [Codec::Json, Codec::Cbor] {
        let lake = Lake::new().await;
        lake.write(&[(1, 3), (1, 3), (2, 4)]).await;
        let place = || Jobs::new(lake.root.child("jobs"), JobsConfig { codec, ..JobsConfig::named("one") });
        lake.clock.advance(Duration::from_secs(10));
        assert_eq!(place().state(Table::Logs).await.unwrap(), None);
        lake.shifter(2, 1024).with_jobs(place()).pass(Table::Logs).await.unwrap();
        let state = place().state(Table::Logs).await.unwrap().unwrap();
        let commit = state.commit.unwrap();
        assert_eq!((state.table.as_str(), state.by.as_str(), state.at_micros), ("logs", "one", lake.clock.now().micros()));
        assert_eq!((commit.segments, commit.rows, commit.repeated_rows), (3, 7, 3));
        assert_eq!((state.pending_segments, state.error), (0, None));
        // The first of three segments was written 3 ms before the clock moved on by 10 s.
        assert!((state.lag_seconds - 10.003).abs() < 1e-9, "{}", state.lag_seconds);
        let file = if codec == Codec::Json { "jobs/state/logs.json" } else { "jobs/state/logs.cbor" };
        lake.root.store.head(&lake.root.path(file)).await.unwrap();
        assert_eq!(objects(&lake.root, "jobs/state").await, 1);
    }
}
