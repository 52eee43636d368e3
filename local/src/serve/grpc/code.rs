use icegate_model::ErrorKind;
use tonic::Code;

/// What an error is to clients of gRPC: the one place where a kind becomes a code.
pub(super) const fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Forbidden => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Unavailable | ErrorKind::Conflict => Code::Unavailable,
        ErrorKind::LimitExceeded => Code::ResourceExhausted,
        ErrorKind::Unsupported => Code::Unimplemented,
        ErrorKind::Corrupt => Code::DataLoss,
        ErrorKind::Internal => Code::Internal,
    }
}
