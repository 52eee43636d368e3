use std::fmt;

/// What the caller has to do about an error; each crate's error type maps to one of these.
///
/// A kind becomes an HTTP status, a gRPC code and an exit code in one place each (`icegate-http`, `local`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request or configuration is wrong; repeating it won't help.
    Invalid,
    /// Who asks isn't known: the credentials are missing or wrong.
    Unauthenticated,
    /// Who asks is known, and may not do this.
    Forbidden,
    /// What was named doesn't exist.
    NotFound,
    /// Somebody else changed it first; look again and retry.
    Conflict,
    /// A dependency or buffer can't take it now; retry later.
    Unavailable,
    /// A configured bound was reached.
    LimitExceeded,
    /// Valid, but not something this build can do.
    Unsupported,
    /// Stored bytes aren't what was written.
    Corrupt,
    /// A defect in IceGate.
    Internal,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::LimitExceeded => "limit exceeded",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::Internal => "internal",
        })
    }
}
