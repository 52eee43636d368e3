//! What can happen to a request between a client and an object store.

use std::fmt;

use async_trait::async_trait;
use object_store::Error;
use object_store::path::Path;

/// What a client asks of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Write, whatever is there.
    Put,
    /// Write where nothing is.
    Create,
    /// Write over a known version.
    Update,
    /// Read a whole object.
    Get,
    /// Read a part of an object.
    GetRange,
    /// Ask whether an object is there.
    Head,
    /// One page of a listing.
    List,
    /// Delete one object.
    Delete,
    /// Copy one object.
    Copy,
}

impl Operation {
    /// Whether the store changes by it.
    #[must_use]
    pub const fn changes(self) -> bool {
        matches!(self, Self::Put | Self::Create | Self::Update | Self::Delete | Self::Copy)
    }

    /// Whether it depends on what is there.
    #[must_use]
    pub const fn is_conditional(self) -> bool {
        matches!(self, Self::Create | Self::Update)
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is asked.
    pub operation: Operation,
    /// Of which object or prefix.
    pub path: Path,
}

/// When something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// The request never arrives.
    Before,
    /// The request has its effect, its reply is lost.
    After,
}

/// What a client hears instead of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// The connection breaks.
    Reset,
    /// 500 Internal Server Error.
    Internal,
    /// 503 Slow Down.
    SlowDown,
    /// 409 Conflict: another conditional request for the key is under way. Says nothing of what is there.
    Conflict,
    /// 412 Precondition Failed. After the effect: the client repeated a request whose reply was lost and met its own object.
    Precondition,
}

impl Trouble {
    /// The error that `object_store` makes of it.
    #[must_use]
    pub fn error(self, call: &Call) -> Error {
        let path = call.path.to_string();
        let source = || format!("{:?} {path}: {self}", call.operation).into();
        match (self, call.operation) {
            (Self::Conflict | Self::Precondition, Operation::Create) => Error::AlreadyExists { source: source(), path },
            (Self::Conflict | Self::Precondition, _) => Error::Precondition { source: source(), path },
            _ => Error::Generic { store: "FaultyStore", source: source() },
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reset => "connection reset by peer",
            Self::Internal => "500 Internal Server Error",
            Self::SlowDown => "503 Slow Down",
            Self::Conflict => "409 Conflict",
            Self::Precondition => "412 Precondition Failed",
        })
    }
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// What goes wrong, and when.
    pub trouble: Option<(When, Trouble)>,
    /// The body of the reply breaks off.
    pub truncated: bool,
}

/// Between a client and a store: decides, delays and watches. Times are whatever the runtime's clock says, so with a paused
/// one they are virtual.
#[async_trait]
pub trait Network: fmt::Debug + Send + Sync {
    /// Waits until the request arrives at the store, or would have. One that never returns has lost the client for good.
    async fn request(&self, call: &Call) -> Fate;

    /// Waits until the client has its reply. `result` is what the store said, none where the request never arrived.
    async fn reply(&self, call: &Call, fate: Fate, result: Option<Result<(), &Error>>);
}
