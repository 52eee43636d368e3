use std::collections::HashMap;
use std::fmt;

use icegate_model::TenantId;
use serde::Deserialize;

use crate::{AuthError, Grant, Refusal, Scope, document};

/// Most callers of one document.
const MAX_CALLERS: usize = 20_000;
const ACCOUNT_DIGITS: usize = 12;

/// A document of AWS principals and what each may do, for an API that AWS IAM guards: the gateway has verified who calls.
///
/// ```yaml
/// callers:
///   - caller: arn:aws:iam::123456789012:role/collector   # a user, or a role in whatever session
///     tenants: [team-a]
///     scopes: [write]
///   - caller: "123456789012"                              # everybody else in the account
///     tenants: [team-a]
///     scopes: [read]
/// ```
#[derive(Clone)]
pub struct Iam(HashMap<String, Grant>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    callers: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    caller: String,
    #[serde(deserialize_with = "document::tenants")]
    tenants: Vec<TenantId>,
    #[serde(deserialize_with = "document::scopes")]
    scopes: Vec<Scope>,
    /// For whoever reads the document.
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

impl Iam {
    /// Reads a document, YAML or JSON.
    ///
    /// # Errors
    /// [`AuthError`], which names the place of the first thing that isn't allowed.
    pub fn parse(text: &str) -> Result<Self, AuthError> {
        let written: Document = document::parse(text)?;
        if written.callers.len() > MAX_CALLERS {
            return Err(AuthError::document("callers", format!("{} callers, allowed are {MAX_CALLERS}", written.callers.len())));
        }
        let mut callers = HashMap::new();
        for (index, entry) in written.callers.into_iter().enumerate() {
            let path = format!("callers[{index}]");
            let is_account = entry.caller.len() == ACCOUNT_DIGITS && entry.caller.bytes().all(|byte| byte.is_ascii_digit());
            let is_principal = Principal::of(&entry.caller).is_some_and(|found| found.name.as_ref() == Some(&entry.caller));
            if !is_account && !is_principal {
                let allowed =
                    "allowed are arn:aws:iam::ACCOUNT:user/NAME, arn:aws:iam::ACCOUNT:role/NAME and an account's 12 digits";
                return Err(AuthError::document(format!("{path}.caller"), format!("{:?}: {allowed}", entry.caller)));
            }
            let grant =
                Grant::new(entry.tenants, entry.scopes).map_err(|source| AuthError::Grant { path: path.clone(), source })?;
            if callers.insert(entry.caller.clone(), grant.held_by(&entry.caller)).is_some() {
                return Err(AuthError::document(format!("{path}.caller"), format!("{} is named twice", entry.caller)));
            }
        }
        Ok(Self(callers))
    }

    /// What the caller with this ARN may do: `requestContext.authorizer.iam.userArn` of an HTTP API, `requestContext.identity.userArn`
    /// of a REST API. An assumed role (`arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`) counts as its role.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] where the document names neither the caller nor its account.
    pub fn grant(&self, caller_arn: &str) -> Result<Grant, Refusal> {
        let caller = Principal::of(caller_arn);
        let named = caller.as_ref().and_then(|caller| self.0.get(caller.name.as_ref()?));
        let grant = named.or_else(|| self.0.get(caller.as_ref()?.account));
        grant.cloned().ok_or_else(|| Refusal::forbidden("the caller is given no tenant"))
    }
}

/// Who an ARN names.
struct Principal<'a> {
    /// The name that documents use; none for principals that are known by their account only.
    name: Option<String>,
    account: &'a str,
}

impl<'a> Principal<'a> {
    fn of(arn: &'a str) -> Option<Self> {
        let parts: Vec<_> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts[..] else { return None };
        let known = partition == "aws" || partition.starts_with("aws-");
        let is_account = account.len() == ACCOUNT_DIGITS && account.bytes().all(|byte| byte.is_ascii_digit());
        if !known || !is_account || !["iam", "sts"].contains(&service) {
            return None;
        }
        // A path isn't part of the ARN of a role's sessions, and names are unique in an account without it.
        let resource = match (service, resource.split_once('/')) {
            ("iam", Some((kind @ ("user" | "role"), name))) => name.rsplit('/').next().map(|name| format!("{kind}/{name}")),
            ("sts", Some(("assumed-role", name))) => name.split_once('/').map(|(role, _)| format!("role/{role}")),
            _ => None,
        };
        Some(Self { name: resource.map(|resource| format!("arn:{partition}:iam::{account}:{resource}")), account })
    }
}

impl fmt::Debug for Iam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iam({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "callers:
- { caller: 'arn:aws:iam::123456789012:role/collector', tenants: [a], scopes: [write] }
- { caller: 'arn:aws:iam::123456789012:user/ann', tenants: [b], scopes: [read, write] }
- { caller: '123456789012', tenants: [c], scopes: [read], note: everybody else }
- { caller: 'arn:aws-cn:iam::210987654321:role/collector', tenants: [d], scopes: [read] }";

    #[test]
    fn a_caller_is_its_user_its_role_in_any_session_or_else_its_account() {
        let iam = Iam::parse(DOCUMENT).unwrap();
        for (arn, tenant) in [
            ("arn:aws:sts::123456789012:assumed-role/collector/i-0123", Some("a")),
            ("arn:aws:iam::123456789012:role/collector", Some("a")),
            ("arn:aws:iam::123456789012:user/ann", Some("b")),
            ("arn:aws:iam::123456789012:user/team/ann", Some("b")),
            ("arn:aws:sts::123456789012:assumed-role/other/s", Some("c")),
            ("arn:aws:iam::123456789012:user/bob", Some("c")),
            ("arn:aws:sts::123456789012:federated-user/ann", Some("c")),
            ("arn:aws:iam::123456789012:root", Some("c")),
            ("arn:aws-cn:sts::210987654321:assumed-role/collector/s", Some("d")),
            // Another account, partition, or kind of principal of the same name.
            ("arn:aws:sts::210987654321:assumed-role/collector/s", None),
            ("arn:aws:iam::210987654321:user/collector", None),
            ("arn:aws:s3:::123456789012", None),
            ("123456789012", None),
            ("", None),
            ("arn:evil:iam::123456789012:user/ann", None),
        ] {
            let found = iam.grant(arn).ok().map(|grant| grant.tenants()[0].to_string());
            assert_eq!(found.as_deref(), tenant, "{arn}");
        }
        assert_eq!(iam.grant("arn:aws:iam::123456789012:role/collector").unwrap().scopes().to_string(), "write");
    }

    #[test]
    fn a_wrong_document_is_refused_with_its_place() {
        let one = |caller: &str| format!("callers: [{{ caller: '{caller}', tenants: [a], scopes: [read] }}]");
        for (document, named) in [
            (one("collector"), "callers[0].caller: \"collector\": allowed are arn:aws:iam::"),
            (one("arn:aws:sts::123456789012:assumed-role/collector/s"), "callers[0].caller"),
            (one("arn:aws:iam::123456789012:user/team/ann"), "callers[0].caller"),
            (one("12345678901"), "callers[0].caller"),
            ("callers: [{ caller: '123456789012', tenants: [], scopes: [read] }]".to_owned(), "callers[0]: at least one tenant"),
            ("callers: [{ caller: '123456789012', tenants: [a], scope: [read] }]".to_owned(), "unknown field `scope`"),
            (
                format!("{DOCUMENT}\n- {{ caller: '123456789012', tenants: [a], scopes: [read] }}"),
                "callers[4].caller: 123456789012 is named twice",
            ),
        ] {
            let error = Iam::parse(&document).unwrap_err().to_string();
            assert!(error.contains(named), "{document}: {error}");
        }
    }
}
