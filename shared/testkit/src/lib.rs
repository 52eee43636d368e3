//! What tests hand to the code instead of the machine's own: a clock that a test moves, ids that repeat, an object store that fails,
//! an S3 server, the services of the local stack, a network that breaks, the side of AWS Lambda that a function sees,
//! messages that are written by hand.
//!
//! Only ever a dev-dependency. `tests/tidy.rs` beside it holds the repository's own rules.
//!
//! ```
//! use icegate_model::{Clock, Timestamp};
//! use std::time::Duration;
//!
//! let clock = icegate_testkit::ManualClock::at(Timestamp::from_secs(100));
//! clock.advance(Duration::from_secs(5));
//! assert_eq!(clock.now(), Timestamp::from_secs(105));
//! ```

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod clocked_store;
mod dice;
mod faulty_store;
mod lambda;
mod local_stack;
mod log_file;
mod network;
mod odds;
mod ports;
mod protobuf;
mod s3_server;
mod script;
mod tcp_proxy;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use icegate_model::{Clock, IdGenerator, Timestamp, UniqueId};

pub use clocked_store::{ClockedStore, Deleted};
pub use dice::Dice;
pub use faulty_store::FaultyStore;
pub use lambda::{Invoked, LambdaFunction};
pub use local_stack::LocalStack;
pub use log_file::LogFile;
pub use network::{Call, Fate, Network, Operation, Trouble, When};
pub use odds::Odds;
pub use ports::free_ports;
pub use protobuf::Protobuf;
pub use s3_server::S3Server;
pub use script::Script;
pub use tcp_proxy::{TcpProxy, Traffic};

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.nanos()))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let nanos = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        self.0.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that are drawn from a seed: the same seed gives the same ids, and two seeds never meet in practice, not even in half of
/// their bits.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    next: AtomicU64,
}

impl SeededIds {
    /// The ids of one seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }
}

impl IdGenerator for SeededIds {
    fn unique(&self) -> UniqueId {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let high = mixed(mixed(self.seed).wrapping_add(number));
        let low = mixed(high ^ number);
        UniqueId((u128::from(high) << 64) | u128::from(low))
    }
}

/// A bijection of 64 bits in which every input bit changes about half of the output bits (splitmix64's finaliser).
const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
