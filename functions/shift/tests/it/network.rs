//! What lies between an environment and the store.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use icegate_testkit::{Call, Dice, Fate, Network, Trouble, When};
use object_store::Error;

/// Answers a part of the requests with 503 Slow Down, others only after a while, those for some keys never or always with an error.
#[derive(Debug)]
pub(crate) struct Between {
    pub(crate) dice: Mutex<Dice>,
    /// Requests of a thousand.
    pub(crate) throttled: u32,
    pub(crate) delay: Duration,
    /// A piece of the keys that are never answered.
    pub(crate) silent: Option<&'static str>,
    /// A piece of the keys that always fail.
    pub(crate) broken: Option<&'static str>,
}

impl Between {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Mutex::new(Dice::new(seed)), throttled: 0, delay: Duration::ZERO, silent: None, broken: None }
    }
}

#[async_trait]
impl Network for Between {
    async fn request(&self, call: &Call) -> Fate {
        let holds = |piece: Option<&str>| piece.is_some_and(|piece| call.path.as_ref().contains(piece));
        if holds(self.silent) {
            std::future::pending::<()>().await;
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let throttled = holds(self.broken) || self.dice.lock().unwrap().chance(self.throttled);
        Fate { trouble: throttled.then_some((When::Before, Trouble::SlowDown)), truncated: false }
    }

    async fn reply(&self, _: &Call, _: Fate, _: Option<Result<(), &Error>>) {}
}
