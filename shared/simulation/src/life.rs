//! Processes: each life of one has memory, ids and a fate of its own.

use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, IdGenerator};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_testkit::{Dice, FaultyStore, SeededIds, When};
use icegate_wal::Wal;
use tokio::time::Instant;

use crate::link::{Doom, Link};
use crate::virtual_clock::{Step, VirtualClock};
use crate::world::World;

/// Requests that a life has before it is killed, at most.
const LONGEST_LIFE: u64 = 40;

const HOUR_MILLIS: i64 = 3_600_000;

/// Longer than a commit may take, and than orphans are kept.
pub(crate) const LONGEST_FREEZE: Duration = Duration::from_secs(9_000);

/// One life of a process.
pub(crate) struct Life {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
    pub(crate) link: Arc<Link>,
    pub(crate) clock: Arc<dyn Clock>,
    virtual_clock: Arc<VirtualClock>,
    ahead_by_millis: i64,
    pub(crate) ids: Arc<dyn IdGenerator>,
    root: Root,
}

impl Life {
    pub(crate) fn begin(world: &Arc<World>, process: usize, name: &str, number: u64) -> Self {
        let skew = i64::try_from(world.scenario.skew.as_millis()).unwrap_or(0);
        let wide = u64::try_from(2 * skew).unwrap_or(0);
        let ahead = i64::try_from(world.dice(&format!("{name} clock")).between(0, wide)).unwrap_or(0) - skew;
        let mut dice = world.dice(&format!("{name} {number}"));
        let doom = doom(world, &mut dice);
        let ids = SeededIds::new(dice.next());
        let step = step(world, &mut dice.part("clock"));
        let clock = Arc::new(VirtualClock::wrong(world.turns.began(), ahead, step));
        let link = Link::new(Arc::clone(world), process, format!("{name}.{number}"), doom, dice.part("network"));
        let store = FaultyStore::new(Arc::clone(&world.root.store), Arc::clone(&link) as _).with_page(world.scenario.page);
        Self {
            world: Arc::clone(world),
            process,
            link,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            virtual_clock: clock,
            ahead_by_millis: ahead,
            ids: Arc::new(ids),
            root: world.root.with_store(Arc::new(store)),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.link.name
    }

    pub(crate) fn note(&self, what: &str) {
        self.world.note(self.name(), what);
    }

    /// Whether its clock is wrong by hours, or was set while it lived.
    pub(crate) fn has_a_wrong_clock(&self) -> bool {
        self.ahead_by_millis.abs() > HOUR_MILLIS || self.clock_was_set()
    }

    pub(crate) fn clock_was_set(&self) -> bool {
        self.virtual_clock.was_set()
    }

    pub(crate) fn dice(&self) -> Dice {
        self.link.dice.part("acts")
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    pub(crate) fn wal(&self) -> Arc<Wal> {
        Arc::new(Wal::new(self.root.child("queue")))
    }

    pub(crate) fn tables(&self) -> Arc<Tables> {
        let tables = Tables::object_store(self.root.child("warehouse"), Arc::clone(&self.clock), Arc::clone(&self.ids));
        Arc::new(tables)
    }

    pub(crate) async fn pause(&self, pause: Duration) {
        self.world.turns.after(self.process, pause).await;
    }
}

/// When and by how much the clock of a life is set, in a run that has such clocks.
fn step(world: &World, dice: &mut Dice) -> Option<Step> {
    if world.is_calm() || !dice.chance(world.scenario.steps) {
        return None;
    }
    let longest = u64::try_from(4 * world.scenario.pause.as_millis()).unwrap_or(0);
    let at = Instant::now() + Duration::from_millis(dice.between(0, longest));
    let by_millis = i64::try_from(dice.between(HOUR_MILLIS as u64, 24 * HOUR_MILLIS as u64)).unwrap_or(0);
    Some(Step::new(at, if dice.chance(500) { by_millis } else { -by_millis }))
}

fn doom(world: &World, dice: &mut Dice) -> Doom {
    let request = dice.between(1, LONGEST_LIFE);
    let when = if dice.chance(300) { When::Before } else { When::After };
    let pause = *dice.pick(&[Duration::from_secs(20), Duration::from_secs(2_700), LONGEST_FREEZE]);
    if dice.chance(world.scenario.kills) {
        Doom::Killed { request, when }
    } else if dice.chance(world.scenario.freezes) {
        Doom::Frozen { request, pause }
    } else {
        Doom::None
    }
}

fn count_clock(life: &Life) {
    if life.clock_was_set() {
        life.world.count("event: a clock is set by hours while its process lives");
    }
}

/// Lives one life after the other until one ends by itself.
pub(crate) async fn live<F, Fut>(world: Arc<World>, process: usize, name: String, role: F)
where
    F: Fn(Arc<Life>) -> Fut,
    Fut: Future<Output = ()>,
{
    let mut dice = world.dice(&name);
    for number in 0.. {
        let life = Arc::new(Life::begin(&world, process, &name, number));
        let dead = life.link.dead.clone();
        tokio::select! {
            biased;
            // Whatever it was waiting for, it stops there.
            () = dead.cancelled() => {}
            () = role(Arc::clone(&life)) => {
                count_clock(&life);
                return;
            }
        }
        count_clock(&life);
        world.turns.after(process, Duration::from_millis(dice.between(50, 2_000))).await;
        life.note("starts anew");
    }
}
