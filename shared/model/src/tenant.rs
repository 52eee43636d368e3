use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Bytes in the longest tenant or account id.
const MAX_LEN: usize = 64;

/// Whose data it is: `[A-Za-z0-9_-]{1,64}`.
///
/// Nothing outside that alphabet can be held, so a tenant id never escapes its place in an object key (TENANT-1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

/// A part of a tenant's data; same alphabet as [`TenantId`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

/// A tenant or account id outside `[A-Za-z0-9_-]{1,64}`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} id {text:?}: allowed are 1 to 64 of A-Z a-z 0-9 - _")]
pub struct InvalidTenant {
    /// `tenant` or `account`.
    pub what: &'static str,
    /// What was given, cut to a printable length.
    pub text: String,
}

impl TenantId {
    /// The tenant of a request that names none.
    #[must_use]
    pub fn default_tenant() -> Self {
        Self(Arc::from("default"))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(what: &'static str, text: &str) -> Result<Arc<str>, InvalidTenant> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(Arc::from(text))
    } else {
        Err(InvalidTenant { what, text: text.chars().take(MAX_LEN).collect() })
    }
}

impl FromStr for TenantId {
    type Err = InvalidTenant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check("tenant", text).map(Self)
    }
}

impl FromStr for AccountId {
    type Err = InvalidTenant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check("account", text).map(Self)
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.0)
            }
        }
    };
}

as_text!(TenantId);
as_text!(AccountId);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_that_could_leave_their_place_in_a_key_are_refused() {
        for bad in ["", ".", "..", "../x", "a/b", "a|b", "a b", "a\r\nb", "a\0", "%2e%2e", "é", &"x".repeat(65)] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad:?}");
            assert!(bad.parse::<AccountId>().is_err(), "{bad:?}");
        }
        for good in ["default", "team-a", "A_1", &"x".repeat(64)] {
            assert_eq!(good.parse::<TenantId>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn the_error_names_the_id_and_what_is_allowed() {
        let error = "../x".parse::<TenantId>().unwrap_err();
        assert_eq!(error.to_string(), r#"invalid tenant id "../x": allowed are 1 to 64 of A-Z a-z 0-9 - _"#);
    }

    proptest! {
        #[test]
        fn an_accepted_id_has_only_key_safe_bytes(text in "\\PC{0,80}") {
            if let Ok(tenant) = text.parse::<TenantId>() {
                prop_assert!(tenant.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            }
        }
    }
}
