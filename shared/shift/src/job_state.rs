use icegate_model::{Table, Timestamp};
use serde::{Deserialize, Serialize};

/// What a shifter leaves behind after a pass that did something, for whoever looks after the system. Nothing reads it back to
/// decide anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobState {
    /// The table.
    pub table: String,
    /// Who wrote this.
    pub by: String,
    /// When, microseconds UTC.
    pub at_micros: i64,
    /// The last commit of this shifter's pass; none where there was nothing to commit or it failed.
    pub commit: Option<CommitState>,
    /// Segments that are not in the table yet.
    pub pending_segments: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Age of the oldest of them when the pass began.
    pub lag_seconds: f64,
    /// Segments that are set aside because they can't be read; `quarantine/{table}/` beside the segments says why.
    pub quarantined: Vec<String>,
    /// Segments of a later format than this shifter reads.
    pub newer_format: u64,
    /// Why the pass failed.
    pub error: Option<String>,
}

/// What a commit brought in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CommitState {
    /// The Iceberg snapshot.
    pub snapshot: i64,
    /// Segments.
    pub segments: u64,
    /// Rows.
    pub rows: u64,
    /// Rows of repeated requests that were left out.
    pub repeated_rows: u64,
    /// Milliseconds that the pass took.
    pub millis: u64,
}

impl JobState {
    pub(crate) fn new(table: Table, by: &str, at: Timestamp) -> Self {
        Self { table: table.name().to_owned(), by: by.to_owned(), at_micros: at.micros(), ..Self::default() }
    }
}

/// How job state is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// JSON text.
    #[default]
    Json,
    /// CBOR (RFC 8949).
    Cbor,
}

impl Codec {
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cbor => "cbor",
        }
    }

    pub(crate) fn encode(self, state: &JobState) -> Result<Vec<u8>, String> {
        match self {
            Self::Json => serde_json::to_vec(state).map_err(|error| error.to_string()),
            Self::Cbor => {
                let mut bytes = Vec::new();
                ciborium::into_writer(state, &mut bytes).map_err(|error| error.to_string())?;
                Ok(bytes)
            }
        }
    }

    pub(crate) fn decode(self, bytes: &[u8]) -> Result<JobState, String> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
            Self::Cbor => ciborium::from_reader(bytes).map_err(|error| error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> JobState {
        let commit = CommitState { snapshot: 7, segments: 2, rows: 30, repeated_rows: 1, millis: 12 };
        let quarantined = vec!["s.parquet".to_owned()];
        JobState {
            commit: Some(commit),
            quarantined,
            lag_seconds: 1.5,
            ..JobState::new(Table::Logs, "a-1", Timestamp::from_secs(1))
        }
    }

    #[test]
    fn both_codecs_read_back_what_they_wrote() {
        for codec in [Codec::Json, Codec::Cbor] {
            assert_eq!(codec.decode(&codec.encode(&sample()).unwrap()), Ok(sample()));
            assert!(codec.decode(b"{").is_err());
        }
    }

    #[test]
    fn json_is_for_people_and_cbor_is_a_map_of_the_same_keys() {
        let json = String::from_utf8(Codec::Json.encode(&sample()).unwrap()).unwrap();
        assert!(json.starts_with(r#"{"table":"logs","by":"a-1","at-micros":1000000,"commit":{"snapshot":7,"#), "{json}");
        let cbor = Codec::Cbor.encode(&sample()).unwrap();
        // A map of 10 pairs whose first key is the text "table" (RFC 8949, section 3.1).
        assert_eq!(&cbor[..7], [0xaa, 0x65, b't', b'a', b'b', b'l', b'e']);
    }
}
