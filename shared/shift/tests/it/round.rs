//! A host that is woken shifts all there is, within its time.

use std::time::Duration;

use icegate_model::Table;
use icegate_shift::{Metrics, RoundEnd};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::lake::Lake;

const LONG: Duration = Duration::from_secs(600);

fn requests(count: u128) -> Vec<(u128, usize)> {
    (1..=count).map(|id| (id, 2)).collect()
}

#[tokio::test]
async fn a_round_makes_passes_until_nothing_is_left() {
    let lake = Lake::new().await;
    lake.write(&requests(7)).await;
    let round = lake.sharing(2, 3).round(&Table::ALL, Instant::now() + LONG).await;
    assert!(round.iter().all(|round| matches!(round.end, RoundEnd::Done)), "{round:?}");
    // Three, three, one, and a last look.
    assert_eq!((round[0].table, round[0].passes, round[0].segments, round[0].rows, round[0].left), (Table::Logs, 4, 7, 14, 0));
    assert_eq!((round[1].passes, round[1].segments), (1, 0));
    assert_eq!(lake.rows().await, 14);
}

#[tokio::test]
async fn a_table_of_another_shifter_is_left_to_it_until_it_gives_the_table_back() {
    let lake = Lake::new().await;
    lake.write(&requests(4)).await;
    let other = lake.sharing(2, 2);
    other.pass(Table::Logs).await.unwrap();
    let shifter = lake.sharing(3, 2);
    let round = shifter.round(&[Table::Logs], Instant::now() + LONG).await;
    assert!(matches!(round[0].end, RoundEnd::Others) && !round[0].is_failure(), "{round:?}");
    assert_eq!((round[0].segments, lake.rows().await), (0, 4));
    // A round gives back what it took, and asks anew the next time.
    other.round(&[Table::Logs], Instant::now()).await;
    let round = shifter.round(&[Table::Logs], Instant::now() + LONG).await;
    assert_eq!((round[0].segments, lake.rows().await), (2, 8));
}

#[tokio::test]
async fn a_round_without_time_is_a_failure_as_it_brought_nothing_in() {
    let lake = Lake::new().await;
    lake.write(&requests(1)).await;
    let round = lake.sharing(2, 2).round(&[Table::Logs], Instant::now()).await;
    assert!(matches!(round[0].end, RoundEnd::TimeUp) && round[0].is_failure(), "{round:?}");
    assert_eq!(lake.rows().await, 0);
}

#[tokio::test]
async fn the_lag_is_that_of_the_tables_of_the_round() {
    let lake = Lake::new().await;
    lake.write(&requests(1)).await;
    let mut registry = Registry::default();
    let shifter = lake.shifter_with(Metrics::register(&mut registry), 2);
    let lag = |registry: &Registry| {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text.lines().filter(|line| line.starts_with("shift_lag_seconds{")).map(str::to_owned).collect::<Vec<_>>()
    };
    shifter.round(&[Table::Spans], Instant::now() + LONG).await;
    assert_eq!(lag(&registry), ["shift_lag_seconds{table=\"spans\"} 0.0"]);
    shifter.round(&[Table::Logs], Instant::now() + LONG).await;
    assert_eq!(lag(&registry), ["shift_lag_seconds{table=\"logs\"} 0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_nobody_can_read_is_set_aside_within_one_round_and_the_others_are_brought_in() {
    let lake = Lake::new().await;
    lake.write(&requests(3)).await;
    let first = lake.first().await;
    lake.cut(&first).await;
    let round = lake.sharing(2, 1024).round(&[Table::Logs], Instant::now() + LONG).await;
    assert!(matches!(round[0].end, RoundEnd::Done), "{round:?}");
    assert_eq!((round[0].segments, round[0].left, lake.rows().await), (2, 0, 4));
    assert!(lake.wal.quarantined(Table::Logs).await.unwrap().contains(&first.name));
}
