//! SHIFT-1 without leases: the ledgers alone.

use std::sync::Arc;
use std::time::Duration;

use icegate_model::Table;
use icegate_testkit::ManualClock;
use tokio_util::sync::CancellationToken;

use crate::lake::{GRACE, Lake, START};

#[tokio::test]
async fn a_pass_commits_what_is_pending_and_the_next_finds_nothing() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (2, 4)]).await;
    let shifter = lake.shifter(2, 1024);
    let pass = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((pass.segments, pass.left, pass.committed.unwrap().rows_added), (2, 0, 7));
    assert_eq!(lake.rows().await, 7);
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().committed, None);
    assert_eq!(lake.rows().await, 7);
}

#[tokio::test]
async fn a_bound_splits_the_work_into_passes() {
    let lake = Lake::new().await;
    lake.write(&[(1, 1), (2, 1), (3, 1)]).await;
    let shifter = lake.shifter(2, 2);
    let first = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((first.segments, first.left), (2, 1));
    let second = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((second.segments, second.left), (1, 0));
    assert_eq!(lake.rows().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn shifters_side_by_side_add_each_segment_once() {
    const SHIFTERS: u64 = 6;
    let lake = Arc::new(Lake::new().await);
    lake.write(&(1..=20).map(|id| (id, 2)).collect::<Vec<_>>()).await;
    let work = (0..SHIFTERS).map(|number| {
        let lake = Arc::clone(&lake);
        tokio::spawn(async move {
            let shifter = lake.shifter(10 + number, 1 + number as usize);
            while shifter.pass(Table::Logs).await.unwrap().left > 0 {}
        })
    });
    for done in work.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    assert_eq!(lake.rows().await, 40);
}

#[tokio::test]
async fn a_request_that_was_stored_twice_enters_the_table_once() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (1, 3), (2, 1)]).await;
    let shifter = lake.shifter(2, 1024);
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().committed.unwrap().rows_added, 4);
    lake.write(&[(2, 1)]).await;
    let repeated = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((repeated.segments, repeated.committed.unwrap().rows_added), (1, 0));
    assert_eq!(lake.rows().await, 4);
}

#[tokio::test]
async fn a_segment_stays_for_its_grace_and_not_longer() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3)]).await;
    let shifter = lake.shifter(2, 1024);
    shifter.pass(Table::Logs).await.unwrap();
    lake.clock.advance(GRACE - Duration::from_secs(1));
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().deleted, 0);
    assert_eq!(lake.segments().await, 1);
    lake.clock.advance(Duration::from_secs(1));
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().deleted, 1);
    assert_eq!((lake.segments().await, lake.rows().await), (0, 3));
}

#[tokio::test]
async fn a_request_that_is_repeated_within_the_horizon_enters_once_however_late_the_shift_is() {
    const HOUR: Duration = Duration::from_secs(3600);
    let lake = Lake::new().await;
    lake.write(&[(1, 3)]).await;
    assert_eq!(lake.shifter(2, 1024).pass(Table::Logs).await.unwrap().committed.unwrap().rows_added, 3);
    lake.clock.advance(HOUR * 24 - Duration::from_secs(60));
    lake.write(&[(1, 3), (2, 1)]).await;
    // All shifters are down for a while.
    lake.clock.advance(HOUR * 3);
    assert_eq!(lake.shifter(3, 1024).pass(Table::Logs).await.unwrap().committed.unwrap().rows_added, 1);
    assert_eq!(lake.rows().await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_running_shifter_whose_clock_is_hours_ahead_leaves_segments_for_their_grace() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3)]).await;
    lake.shifter(2, 1024).pass(Table::Logs).await.unwrap();
    let ahead = Arc::new(ManualClock::at(START + Duration::from_secs(5 * 3600)));
    let shifter = lake.shifter_by(Arc::clone(&ahead), 3);
    let stop = CancellationToken::new();
    tokio::join!(shifter.run(stop.clone()), async {
        const LOOKS: Duration = Duration::from_secs(10);
        tokio::time::sleep(LOOKS).await;
        assert_eq!(lake.segments().await, 1, "by its clock the commit is hours old, by the store's it is not");
        ahead.advance(GRACE);
        lake.clock.advance(GRACE);
        tokio::time::sleep(LOOKS).await;
        assert_eq!(lake.segments().await, 0);
        stop.cancel();
    });
}
