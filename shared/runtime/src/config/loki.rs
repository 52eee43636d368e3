use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// `loki`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Loki {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// How errors are answered where the client doesn't say.
    pub error_format: ErrorFormat,
    /// Queries of all tenants that run at once.
    pub max_concurrent_queries: usize,
    /// Whether a line filter of 32 hexadecimal digits also finds the lines of that trace.
    pub trace_id_line_filter: bool,
    /// Seconds that a query may take.
    pub query_timeout_secs: u64,
    /// Largest `limit` of a log query.
    pub max_entries_limit_per_query: usize,
    /// Most series of a metric query.
    pub max_query_series: usize,
    /// Longest time from a query's start to its end; 0 for any.
    pub max_query_length: LimitDuration,
    /// Longest window of a metric query, as in `[5m]`; 0 for any.
    pub max_query_range: LimitDuration,
    /// Bytes of the files and segments that a query would read; 0 for any.
    pub max_query_bytes_read: u64,
    /// Queries of one tenant that run at once; 0 for as many as of all tenants.
    pub max_concurrent_queries_per_tenant: usize,
    /// Tails of one tenant at once.
    pub max_concurrent_tail_requests: usize,
    /// Bounds of single tenants in place of those above.
    pub overrides: BTreeMap<String, LokiOverrides>,
}

impl Default for Loki {
    fn default() -> Self {
        Self {
            enabled: true,
            host: "0.0.0.0".to_owned(),
            port: 3100,
            error_format: ErrorFormat::Text,
            max_concurrent_queries: 64,
            trace_id_line_filter: true,
            query_timeout_secs: 60,
            max_entries_limit_per_query: 5000,
            max_query_series: 10_000,
            max_query_length: LimitDuration::default(),
            max_query_range: LimitDuration::default(),
            max_query_bytes_read: 0,
            max_concurrent_queries_per_tenant: 0,
            max_concurrent_tail_requests: 10,
            overrides: BTreeMap::new(),
        }
    }
}

/// `loki.overrides.TENANT`: the keys of `loki` that a tenant may have of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each key means what it means in `Loki`")]
pub struct LokiOverrides {
    pub query_timeout_secs: Option<u64>,
    pub max_entries_limit_per_query: Option<usize>,
    pub max_query_series: Option<usize>,
    pub max_query_length: Option<LimitDuration>,
    pub max_query_range: Option<LimitDuration>,
    pub max_query_bytes_read: Option<u64>,
    pub max_concurrent_queries_per_tenant: Option<usize>,
    pub max_concurrent_tail_requests: Option<usize>,
}

impl Loki {
    /// The keys that hold for a tenant with these overrides.
    #[must_use]
    pub fn with(&self, own: &LokiOverrides) -> Self {
        Self {
            query_timeout_secs: own.query_timeout_secs.unwrap_or(self.query_timeout_secs),
            max_entries_limit_per_query: own.max_entries_limit_per_query.unwrap_or(self.max_entries_limit_per_query),
            max_query_series: own.max_query_series.unwrap_or(self.max_query_series),
            max_query_length: own.max_query_length.unwrap_or(self.max_query_length),
            max_query_range: own.max_query_range.unwrap_or(self.max_query_range),
            max_query_bytes_read: own.max_query_bytes_read.unwrap_or(self.max_query_bytes_read),
            max_concurrent_queries_per_tenant: own
                .max_concurrent_queries_per_tenant
                .unwrap_or(self.max_concurrent_queries_per_tenant),
            max_concurrent_tail_requests: own.max_concurrent_tail_requests.unwrap_or(self.max_concurrent_tail_requests),
            overrides: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Each set of keys that holds for someone, with its path: that of all tenants, and those of tenants with overrides.
    pub(super) fn sets(&self) -> impl Iterator<Item = (String, Self)> {
        let own = self.overrides.iter().map(|(tenant, own)| (format!("loki.overrides.{tenant}"), self.with(own)));
        std::iter::once(("loki".to_owned(), self.clone())).chain(own)
    }
}

/// `loki.error_format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorFormat {
    /// The message alone, as Loki does.
    Text,
    /// A JSON object.
    Json,
}

/// A bound on time, such as `721h` or `30d12h`; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitDuration(Duration);

impl LimitDuration {
    /// The bound, if there is one.
    #[must_use]
    pub fn get(self) -> Option<Duration> {
        Some(self.0).filter(|bound| !bound.is_zero())
    }
}

impl<'de> Deserialize<'de> for LimitDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Number(u64),
            Text(String),
        }
        let allowed = "allowed are 0 and durations such as 721h or 30d12h, of y w d h m s ms";
        let given = Given::deserialize(deserializer).map_err(|_| D::Error::custom(allowed))?;
        let read = match &given {
            Given::Number(0) => Some(Duration::ZERO),
            Given::Number(_) => None,
            Given::Text(text) => duration(text),
        };
        read.map(Self).ok_or_else(|| match given {
            Given::Number(number) => D::Error::custom(format_args!("{number}: {allowed}")),
            Given::Text(text) => D::Error::custom(format_args!("{text:?}: {allowed}")),
        })
    }
}

/// Numbers with units, the largest unit first.
fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 7] =
        [("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut millis, mut units) = (text, 0_u64, &UNITS[..]);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        let place = units.iter().position(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(units[place].1)?)?;
        (rest, units) = (&rest[digits + letters..], &units[place + 1..]);
    }
    (!text.is_empty()).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_on_time_are_numbers_with_units() {
        for (text, seconds) in
            [("0", 0), ("0s", 0), ("721h", 2_595_600), ("30d12h", 2_635_200), ("1y", 31_536_000), ("1500ms", 1)]
        {
            assert_eq!(duration(text).map(|bound| bound.as_secs()), Some(seconds), "{text}");
        }
        for bad in ["", "5", "h", "1h1h", "1m1h", "-1h", "1.5h", "1 h", "99999999999y", "1é"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
