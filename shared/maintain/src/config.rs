use std::time::Duration;

use icegate_tables::Retention;

/// What is old enough to go.
#[derive(Clone, Copy, Debug)]
pub struct MaintainConfig {
    /// How often the tables are looked after.
    pub interval: Duration,
    /// Which snapshots stay; its time is longer than the longest query.
    pub retention: Retention,
    /// How old an object is at least before it is removed; `icegate_tables::MIN_ORPHAN_GRACE` where this is less.
    pub orphan_grace: Duration,
}

impl Default for MaintainConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60 * 60),
            retention: Retention { time: Duration::from_secs(2 * 60 * 60), snapshots: 10 },
            orphan_grace: Duration::from_secs(3 * 24 * 60 * 60),
        }
    }
}
