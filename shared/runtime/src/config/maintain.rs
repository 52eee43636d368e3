use serde::Deserialize;

/// Least `maintain.orphan_grace_secs`: twice the longest time that a commit may take, after which its files are nobody's.
pub const MIN_ORPHAN_GRACE_SECS: u64 = 2 * 60 * 60;

/// `maintain`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Maintain {
    /// Whether `icegate run` looks after the tables; `icegate maintain run` does in any case.
    pub enabled: bool,
    /// Seconds between two looks.
    pub interval_secs: u64,
    /// Seconds that a snapshot stays at least after it was replaced; longer than a query may take.
    pub snapshot_retention_secs: u64,
    /// Snapshots that stay at least.
    pub min_snapshots_to_keep: usize,
    /// Seconds that an object which no snapshot refers to stays at least.
    pub orphan_grace_secs: u64,
}

impl Default for Maintain {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_secs: 60 * 60,
            snapshot_retention_secs: 2 * 60 * 60,
            min_snapshots_to_keep: 10,
            orphan_grace_secs: 3 * 24 * 60 * 60,
        }
    }
}
