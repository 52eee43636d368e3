//! A host that is woken shifts all there is, within its time.

use std::time::Duration;

use icegate_model::Table;
use icegate_shift::{Metrics, SweepEnd};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::lake::Lake;

const LONG: Duration = Duration::from_secs(600);

fn requests(count: u128) -> Vec<(u128, usize)> {
    (1..=count).map(|id| (id, 2)).collect()
}

#[tokio::test]
async fn a_sweep_makes_passes_until_nothing_is_left() {
    let lake = Lake::new().await;
    lake.write(&requests(7)).await;
    let swept = lake.sharing(2, 3).sweep(&Table::ALL, Instant::now() + LONG).await;
    assert!(swept.iter().all(|swept| matches!(swept.end, SweepEnd::Done)), "{swept:?}");
    // Three, three, one, and a last look.
    assert_eq!((swept[0].table, swept[0].passes, swept[0].segments, swept[0].rows, swept[0].left), (Table::Logs, 4, 7, 14, 0));
    assert_eq!((swept[1].passes, swept[1].segments), (1, 0));
    assert_eq!(lake.rows().await, 14);
}

#[tokio::test]
async fn a_table_of_another_shifter_is_left_to_it_until_it_gives_the_table_back() {
    let lake = Lake::new().await;
    lake.write(&requests(4)).await;
    let other = lake.sharing(2, 2);
    other.pass(Table::Logs).await.unwrap();
    let shifter = lake.sharing(3, 2);
    let swept = shifter.sweep(&[Table::Logs], Instant::now() + LONG).await;
    assert!(matches!(swept[0].end, SweepEnd::Others) && !swept[0].is_failure(), "{swept:?}");
    assert_eq!((swept[0].segments, lake.rows().await), (0, 4));
    // A sweep gives back what it took, and asks anew the next time.
    other.sweep(&[Table::Logs], Instant::now()).await;
    let swept = shifter.sweep(&[Table::Logs], Instant::now() + LONG).await;
    assert_eq!((swept[0].segments, lake.rows().await), (2, 8));
}

#[tokio::test]
async fn a_sweep_without_time_is_a_failure_as_it_brought_nothing_in() {
    let lake = Lake::new().await;
    lake.write(&requests(1)).await;
    let swept = lake.sharing(2, 2).sweep(&[Table::Logs], Instant::now()).await;
    assert!(matches!(swept[0].end, SweepEnd::TimeUp) && swept[0].is_failure(), "{swept:?}");
    assert_eq!(lake.rows().await, 0);
}

#[tokio::test]
async fn the_lag_is_that_of_the_tables_that_were_swept() {
    let lake = Lake::new().await;
    lake.write(&requests(1)).await;
    let mut registry = Registry::default();
    let shifter = lake.shifter_with(Metrics::register(&mut registry), 2);
    let lag = |registry: &Registry| {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text.lines().filter(|line| line.starts_with("shift_lag_seconds{")).map(str::to_owned).collect::<Vec<_>>()
    };
    shifter.sweep(&[Table::Spans], Instant::now() + LONG).await;
    assert_eq!(lag(&registry), ["shift_lag_seconds{table=\"spans\"} 0.0"]);
    shifter.sweep(&[Table::Logs], Instant::now() + LONG).await;
    assert_eq!(lag(&registry), ["shift_lag_seconds{table=\"logs\"} 0.0"]);
}
