use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::Config;
use super::check::refuse;
use crate::ConfigError;

/// Longest time between two reads of a document.
const MAX_REFRESH_SECS: u64 = 86_400;
/// Most that clocks of issuers may differ from ours.
const MAX_LEEWAY_SECS: u64 = 600;

/// `auth`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Who is believed.
    pub mode: AuthMode,
    /// The keys: a list, or a document as text, or where the host finds one.
    pub keys: Option<Document>,
    /// A file with the document of keys.
    pub keys_file: Option<PathBuf>,
    /// Seconds after which the document of keys or callers is read again.
    pub refresh_secs: u64,
    /// Which JWTs are believed, beside or instead of keys.
    pub jwt: Option<JwtAuth>,
    /// AWS principals: a list, or a document as text, or where the host finds one.
    pub callers: Option<Document>,
}

impl Default for Auth {
    fn default() -> Self {
        Self { mode: AuthMode::Header, keys: None, keys_file: None, refresh_secs: 30, jwt: None, callers: None }
    }
}

/// `auth.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMode {
    /// `X-Scope-OrgID` is believed.
    #[default]
    Header,
    /// Keys name tenants and scopes, and JWTs where `auth.jwt` is there.
    ApiKeys,
    /// JWTs name tenants and scopes.
    Jwt,
    /// Only the gateway's authorizer is believed.
    Authorizer,
    /// The gateway's IAM authorization is believed, and `auth.callers` names tenants and scopes.
    Iam,
}

impl AuthMode {
    /// The mode's name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::ApiKeys => "api_keys",
            Self::Jwt => "jwt",
            Self::Authorizer => "authorizer",
            Self::Iam => "iam",
        }
    }
}

/// A document in the configuration. It isn't printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Document {
    /// A list of its entries, or all of it.
    Inline(Value),
    /// Its text, or its address.
    Text(String),
}

impl Document {
    /// Where the document is, if this is an address (an ARN, a URL) and not the document itself.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        let text = text.trim();
        let address =
            ["arn:", "https://", "http://"].iter().any(|start| text.starts_with(start)) && !text.contains(char::is_whitespace);
        address.then_some(text)
    }

    /// The document as text, where a list alone is the member `list` of it.
    #[must_use]
    pub fn text(&self, list: &str) -> String {
        match self {
            Self::Inline(entries @ Value::Array(_)) => json!({ list: entries }).to_string(),
            Self::Inline(document) => document.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Text(text)),
            document @ (Value::Array(_) | Value::Object(_)) => Ok(Self::Inline(document)),
            // serde's own error would print the value.
            _ => Err(D::Error::custom("invalid type, expected a list, a document or the address of one")),
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(document)")
    }
}

/// `auth.jwt`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtAuth {
    /// Who has signed: the claim `iss`.
    pub issuer: String,
    /// For whom: one of them is in the claim `aud`.
    #[serde(deserialize_with = "list")]
    pub audience: Vec<String>,
    /// Algorithms that may have been signed with.
    #[serde(default = "JwtAuth::default_algorithms", deserialize_with = "algorithms")]
    pub algorithms: Vec<JwtAlgorithm>,
    /// Seconds by which the issuer's clock may differ.
    #[serde(default = "JwtAuth::default_leeway_secs")]
    pub leeway_secs: u64,
    /// The issuer's public keys, a JWKS document.
    #[serde(default)]
    pub jwks: Option<Document>,
    /// A file with them.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// A URL with them.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Seconds after which they are read again.
    #[serde(default = "JwtAuth::default_refresh_secs")]
    pub refresh_secs: u64,
    /// The claim that names tenants.
    #[serde(default = "JwtAuth::default_tenants")]
    pub tenants: ClaimMap,
    /// The claim that names scopes.
    #[serde(default = "JwtAuth::default_scopes")]
    pub scopes: ClaimMap,
}

impl JwtAuth {
    fn default_algorithms() -> Vec<JwtAlgorithm> {
        vec![JwtAlgorithm::RS256]
    }

    const fn default_leeway_secs() -> u64 {
        30
    }

    const fn default_refresh_secs() -> u64 {
        300
    }

    fn default_tenants() -> ClaimMap {
        ClaimMap { claim: "tenants".to_owned(), values: BTreeMap::new() }
    }

    fn default_scopes() -> ClaimMap {
        ClaimMap { claim: "scope".to_owned(), values: BTreeMap::new() }
    }
}

/// `auth.jwt.algorithms`: those of public keys, so that no public key can be taken for a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the algorithms' own names")]
pub enum JwtAlgorithm {
    RS256,
    ES256,
    EdDSA,
}

/// A claim and what its values stand for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimMap {
    /// The claim's name, or a JSON pointer (`/realm_access/roles`) to it.
    pub claim: String,
    /// What each value stands for; without any, each for itself.
    #[serde(default)]
    pub values: BTreeMap<String, Vec<String>>,
}

/// A list, or one text with commas: how a variable holds one.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        One(String),
        Several(Vec<String>),
    }
    Ok(
        match Given::deserialize(deserializer).map_err(|_| D::Error::custom("invalid type, expected text or a list of texts"))? {
            Given::One(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Given::Several(texts) => texts,
        },
    )
}

fn algorithms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<JwtAlgorithm>, D::Error> {
    let read = |text: &String| match text.as_str() {
        "RS256" => Ok(JwtAlgorithm::RS256),
        "ES256" => Ok(JwtAlgorithm::ES256),
        "EdDSA" => Ok(JwtAlgorithm::EdDSA),
        _ => Err(D::Error::custom(format_args!("{text:?}: allowed are RS256, ES256 and EdDSA"))),
    };
    list(deserializer)?.iter().map(read).collect()
}

impl Config {
    pub(super) fn check_auth(&self) -> Result<(), ConfigError> {
        let auth = &self.auth;
        let given = [
            ("auth.keys", auth.keys.is_some(), auth.mode == AuthMode::ApiKeys),
            ("auth.keys_file", auth.keys_file.is_some(), auth.mode == AuthMode::ApiKeys),
            ("auth.jwt", auth.jwt.is_some(), matches!(auth.mode, AuthMode::ApiKeys | AuthMode::Jwt)),
            ("auth.callers", auth.callers.is_some(), auth.mode == AuthMode::Iam),
        ];
        if let Some((key, ..)) = given.iter().find(|(_, given, used)| *given && !used) {
            return refuse(key, format!("has no effect with auth.mode {}", auth.mode.name()));
        }
        let missing = |needed: &str| refuse("auth.mode", format!("{} needs {needed}", auth.mode.name()));
        match auth.mode {
            AuthMode::ApiKeys if auth.keys.is_some() == auth.keys_file.is_some() => {
                return missing("either auth.keys or auth.keys_file");
            }
            AuthMode::Jwt if auth.jwt.is_none() => return missing("auth.jwt"),
            AuthMode::Iam if auth.callers.is_none() => return missing("auth.callers"),
            _ => {}
        }
        check_refresh("auth.refresh_secs", auth.refresh_secs)?;
        check_address("auth.keys", auth.keys.as_ref())?;
        check_address("auth.callers", auth.callers.as_ref())?;
        auth.jwt.as_ref().map_or(Ok(()), check_jwt)
    }
}

fn check_jwt(jwt: &JwtAuth) -> Result<(), ConfigError> {
    check_refresh("auth.jwt.refresh_secs", jwt.refresh_secs)?;
    if jwt.leeway_secs > MAX_LEEWAY_SECS {
        return refuse("auth.jwt.leeway_secs", format!("{}: allowed are 0 to {MAX_LEEWAY_SECS}", jwt.leeway_secs));
    }
    for (key, empty) in [
        ("auth.jwt.issuer", jwt.issuer.is_empty()),
        ("auth.jwt.audience", jwt.audience.is_empty() || jwt.audience.iter().any(String::is_empty)),
        ("auth.jwt.algorithms", jwt.algorithms.is_empty()),
        ("auth.jwt.tenants.claim", jwt.tenants.claim.trim_matches('/').is_empty()),
        ("auth.jwt.scopes.claim", jwt.scopes.claim.trim_matches('/').is_empty()),
    ] {
        if empty {
            return refuse(key, "must not be empty");
        }
    }
    let places = [jwt.jwks.is_some(), jwt.jwks_file.is_some(), jwt.jwks_url.is_some()];
    if places.into_iter().filter(|given| *given).count() != 1 {
        return refuse("auth.jwt", "needs exactly one of jwks, jwks_file and jwks_url");
    }
    check_address("auth.jwt.jwks", jwt.jwks.as_ref())?;
    if let Some(url) = jwt.jwks_url.as_ref().filter(|url| !is_safe(url)) {
        return refuse("auth.jwt.jwks_url", unsafe_address(url));
    }
    for scope in jwt.scopes.values.values().flatten() {
        if !["read", "write"].contains(&scope.as_str()) {
            return refuse("auth.jwt.scopes.values", format!("{scope:?}: allowed are read and write"));
        }
    }
    for tenant in jwt.tenants.values.values().flatten() {
        let checked = tenant.parse::<icegate_model::TenantId>();
        checked.map_err(|error| ConfigError::value("auth.jwt.tenants.values", error.to_string()))?;
    }
    Ok(())
}

fn check_refresh(key: &str, seconds: u64) -> Result<(), ConfigError> {
    if (1..=MAX_REFRESH_SECS).contains(&seconds) {
        return Ok(());
    }
    refuse(key, format!("{seconds}: allowed are 1 to {MAX_REFRESH_SECS}"))
}

fn check_address(key: &str, document: Option<&Document>) -> Result<(), ConfigError> {
    let address = document.and_then(Document::address).filter(|address| !address.starts_with("arn:") && !is_safe(address));
    address.map_or(Ok(()), |address| refuse(key, unsafe_address(address)))
}

fn unsafe_address(address: &str) -> String {
    format!("{address:?}: it starts with https:// (http:// for 127.0.0.1 and localhost only)")
}

/// Whether nobody on the way can put keys of his own there.
fn is_safe(url: &str) -> bool {
    let host = url.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    url.starts_with("https://") || host.is_some_and(|host| host == "127.0.0.1" || host == "localhost")
}
