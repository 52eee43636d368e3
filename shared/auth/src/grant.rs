use std::collections::BTreeMap;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use icegate_model::TenantId;

use crate::{Refusal, Scope, Scopes};

/// Most tenants of one grant, so that the authorizer's context stays small.
pub const MAX_TENANTS: usize = 64;
/// Bytes of the longest name of who holds a grant.
const MAX_HOLDER: usize = 128;
/// Names the tenant; `icegate-http` reads it.
const TENANT_HEADER: &str = "x-scope-orgid";

const TENANTS: &str = "tenants";
const SCOPES: &str = "scopes";
const KEY_ID: &str = "key_id";

/// For whom who asks may act, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Never empty; the first is the tenant of a request that names none.
    tenants: Vec<TenantId>,
    scopes: Scopes,
    key_id: Option<String>,
}

/// Tenants or scopes of which no grant can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmptyGrant {
    /// No tenant.
    #[error("at least one tenant is needed")]
    NoTenant,
    /// More tenants than allowed.
    #[error("{given} tenants, allowed are {MAX_TENANTS}")]
    TooManyTenants {
        /// How many there are.
        given: usize,
    },
    /// No scope.
    #[error("at least one scope is needed, allowed are read and write")]
    NoScope,
}

impl Grant {
    /// A grant for these tenants, the first of which is that of requests that name none.
    ///
    /// # Errors
    /// [`EmptyGrant`].
    pub fn new(tenants: Vec<TenantId>, scopes: impl IntoIterator<Item = Scope>) -> Result<Self, EmptyGrant> {
        let scopes: Scopes = scopes.into_iter().collect();
        match tenants.len() {
            0 => Err(EmptyGrant::NoTenant),
            given if given > MAX_TENANTS => Err(EmptyGrant::TooManyTenants { given }),
            _ if scopes.is_empty() => Err(EmptyGrant::NoScope),
            _ => Ok(Self { tenants, scopes, key_id: None }),
        }
    }

    /// Names who holds it in refusals and logs: no secret. What couldn't stand in a log line is left out.
    #[must_use]
    pub fn held_by(self, key_id: &str) -> Self {
        let printable = (1..=MAX_HOLDER).contains(&key_id.len()) && key_id.bytes().all(|byte| byte.is_ascii_graphic());
        Self { key_id: printable.then(|| key_id.to_owned()), ..self }
    }

    /// The tenants, at least one.
    #[must_use]
    pub fn tenants(&self) -> &[TenantId] {
        &self.tenants
    }

    /// The scopes, at least one.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// Who holds it, for logs.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Lets a request through: takes its credentials out of the headers and sets `X-Scope-OrgID` to the one tenant that it acts for,
    /// which is the one that it names, or the grant's first.
    ///
    /// `X-Account-ID` stays as it is: it names a part of that tenant and can't lead out of it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] where the scope or the tenant that the request names isn't granted, or where it names one badly or
    /// twice. The request must not be served then.
    pub fn admit(&self, headers: &mut HeaderMap, need: Scope) -> Result<(), Refusal> {
        headers.remove(AUTHORIZATION);
        if !self.scopes.has(need) {
            return Err(Refusal::forbidden(format!("{} has no scope {need}, it has {}", self.holder(), self.scopes)));
        }
        let tenant = self.tenant(headers)?;
        let value = HeaderValue::from_str(tenant.as_str())
            .map_err(|_| Refusal::forbidden(format!("tenant {tenant} can't stand in a header")))?;
        headers.insert(TENANT_HEADER, value);
        Ok(())
    }

    fn tenant(&self, headers: &HeaderMap) -> Result<&TenantId, Refusal> {
        let mut named = headers.get_all(TENANT_HEADER).iter();
        let value = match (named.next(), named.next()) {
            // A grant has a tenant, by construction.
            (None, _) => return self.tenants.first().ok_or_else(|| Refusal::forbidden("no tenant is granted")),
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Err(Refusal::forbidden("header x-scope-orgid is repeated")),
        };
        let granted = self.tenants.iter().find(|tenant| tenant.as_str().as_bytes() == value.as_bytes());
        // What the client has sent isn't repeated: it may be anything.
        granted.ok_or_else(|| Refusal::forbidden(format!("{} may not act for the tenant in x-scope-orgid", self.holder())))
    }

    fn holder(&self) -> String {
        self.key_id.as_ref().map_or_else(|| "the caller".to_owned(), |id| format!("key {id}"))
    }

    /// The grant as the context of API Gateway's authorizer: a flat map of text.
    ///
    /// All tenants and scopes, and no decision: the gateway keeps an authorizer's answer for every request with the same
    /// `Authorization`, whatever its route and its other headers are.
    #[must_use]
    pub fn to_context(&self) -> BTreeMap<&'static str, String> {
        let tenants: Vec<_> = self.tenants.iter().map(TenantId::as_str).collect();
        let mut context = BTreeMap::from([(TENANTS, tenants.join(",")), (SCOPES, self.scopes.to_string())]);
        context.extend(self.key_id.clone().map(|id| (KEY_ID, id)));
        context
    }

    /// The grant in the context of API Gateway's authorizer, whose texts `get` finds by name.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] where there is none, or where it isn't one that [`Grant::to_context`] has written.
    pub fn from_context<'a>(get: impl Fn(&'static str) -> Option<&'a str>) -> Result<Self, Refusal> {
        let (Some(tenants), Some(scopes)) = (get(TENANTS), get(SCOPES)) else {
            return Err(Refusal::unauthenticated("the request has not been authorized"));
        };
        let unreadable = |reason: String| Refusal::unauthenticated(format!("the authorizer's context can't be read: {reason}"));
        let tenants: Result<_, _> = tenants.split(',').map(str::parse).collect();
        let tenants = tenants.map_err(|error: icegate_model::InvalidTenant| unreadable(error.to_string()))?;
        let scopes = scopes.split(',').map(str::parse).collect::<Result<Vec<Scope>, _>>().map_err(unreadable)?;
        let grant = Self::new(tenants, scopes).map_err(|error| unreadable(error.to_string()))?;
        Ok(match get(KEY_ID) {
            Some(id) => grant.held_by(id),
            None => grant,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_model::ErrorKind;
    use proptest::prelude::*;

    fn grant(tenants: &[&str], scopes: &[Scope]) -> Grant {
        let tenants = tenants.iter().map(|tenant| tenant.parse().unwrap()).collect();
        Grant::new(tenants, scopes.iter().copied()).unwrap().held_by("collector")
    }

    fn headers(values: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_request_that_names_no_tenant_acts_for_the_first_and_one_that_names_a_granted_one_for_that() {
        let grant = grant(&["a", "b"], &[Scope::Read]);
        for (named, tenant) in [(None, "a"), (Some("a"), "a"), (Some("b"), "b")] {
            let mut headers = headers(&[("authorization", b"Bearer secret"), ("x-account-id", b"7")]);
            if let Some(named) = named {
                headers.insert("X-Scope-OrgID", HeaderValue::from_static(named));
            }
            grant.admit(&mut headers, Scope::Read).unwrap();
            assert_eq!(headers.get_all("x-scope-orgid").iter().collect::<Vec<_>>(), [tenant]);
            assert_eq!((headers.get("authorization"), headers.get("x-account-id").unwrap().as_bytes()), (None, &b"7"[..]));
        }
    }

    #[test]
    fn a_tenant_that_is_not_granted_or_badly_named_is_forbidden_without_being_repeated() {
        let grant = grant(&["a", "b"], &[Scope::Read, Scope::Write]);
        for named in [&b"c"[..], b"", b"A", b"a|b", b"a,b", b"a ", b" a", b"a/../b", b"\xff", b"default"] {
            let refusal = grant.admit(&mut headers(&[("x-scope-orgid", named)]), Scope::Read).unwrap_err();
            assert_eq!(refusal.kind(), ErrorKind::Forbidden);
            assert_eq!(refusal.to_string(), "key collector may not act for the tenant in x-scope-orgid");
        }
        let twice = grant.admit(&mut headers(&[("x-scope-orgid", b"a"), ("x-scope-orgid", b"a")]), Scope::Read).unwrap_err();
        assert_eq!((twice.kind(), twice.to_string().as_str()), (ErrorKind::Forbidden, "header x-scope-orgid is repeated"));
    }

    #[test]
    fn a_scope_that_is_not_granted_is_forbidden() {
        for (has, needs) in [(Scope::Read, Scope::Write), (Scope::Write, Scope::Read)] {
            let refusal = grant(&["a"], &[has]).admit(&mut HeaderMap::new(), needs).unwrap_err();
            assert_eq!(refusal.to_string(), format!("key collector has no scope {needs}, it has {has}"));
            assert_eq!(refusal.kind(), ErrorKind::Forbidden);
        }
    }

    #[test]
    fn a_grant_reads_back_from_its_context_and_anything_else_is_unauthenticated() {
        let whole = grant(&["a", "b"], &[Scope::Read, Scope::Write]);
        let context = whole.to_context();
        assert_eq!(
            context,
            BTreeMap::from([
                ("tenants", "a,b".to_owned()),
                ("scopes", "read,write".to_owned()),
                ("key_id", "collector".to_owned())
            ])
        );
        assert_eq!(Grant::from_context(|name| context.get(name).map(String::as_str)).unwrap(), whole);
        for bad in [
            vec![],
            vec![("tenants", "a")],
            vec![("scopes", "read")],
            vec![("tenants", ""), ("scopes", "read")],
            vec![("tenants", "a,,b"), ("scopes", "read")],
            vec![("tenants", "a|b"), ("scopes", "read")],
            vec![("tenants", "a"), ("scopes", "")],
            vec![("tenants", "a"), ("scopes", "read,admin")],
        ] {
            let bad: BTreeMap<_, _> = bad.into_iter().collect();
            let refusal = Grant::from_context(|name| bad.get(name).copied()).unwrap_err();
            assert_eq!(refusal.kind(), ErrorKind::Unauthenticated, "{bad:?}");
        }
    }

    #[test]
    fn a_grant_of_nothing_or_of_too_much_is_refused() {
        assert_eq!(Grant::new(Vec::new(), [Scope::Read]), Err(EmptyGrant::NoTenant));
        assert_eq!(Grant::new(vec![TenantId::default_tenant()], []), Err(EmptyGrant::NoScope));
        let many = vec![TenantId::default_tenant(); MAX_TENANTS + 1];
        assert_eq!(Grant::new(many, [Scope::Read]), Err(EmptyGrant::TooManyTenants { given: MAX_TENANTS + 1 }));
    }

    proptest! {
        #[test]
        fn no_headers_make_a_grant_admit_a_tenant_outside_of_it(
            named in proptest::collection::vec(
                (
                    prop_oneof![Just("X-Scope-OrgID"), Just("x-scope-orgid"), Just("X-SCOPE-ORGID"), Just("x-account-id"), Just("x-scope-orgid-bin"), Just("authorization")],
                    prop_oneof![
                        Just(b"a".to_vec()), Just(b"b".to_vec()), Just(b"c".to_vec()), Just(b"default".to_vec()),
                        "[abc|, ._/-]{0,6}".prop_map(String::into_bytes),
                        proptest::collection::vec(0x20_u8..=0x7e, 0..12),
                        proptest::collection::vec(0x80_u8..=0xff, 0..4),
                    ],
                ),
                0..6,
            ),
            write in any::<bool>(),
        ) {
            let grant = grant(&["a", "b"], &[Scope::Read]);
            let mut headers = HeaderMap::new();
            for (name, value) in &named {
                headers.append(name.parse::<http::HeaderName>().unwrap(), HeaderValue::from_bytes(value).unwrap());
            }
            let need = if write { Scope::Write } else { Scope::Read };
            if grant.admit(&mut headers, need).is_ok() {
                prop_assert!(!write);
                let left: Vec<_> = headers.get_all(TENANT_HEADER).iter().map(HeaderValue::as_bytes).collect();
                prop_assert!(left == [b"a"] || left == [b"b"], "{left:?}");
                prop_assert!(headers.get(AUTHORIZATION).is_none());
            }
        }
    }
}
