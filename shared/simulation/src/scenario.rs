use std::time::Duration;

use icegate_model::Table;
use icegate_testkit::{Dice, Odds};

pub(crate) const DAY_SECONDS: u64 = 86_400;

/// What a seed makes of a run.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) ingesters: usize,
    pub(crate) clients: usize,
    pub(crate) requests: u64,
    pub(crate) shifters: usize,
    pub(crate) readers: usize,
    /// Each request has rows for all of these.
    pub(crate) tables: Vec<Table>,
    pub(crate) odds: Odds,
    /// Lives of a thousand that end by a kill.
    pub(crate) kills: u32,
    /// Lives of a thousand that are frozen once.
    pub(crate) freezes: u32,
    pub(crate) grace: Duration,
    /// No clock is further ahead or behind than this when its process begins.
    pub(crate) skew: Duration,
    /// Lives of a thousand whose clock is set by up to a day, ahead or back.
    pub(crate) steps: u32,
    /// Keys of a page of a listing.
    pub(crate) page: usize,
    /// Longest pause of a client between two requests.
    pub(crate) pause: Duration,
    pub(crate) max_row_groups: usize,
    /// Whether shifters take turns by leases.
    pub(crate) leases: bool,
    /// Whether damaged segments appear.
    pub(crate) vandal: bool,
}

impl Scenario {
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed).part("scenario");
        let storm = dice.chance(150);
        let quiet = dice.chance(100);
        let odds = Odds {
            trouble: if quiet { 0 } else { *dice.pick(&[10, 40, 100]) as u32 },
            refused: if storm { 500 } else { 30 },
            truncated: if quiet { 0 } else { 20 },
            stalled: if quiet { 0 } else { *dice.pick(&[5, 30]) as u32 },
        };
        let shifters = match dice.between(0, 9) {
            0 => 8,
            1 | 2 => 4,
            _ => 2,
        };
        let tables = if dice.chance(250) { vec![Table::Spans, Table::Events] } else { vec![Table::Logs] };
        Self {
            ingesters: 2,
            clients: 2,
            requests: dice.between(2, 5),
            shifters,
            readers: 2,
            tables,
            odds,
            kills: if quiet { 0 } else { 600 },
            freezes: if quiet { 0 } else { 100 },
            grace: Duration::from_millis(*dice.pick(&[50, 30_000, 600_000])),
            // S3 refuses requests of clocks that are wrong by more than 15 minutes; other stores refuse nothing.
            skew: Duration::from_secs(*dice.pick(&[0, 150, 840, DAY_SECONDS, DAY_SECONDS])),
            steps: *dice.pick(&[0, 0, 0, 300]) as u32,
            page: usize::try_from(*dice.pick(&[2, 3, 1_000])).unwrap_or(1_000),
            pause: Duration::from_millis(*dice.pick(&[300, 5_000, 400_000, 7_200_000])),
            max_row_groups: usize::try_from(*dice.pick(&[2, 4, 1_024])).unwrap_or(1_024),
            leases: dice.chance(300),
            vandal: dice.chance(300),
        }
    }
}
