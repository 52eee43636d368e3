use arrow::error::ArrowError;
use icegate_model::ErrorKind;

use crate::remote_write::WireError;

/// Why a whole request was refused, or why rows can't be made into OTLP again.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// The body isn't the protobuf of the signal's request; the source names the field.
    #[error("request is not valid OTLP protobuf: {source}")]
    Protobuf {
        /// Names the path of fields and what is wrong there.
        source: prost::DecodeError,
    },
    /// The body isn't the JSON of the signal's request; the source has line and column.
    #[error("request is not valid OTLP/JSON at {path}: {source}")]
    Json {
        /// Members and indices down to the mistake, `.` for the document itself.
        path: String,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// The body isn't the protobuf of a remote write.
    #[error("request is no valid protobuf of {message}: {source}")]
    RemoteWrite {
        /// The message that it should be.
        message: &'static str,
        /// What is wrong.
        source: WireError,
    },
    /// The symbols of a remote write are more than may be looked up.
    #[error("request has more than {limit} symbols, send smaller requests")]
    TooManySymbols {
        /// How many are allowed.
        limit: usize,
    },
    /// The rows of the request are larger than [`crate::Limits::rows_bytes`].
    #[error("request makes more than {limit} bytes of rows, send smaller requests")]
    RowsTooLarge {
        /// The bound.
        limit: usize,
    },
    /// Built columns don't fit together: a defect.
    #[error("rows can't be built: {source}")]
    Rows {
        /// What Arrow says.
        #[from]
        source: ArrowError,
    },
    /// A column that rows must have to be made into OTLP again is missing or of another type.
    #[error("rows have no column {column} of type {expected}")]
    Column {
        /// The column's name.
        column: &'static str,
        /// The type it must have.
        expected: String,
    },
    /// A stored cell doesn't hold what its type says.
    #[error("column {column} holds {text:?}, which is not {expected}")]
    Cell {
        /// The column's name.
        column: &'static str,
        /// What is stored, cut to a printable length.
        text: String,
        /// What it should be.
        expected: String,
    },
}

impl OtlpError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Protobuf { .. } | Self::Json { .. } | Self::RemoteWrite { .. } => ErrorKind::Invalid,
            Self::RowsTooLarge { .. } | Self::TooManySymbols { .. } => ErrorKind::LimitExceeded,
            Self::Rows { .. } => ErrorKind::Internal,
            Self::Column { .. } | Self::Cell { .. } => ErrorKind::Corrupt,
        }
    }
}
