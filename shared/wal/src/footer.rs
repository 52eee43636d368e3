use std::collections::BTreeSet;

use icegate_model::{AccountId, RequestId, TenantId};
use object_store::path::Path;
use parquet::file::metadata::ParquetMetaData;
use serde::{Deserialize, Serialize};

use crate::WalError;

/// The key of the footer in the Parquet metadata.
pub(crate) const KEY: &str = "icegate.wal";
/// The format that this build writes, and the only one it reads.
pub(crate) const VERSION: u32 = 1;
/// Most rows of a row group that this build reads: more is no segment of ours.
pub(crate) const MAX_ROW_GROUP_ROWS: u64 = 1 << 20;

/// What a segment says of its own rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// The format version.
    pub version: u32,
    /// The row groups, in the order of the file.
    pub row_groups: Vec<RowGroup>,
    /// The requests whose rows these are, in the order of the file.
    pub requests: Vec<RequestRows>,
}

/// A row group: rows of one tenant and account, in the order of their arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowGroup {
    /// Whose rows.
    pub tenant: TenantId,
    /// The part of the tenant.
    pub account: Option<AccountId>,
    /// How many, never 0.
    pub rows: u64,
    /// Earliest timestamp, microseconds UTC.
    pub min: i64,
    /// Latest timestamp, microseconds UTC.
    pub max: i64,
}

/// The rows of one request in a segment: `rows` of them from row `first` on, counted over all row groups of the file.
///
/// A run may cross row groups; all of them are of the request's tenant and account. A reader that has met the request before
/// leaves these rows out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRows {
    /// The request.
    pub id: RequestId,
    /// Its first row, from 0.
    pub first: u64,
    /// How many rows, never 0.
    pub rows: u64,
}

impl Footer {
    /// All rows of the segment.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.row_groups.iter().map(|group| group.rows).sum()
    }

    /// Whose rows the segment holds.
    #[must_use]
    pub fn tenants(&self) -> BTreeSet<&TenantId> {
        self.row_groups.iter().map(|group| &group.tenant).collect()
    }

    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        let row_groups = self.row_groups.iter().map(|group| WireRowGroup {
            tenant: group.tenant.to_string(),
            account: group.account.as_ref().map(ToString::to_string),
            rows: group.rows,
            min: group.min,
            max: group.max,
        });
        let requests = self.requests.iter().map(|run| WireRequest { id: run.id.to_string(), first: run.first, rows: run.rows });
        serde_json::to_string(&Wire { version: self.version, row_groups: row_groups.collect(), requests: requests.collect() })
    }

    /// The footer in a file's metadata, checked against the file.
    pub(crate) fn of(path: &Path, metadata: &ParquetMetaData) -> Result<Self, WalError> {
        let values = metadata.file_metadata().key_value_metadata();
        let json = values.into_iter().flatten().find(|value| value.key == KEY).and_then(|value| value.value.as_deref());
        let json = json.ok_or_else(|| WalError::corrupt(path, format!("its Parquet metadata has no key {KEY:?}")))?;
        let footer = Self::from_json(path, json)?;
        footer.check(metadata).map_err(|reason| WalError::corrupt(path, reason))?;
        Ok(footer)
    }

    fn from_json(path: &Path, json: &str) -> Result<Self, WalError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let invalid = |error: serde_json::Error| WalError::corrupt(path, format!("its footer can't be read: {error}"));
        let Versioned { version } = serde_json::from_str(json).map_err(invalid)?;
        if version != VERSION {
            return Err(WalError::Version { path: path.clone(), version, allowed: VERSION });
        }
        let wire: Wire = serde_json::from_str(json).map_err(invalid)?;
        wire.read().map_err(|reason| WalError::corrupt(path, format!("its footer can't be read: {reason}")))
    }

    fn check(&self, metadata: &ParquetMetaData) -> Result<(), &'static str> {
        let stored = metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0));
        if !stored.eq(self.row_groups.iter().map(|group| group.rows)) {
            return Err("its footer and its row groups differ");
        }
        if self.row_groups.iter().any(|group| !(1..=MAX_ROW_GROUP_ROWS).contains(&group.rows) || group.min > group.max) {
            return Err("a row group is empty or too large");
        }
        let mut next = 0;
        for run in &self.requests {
            if run.first != next || run.rows == 0 {
                return Err("the rows of its requests are not one after the other");
            }
            next = run.first.saturating_add(run.rows);
        }
        if next == self.rows() { Ok(()) } else { Err("the rows of its requests are not all of its rows") }
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    row_groups: Vec<WireRowGroup>,
    requests: Vec<WireRequest>,
}

#[derive(Serialize, Deserialize)]
struct WireRowGroup {
    tenant: String,
    account: Option<String>,
    rows: u64,
    min: i64,
    max: i64,
}

#[derive(Serialize, Deserialize)]
struct WireRequest {
    id: String,
    first: u64,
    rows: u64,
}

impl Wire {
    fn read(self) -> Result<Footer, String> {
        let row_group = |wire: WireRowGroup| {
            Ok(RowGroup {
                tenant: wire.tenant.parse().map_err(|error| format!("{error}"))?,
                account: wire.account.map(|account| account.parse()).transpose().map_err(|error| format!("{error}"))?,
                rows: wire.rows,
                min: wire.min,
                max: wire.max,
            })
        };
        let request = |wire: WireRequest| {
            let id = wire.id.parse().map_err(|error| format!("request id {:?}: {error}", wire.id))?;
            Ok(RequestRows { id, first: wire.first, rows: wire.rows })
        };
        Ok(Footer {
            version: self.version,
            row_groups: self.row_groups.into_iter().map(row_group).collect::<Result<_, String>>()?,
            requests: self.requests.into_iter().map(request).collect::<Result<_, String>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_what_version_1_says() {
        let footer = Footer {
            version: 1,
            row_groups: vec![RowGroup { tenant: "a".parse().unwrap(), account: None, rows: 3, min: -1, max: 5 }],
            requests: vec![RequestRows { id: RequestId(0xab), first: 0, rows: 3 }],
        };
        let json = concat!(
            r#"{"version":1,"row_groups":[{"tenant":"a","account":null,"rows":3,"min":-1,"max":5}],"#,
            r#""requests":[{"id":"000000000000000000000000000000ab","first":0,"rows":3}]}"#
        );
        assert_eq!(footer.to_json().unwrap(), json);
        assert_eq!(Footer::from_json(&Path::from("s"), json).unwrap(), footer);
    }

    #[test]
    fn a_later_version_is_named_whatever_else_it_holds() {
        let error = Footer::from_json(&Path::from("s"), r#"{"version":2,"blocks":{}}"#).unwrap_err();
        assert_eq!(error.to_string(), "segment s has format version 2, allowed is 1");
        assert_eq!(error.kind(), icegate_model::ErrorKind::Unsupported);
    }

    #[test]
    fn a_tenant_that_leaves_its_place_is_corrupt() {
        let json = r#"{"version":1,"row_groups":[{"tenant":"../a","account":null,"rows":3,"min":-1,"max":5}],"requests":[]}"#;
        assert!(matches!(Footer::from_json(&Path::from("s"), json), Err(WalError::Corrupt { .. })));
    }
}
