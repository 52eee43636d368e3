use std::fmt;

use icegate_model::{TenantId, UniqueId};

use crate::SegmentTenants;

/// Stands for several tenants; no tenant id can hold it.
const MANY: &str = "!";
const EXTENSION: &str = "parquet";

/// What a segment's file name says; drawn in the crate's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentName {
    /// Microseconds since the epoch.
    pub(crate) created: u64,
    pub(crate) id: UniqueId,
    pub(crate) tenants: SegmentTenants,
    pub(crate) min: i64,
    pub(crate) max: i64,
}

impl SegmentName {
    /// Reads exactly what `Display` writes; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let name = Self {
            created: next()?.parse().ok()?,
            id: next()?.parse().ok()?,
            tenants: match next()? {
                MANY => SegmentTenants::Many,
                tenant => SegmentTenants::One(tenant.parse().ok()?),
            },
            min: next()?.parse().ok()?,
            max: next()?.parse().ok()?,
        };
        // One spelling for one name: without this, leading zeros and signs would give a segment several.
        (name.min <= name.max && name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = match &self.tenants {
            SegmentTenants::One(tenant) => TenantId::as_str(tenant),
            SegmentTenants::Many => MANY,
        };
        write!(f, "{:020}.{}.{tenant}.{}.{}.{EXTENSION}", self.created, self.id, self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_what_the_layout_draws() {
        let name = SegmentName {
            created: 1_700_000_000_000_000,
            id: UniqueId(0xab),
            tenants: SegmentTenants::One("team-a".parse().unwrap()),
            min: -5,
            max: 7,
        };
        assert_eq!(name.to_string(), "00001700000000000000.000000000000000000000000000000ab.team-a.-5.7.parquet");
        let many = SegmentName { tenants: SegmentTenants::Many, ..name };
        assert_eq!(many.to_string(), "00001700000000000000.000000000000000000000000000000ab.!.-5.7.parquet");
    }

    #[test]
    fn what_no_writer_writes_is_no_name() {
        let good = "00000000000000000001.000000000000000000000000000000ab.t.-5.7.parquet";
        assert!(SegmentName::parse(good).is_some());
        for (from, to) in [
            ("00000000000000000001.", "1."),
            ("00000000000000000001.", "+0000000000000000001."),
            ("000000ab", "000000AB"),
            (".t.", "..x."),
            (".t.", ".."),
            (".t.", ".!!."),
            (".-5.", ".-05."),
            (".-5.", ".8."),
            (".parquet", ".parquet.tmp"),
            (".parquet", ""),
            (".parquet", ".PARQUET"),
        ] {
            let bad = good.replace(from, to);
            assert_eq!(SegmentName::parse(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_name_reads_back(created: u64, id: u128, tenant in "[A-Za-z0-9_-]{1,64}", a: i64, b: i64, many: bool) {
            let tenants = if many { SegmentTenants::Many } else { SegmentTenants::One(tenant.parse().unwrap()) };
            let name = SegmentName { created, id: UniqueId(id), tenants, min: a.min(b), max: a.max(b) };
            prop_assert_eq!(SegmentName::parse(&name.to_string()), Some(name));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = SegmentName::parse(&text);
        }
    }
}
