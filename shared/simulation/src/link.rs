//! The network between one life of a process and the store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use icegate_testkit::{Call, Dice, Fate, Network, When};
use object_store::Error;
use tokio_util::sync::CancellationToken;

use crate::objects::Object;
use crate::world::World;

/// Longest time between two machines on a good day.
const LATENCY_MILLIS: u64 = 25;
/// Longest time on a bad one: longer than one attempt of a put may take.
const STALL_MILLIS: u64 = 15_000;

/// How a life goes wrong, decided when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    /// It doesn't.
    None,
    /// Killed at this request, counted from 1, before or after its effect.
    Killed { request: u64, when: When },
    /// Stands still for so long before this request.
    Frozen { request: u64, pause: Duration },
}

pub(crate) struct Link {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
    pub(crate) name: String,
    pub(crate) dead: CancellationToken,
    pub(crate) doom: Doom,
    pub(crate) dice: Dice,
    requests: AtomicU64,
    troubles: AtomicU64,
    frozen: AtomicBool,
    /// How often each request was made.
    made: Mutex<BTreeMap<String, u64>>,
    /// The request after whose effect the process dies.
    last: Mutex<Option<Call>>,
}

impl Link {
    pub(crate) fn new(world: Arc<World>, process: usize, name: String, doom: Doom, dice: Dice) -> Arc<Self> {
        Arc::new(Self {
            world,
            process,
            name,
            dead: CancellationToken::new(),
            doom,
            dice,
            requests: AtomicU64::new(0),
            troubles: AtomicU64::new(0),
            frozen: AtomicBool::new(false),
            made: Mutex::default(),
            last: Mutex::default(),
        })
    }

    /// What the network did to this life so far.
    pub(crate) fn troubles(&self) -> u64 {
        self.troubles.load(Ordering::SeqCst)
    }

    pub(crate) fn was_frozen(&self) -> bool {
        self.frozen.load(Ordering::SeqCst)
    }

    /// Dice of this request alone: whatever else happens at the same time, it meets the same fate.
    fn dice_of(&self, call: &Call) -> Dice {
        let name = format!("{:?} {}", call.operation, call.path);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let times = made.entry(name.clone()).or_default();
        *times += 1;
        self.dice.part(&format!("{name} {times}"))
    }

    fn latency(&self, dice: &mut Dice) -> Duration {
        let latency = Duration::from_millis(dice.between(0, LATENCY_MILLIS));
        if !dice.chance(self.world.scenario.odds.stalled) || self.world.is_calm() {
            return latency;
        }
        self.world.count("fault: a request or reply stalls");
        latency + Duration::from_millis(dice.between(1_000, STALL_MILLIS))
    }

    fn freezes(&self, number: u64) -> Option<Duration> {
        match self.doom {
            Doom::Frozen { request, pause } if request == number && !self.world.is_calm() => Some(pause),
            _ => None,
        }
    }

    fn dies(&self, number: u64) -> Option<When> {
        match self.doom {
            Doom::Killed { request, when } if request == number && !self.world.is_calm() => Some(when),
            _ => None,
        }
    }

    async fn die(&self, call: &Call, when: When) -> ! {
        let object = Object::of(&call.path);
        self.world.note(&self.name, &format!("KILLED {when:?} {:?} {}", call.operation, call.path));
        self.world.count("kills");
        if when == When::After
            && let Some(event) = object.killed_after(call.operation)
        {
            self.world.count(event);
        }
        self.dead.cancel();
        std::future::pending().await
    }

    /// What a request of a dead process still does.
    async fn straggle(&self, call: &Call, dice: &mut Dice) {
        if !call.operation.changes() || dice.chance(500) {
            std::future::pending::<()>().await;
        }
        self.world.note(&self.name, "the next is a straggler of a dead process");
        self.world.count("event: request of a dead process arrives");
    }

    fn note(&self, call: &Call, fate: Fate, result: Option<&Result<(), &Error>>) {
        let said = match result {
            None => "never arrives".to_owned(),
            Some(Ok(())) => "ok".to_owned(),
            Some(Err(Error::NotFound { .. })) => "not found".to_owned(),
            Some(Err(Error::AlreadyExists { .. })) => "already exists".to_owned(),
            Some(Err(Error::Precondition { .. })) => "precondition failed".to_owned(),
            Some(Err(error)) => format!("failed: {error}"),
        };
        let heard = match fate.trouble {
            Some((_, trouble)) => format!(", hears {trouble}"),
            None if fate.truncated => ", body breaks off".to_owned(),
            None => String::new(),
        };
        self.world.note(&self.name, &format!("{:?} {}: {said}{heard}", call.operation, call.path));
    }
}

#[async_trait]
impl Network for Link {
    async fn request(&self, call: &Call) -> Fate {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        if self.dead.is_cancelled() {
            std::future::pending::<()>().await;
        }
        let mut dice = self.dice_of(call);
        let mut delay = self.latency(&mut dice);
        if let Some(pause) = self.freezes(number) {
            self.frozen.store(true, Ordering::SeqCst);
            self.world.note(&self.name, &format!("FROZEN for {} s", pause.as_secs()));
            self.world.count("freezes");
            delay += pause;
        }
        self.world.turns.after(self.process, delay).await;
        if self.dead.is_cancelled() {
            self.straggle(call, &mut dice).await;
            return Fate::default();
        }
        match self.dies(number) {
            Some(When::Before) => self.die(call, When::Before).await,
            Some(When::After) => *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(call.clone()),
            None => {}
        }
        let fate = if self.world.is_calm() { Fate::default() } else { self.world.scenario.odds.fate(call, &mut dice) };
        if let Some((when, trouble)) = fate.trouble {
            self.troubles.fetch_add(1, Ordering::SeqCst);
            let when = if when == When::Before { "before" } else { "after" };
            self.world.count(format!("fault: {:?} {when} its effect: {trouble}", call.operation));
        }
        if fate.truncated {
            self.troubles.fetch_add(1, Ordering::SeqCst);
            self.world.count("fault: a body breaks off");
        }
        fate
    }

    async fn reply(&self, call: &Call, fate: Fate, result: Option<Result<(), &Error>>) {
        self.note(call, fate, result.as_ref());
        if let Some(result) = &result {
            self.world.observe(call, fate, result).await;
        }
        let dying = self.last.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(call);
        if dying && !self.dead.is_cancelled() {
            self.die(call, When::After).await;
        }
        let mut dice = self.dice_of(call).part("reply");
        let delay = self.latency(&mut dice);
        self.world.turns.after(self.process, delay).await;
        if self.dead.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("name", &self.name).field("doom", &self.doom).finish_non_exhaustive()
    }
}
