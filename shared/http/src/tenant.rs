use http::HeaderMap;
use icegate_model::{AccountId, TenantId};

use crate::HttpError;

/// Names the tenant.
pub const TENANT_HEADER: &str = "x-scope-orgid";
/// Names the part of the tenant.
pub const ACCOUNT_HEADER: &str = "x-account-id";

/// Whose request it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantScope {
    /// The tenant; `default` where the request names none.
    pub tenant: TenantId,
    /// The part of the tenant.
    pub account: Option<AccountId>,
}

impl TenantScope {
    /// Reads `X-Scope-OrgID` and `X-Account-ID`.
    ///
    /// # Errors
    /// [`HttpError::Tenant`] for an id that isn't allowed, an empty one included; [`HttpError::Header`] for a header that is
    /// repeated or no ASCII.
    pub fn of(headers: &HeaderMap) -> Result<Self, HttpError> {
        Self::of_values(|name| headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect())
    }

    /// The same from metadata that isn't an HTTP header map.
    ///
    /// # Errors
    /// As [`TenantScope::of`].
    pub fn of_values<'a>(values: impl Fn(&'static str) -> Vec<&'a [u8]>) -> Result<Self, HttpError> {
        let tenant = match single(TENANT_HEADER, &values(TENANT_HEADER))? {
            Some(text) => text.parse()?,
            None => TenantId::default_tenant(),
        };
        let account = single(ACCOUNT_HEADER, &values(ACCOUNT_HEADER))?.map(str::parse).transpose()?;
        Ok(Self { tenant, account })
    }
}

fn single<'a>(name: &'static str, values: &[&'a [u8]]) -> Result<Option<&'a str>, HttpError> {
    match values {
        [] => Ok(None),
        [value] => {
            let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii());
            text.map(Some).ok_or(HttpError::Header { name, problem: "is not ASCII" })
        }
        _ => Err(HttpError::Header { name, problem: "is repeated" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_tenant_is_read_or_refused_and_never_guessed() {
        let mut headers = HeaderMap::new();
        assert_eq!(TenantScope::of(&headers).unwrap(), TenantScope { tenant: TenantId::default_tenant(), account: None });
        headers.insert("X-Scope-OrgID", HeaderValue::from_static("team-a"));
        headers.insert("X-Account-ID", HeaderValue::from_static("a_1"));
        let scope = TenantScope::of(&headers).unwrap();
        assert_eq!((scope.tenant.as_str(), scope.account.unwrap().as_str()), ("team-a", "a_1"));
        headers.append("X-Scope-OrgID", HeaderValue::from_static("team-b"));
        assert_eq!(TenantScope::of(&headers).unwrap_err().to_string(), "header x-scope-orgid is repeated");
        for bad in [&b""[..], b"a|b", b"../x", b"\xff", b" a"] {
            headers.insert("X-Scope-OrgID", HeaderValue::from_bytes(bad).unwrap());
            assert!(TenantScope::of(&headers).is_err(), "{bad:?}");
        }
    }
}
