//! Wake-ups that are repeated, reordered, late or never come (F8): the listing is the truth.

use icegate_model::Table;
use icegate_testkit::Dice;

use crate::bench::{Bench, shifter};

const SEGMENTS: u64 = 12;

#[tokio::test]
async fn f8_repeated_reordered_and_missing_wake_ups_add_each_row_once_and_the_listing_heals_within_two_cycles() {
    for seed in 0..10 {
        let mut dice = Dice::new(seed);
        let bench = Bench::new().await;
        let shifters = [shifter(&bench.root, 10 + seed), shifter(&bench.root, 100 + seed)];
        // An event for each segment: lost, delivered once or three times, in any order, and some before others are written.
        let mut events = Vec::new();
        for number in 1..=SEGMENTS {
            bench.write([number]).await;
            events.extend(vec![number; *dice.pick(&[0, 1, 3])]);
            if dice.chance(300) && !events.is_empty() {
                let at = usize::try_from(dice.next() % events.len() as u64).unwrap();
                events.swap_remove(at);
                dice.pick(&shifters).pass(Table::Logs).await.unwrap();
            }
            assert!(bench.rows().await <= number);
        }
        while !events.is_empty() {
            let at = usize::try_from(dice.next() % events.len() as u64).unwrap();
            events.swap_remove(at);
            dice.pick(&shifters).pass(Table::Logs).await.unwrap();
        }
        // Two segments whose events never come, and the passes of the schedule.
        bench.write([SEGMENTS + 1, SEGMENTS + 2]).await;
        let mut cycles = 0;
        while bench.rows().await < SEGMENTS + 2 {
            cycles += 1;
            assert!(cycles <= 2, "seed {seed}");
            shifters[0].pass(Table::Logs).await.unwrap();
        }
        assert_eq!(bench.rows().await, SEGMENTS + 2, "seed {seed}");
        for shifter in &shifters {
            assert_eq!(shifter.pass(Table::Logs).await.unwrap().committed, None, "seed {seed}: nothing is left");
        }
    }
}
