//! What a Prometheus writes to another one, as rows of `metrics` whose names and labels are its own.
//!
//! Messages are read field by field where they lie: one series is held at a time, and nothing is allocated for what a length or a
//! span promises before the bound on it has been looked at.

mod histogram;
mod labels;
mod rows;
mod samples;
mod wire;

use self::labels::Texts;
use self::rows::Build;
use self::wire::Fields;
pub use self::wire::WireError;
use crate::error::OtlpError;
use crate::{Limits, Origin, Rows};

/// Most symbols of a request; senders send some ten thousand.
const MAX_SYMBOLS: usize = 1 << 20;

/// Which protocol a body follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteVersion {
    /// `prometheus.WriteRequest`, of remote write 1.0.
    V1,
    /// `io.prometheus.write.v2.Request`, of remote write 2.0.
    V2,
}

impl WriteVersion {
    /// The name of its message.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::V1 => "prometheus.WriteRequest",
            Self::V2 => "io.prometheus.write.v2.Request",
        }
    }

    const fn histograms(self) -> u32 {
        match self {
            Self::V1 => 4,
            Self::V2 => 3,
        }
    }

    const fn exemplars(self) -> u32 {
        match self {
            Self::V1 => 3,
            Self::V2 => 4,
        }
    }
}

/// What was written, as rows.
#[derive(Debug, Default)]
pub struct Written {
    /// The rows, and what was refused.
    pub rows: Rows,
    /// Samples that became rows.
    pub samples: u64,
    /// Native histograms that became rows.
    pub histograms: u64,
    /// Exemplars that became rows.
    pub exemplars: u64,
}

/// Makes the rows of a remote write from its decompressed body.
///
/// A series, sample, histogram, exemplar or description that is refused refuses itself only; reasons name its place. Labels are kept as they are but
/// for those without a value, which are none. Types that a later protocol may have are `unknown`.
///
/// # Errors
/// [`OtlpError::RemoteWrite`] for a body that isn't the version's message, [`OtlpError::TooManySymbols`] and
/// [`OtlpError::RowsTooLarge`] for one that goes over a bound.
pub fn remote_write(version: WriteVersion, body: &[u8], origin: &Origin, limits: &Limits) -> Result<Written, OtlpError> {
    let failed = |source| OtlpError::RemoteWrite { message: version.message(), source };
    let symbols = match version {
        WriteVersion::V1 => Vec::new(),
        WriteVersion::V2 => symbols(body)?,
    };
    let texts = match version {
        WriteVersion::V1 => Texts::Inline,
        WriteVersion::V2 => Texts::Symbols(&symbols),
    };
    let (mut build, mut series, mut descriptions) = (Build::new(version, texts, origin, limits), 0_usize, 0_usize);
    for field in Fields::of(version.message(), body) {
        let field = field.map_err(failed)?;
        match (version, field.number) {
            (WriteVersion::V1, 1) | (WriteVersion::V2, 5) => {
                build.series(series, field.bytes().map_err(failed)?)?;
                series += 1;
            }
            (WriteVersion::V1, 3) => {
                build.description(descriptions, field.bytes().map_err(failed)?)?;
                descriptions += 1;
            }
            _ => {}
        }
    }
    build.finish()
}

/// All symbols; they may stand behind the series that refer to them.
fn symbols(body: &[u8]) -> Result<Vec<&[u8]>, OtlpError> {
    let message = WriteVersion::V2.message();
    let mut symbols = Vec::new();
    for field in Fields::of(message, body) {
        let field = field.map_err(|source| OtlpError::RemoteWrite { message, source })?;
        if field.number == 4 {
            if symbols.len() == MAX_SYMBOLS {
                return Err(OtlpError::TooManySymbols { limit: MAX_SYMBOLS });
            }
            symbols.push(field.bytes().map_err(|source| OtlpError::RemoteWrite { message, source })?);
        }
    }
    Ok(symbols)
}
