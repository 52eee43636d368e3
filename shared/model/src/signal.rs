use std::fmt;
use std::str::FromStr;

/// What an OTLP request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Log records.
    Logs,
    /// Spans.
    Traces,
    /// Metric points.
    Metrics,
}

impl Signal {
    /// All signals, in the order of their ports' documentation.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Traces, Self::Metrics];

    /// The signal's name in OTLP paths, configuration and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One of the Iceberg tables, all in namespace `icegate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Log records, one row each.
    Logs,
    /// Spans, one row each, events and links inside.
    Spans,
    /// Metric points, one row each.
    Metrics,
    /// Log records that are events by OpenTelemetry's conventions, beside their row in `logs`.
    Events,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Logs, Self::Spans, Self::Metrics, Self::Events];

    /// The table's name in the catalog, in object keys and in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Spans => "spans",
            Self::Metrics => "metrics",
            Self::Events => "events",
        }
    }

    /// Its place in [`Table::ALL`], for what is kept of each table in an array.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Table {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|table| table.name() == text)
            .ok_or_else(|| format!("no table {text:?}, allowed are logs, spans, metrics, events"))
    }
}
