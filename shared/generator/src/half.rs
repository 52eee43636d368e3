//! One side of a request between two services.

use icegate_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attributes::Labels;

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Who asks, or sends a message.
    Client,
    /// Who is asked, or takes the message.
    Server,
}

/// What a span tells of a request, as long as the other side's span is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    /// Whose span it was.
    pub side: Side,
    /// The trace.
    pub trace: Vec<u8>,
    /// The client's span, which is the parent of the server's.
    pub span: Vec<u8>,
    /// The pass that brought it in.
    pub arrived: Timestamp,
    pub(crate) service: String,
    /// Nanoseconds since the epoch.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) failed: bool,
    pub(crate) messaging: bool,
    /// Whom the span's attributes name as the other side.
    pub(crate) peer: Option<String>,
    pub(crate) dimensions: Labels,
}

impl Half {
    pub(crate) fn nanos(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}
