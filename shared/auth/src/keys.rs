use std::collections::HashMap;
use std::fmt;

use icegate_model::{TenantId, Timestamp};
use serde::Deserialize;

use crate::{ApiKey, AuthError, Grant, KeyHash, KeyId, Refusal, Scope, document};

/// Most keys of one document.
const MAX_KEYS: usize = 20_000;

/// A document of keys: which there are, by their hashes, and what each may do.
///
/// ```yaml
/// keys:
///   - id: collector-1                      # [A-Za-z0-9-]{1,64}, once in the document
///     hash: sha256:d7d7a8cd…               # of the whole key, as `icegate keys create` prints it
///     tenants: [team-a]                    # the first is that of requests that name none
///     scopes: [write]                      # read, write
///     not_before: 2026-01-01T00:00:00Z     # optional
///     expires: 2027-01-01T00:00:00Z        # optional, the first moment at which it isn't valid any more
///     revoked: false                       # optional
///     note: the Collector of team A        # optional
/// ```
#[derive(Clone)]
pub struct Keys(HashMap<KeyId, Entry>);

#[derive(Clone)]
struct Entry {
    hash: KeyHash,
    grant: Grant,
    not_before: Option<Timestamp>,
    expires: Option<Timestamp>,
    revoked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keys: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: KeyId,
    hash: KeyHash,
    #[serde(deserialize_with = "document::tenants")]
    tenants: Vec<TenantId>,
    #[serde(deserialize_with = "document::scopes")]
    scopes: Vec<Scope>,
    #[serde(default, deserialize_with = "document::moment")]
    not_before: Option<Timestamp>,
    #[serde(default, deserialize_with = "document::moment")]
    expires: Option<Timestamp>,
    #[serde(default)]
    revoked: bool,
    /// For whoever reads the document.
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

/// Why a key is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// This document doesn't have it, neither its id nor its secret; a newer one may.
    Unknown,
    /// The document has it, and it is not to be used.
    Unusable(Refusal),
}

impl Keys {
    /// Reads a document, YAML or JSON. An empty list is allowed: it lets nobody in.
    ///
    /// # Errors
    /// [`AuthError`], which names the place of the first thing that isn't allowed and shows no hash.
    pub fn parse(text: &str) -> Result<Self, AuthError> {
        let written: Document = document::parse(text)?;
        if written.keys.len() > MAX_KEYS {
            return Err(AuthError::document("keys", format!("{} keys, allowed are {MAX_KEYS}", written.keys.len())));
        }
        let mut keys = HashMap::new();
        for (index, key) in written.keys.into_iter().enumerate() {
            let path = |field: &str| format!("keys[{index}]{field}");
            let grant = Grant::new(key.tenants, key.scopes);
            let grant = grant.map_err(|source| AuthError::Grant { path: path(""), source })?.held_by(key.id.as_str());
            if key.not_before.zip(key.expires).is_some_and(|(from, until)| until <= from) {
                return Err(AuthError::document(path(".expires"), "it is not after not_before"));
            }
            let entry = Entry { hash: key.hash, grant, not_before: key.not_before, expires: key.expires, revoked: key.revoked };
            if keys.insert(key.id.clone(), entry).is_some() {
                return Err(AuthError::document(path(".id"), format!("{} is named twice", key.id.as_str())));
            }
        }
        Ok(Self(keys))
    }

    /// What a key may do now.
    ///
    /// # Errors
    /// [`Rejected`]. Whether the id or the secret is unknown is not told, and the id is named only where the secret is right.
    pub fn grant(&self, key: &ApiKey, now: Timestamp) -> Result<Grant, Rejected> {
        let entry = self.0.get(key.id()).filter(|entry| entry.hash.is_of(key)).ok_or(Rejected::Unknown)?;
        let wrong = match entry {
            Entry { revoked: true, .. } => "is revoked",
            Entry { not_before: Some(from), .. } if now < *from => "is not valid yet",
            Entry { expires: Some(until), .. } if now >= *until => "has expired",
            _ => return Ok(entry.grant.clone()),
        };
        Err(Rejected::Unusable(Refusal::unauthenticated(format!("key {} {wrong}", key.id().as_str()))))
    }

    /// How many keys there are, unusable ones counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each key may do, with its state at a moment, in the order of ids: for people who look after them.
    #[must_use]
    pub fn describe(&self, now: Timestamp) -> Vec<String> {
        let mut keys: Vec<_> = self.0.iter().collect();
        keys.sort_by_key(|(id, _)| *id);
        let line = |(id, entry): (&KeyId, &Entry)| {
            let tenants: Vec<_> = entry.grant.tenants().iter().map(TenantId::as_str).collect();
            format!("{}: {} for {}, {}", id.as_str(), entry.grant.scopes(), tenants.join(","), entry.state(now))
        };
        keys.into_iter().map(line).collect()
    }
}

impl Entry {
    fn state(&self, now: Timestamp) -> &'static str {
        match self {
            Self { revoked: true, .. } => "revoked",
            Self { not_before: Some(from), .. } if now < *from => "not valid yet",
            Self { expires: Some(until), .. } if now >= *until => "expired",
            _ => "valid",
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf ig_a_b | sha256sum
    const HASH: &str = "sha256:d7d7a8cdde1da4600bddadc501195bffdb2e569fedb9af579de44968397144c0";

    fn one(more: &str) -> String {
        format!("keys:\n- id: a\n  hash: {HASH}\n  tenants: [team-a, team-b]\n  scopes: [read]\n{more}")
    }

    fn grant(document: &str, key: &str, seconds: i64) -> Result<Grant, Rejected> {
        Keys::parse(document).unwrap().grant(&ApiKey::read(key).unwrap(), Timestamp::from_secs(seconds))
    }

    #[test]
    fn a_key_may_do_what_its_entry_says() {
        let grant = grant(&one("  note: x\n"), "ig_a_b", 0).unwrap();
        assert_eq!(grant.tenants().iter().map(TenantId::as_str).collect::<Vec<_>>(), ["team-a", "team-b"]);
        assert_eq!((grant.scopes().to_string().as_str(), grant.key_id()), ("read", Some("a")));
    }

    #[test]
    fn an_unknown_id_and_a_wrong_secret_are_not_told_apart() {
        for key in ["ig_a_c", "ig_b_b", "ig_A_b", "ig_a_bb"] {
            assert_eq!(grant(&one(""), key, 0), Err(Rejected::Unknown), "{key}");
        }
        assert_eq!(grant("keys: []", "ig_a_b", 0), Err(Rejected::Unknown));
    }

    #[test]
    fn a_key_is_valid_from_not_before_until_just_before_expires_and_never_when_revoked() {
        let window = one("  not_before: 1970-01-01T00:00:10Z\n  expires: 1970-01-01T01:00:20+01:00\n");
        for (seconds, wrong) in [
            (9, Some("key a is not valid yet")),
            (10, None),
            (19, None),
            (20, Some("key a has expired")),
            (99, Some("key a has expired")),
        ] {
            let found = grant(&window, "ig_a_b", seconds).err();
            assert_eq!(found, wrong.map(|text| Rejected::Unusable(Refusal::unauthenticated(text))), "{seconds}");
        }
        let revoked = grant(&one("  revoked: true\n"), "ig_a_b", 0).unwrap_err();
        assert_eq!(revoked, Rejected::Unusable(Refusal::unauthenticated("key a is revoked")));
        // Only who has the secret hears of it.
        assert_eq!(grant(&one("  revoked: true\n"), "ig_a_c", 0), Err(Rejected::Unknown));
    }

    #[test]
    fn json_is_read_too() {
        let json = format!(r#"{{"keys":[{{"id":"a","hash":"{HASH}","tenants":["t"],"scopes":["read","write"]}}]}}"#);
        assert_eq!(grant(&json, "ig_a_b", 0).unwrap().scopes().to_string(), "read,write");
    }

    #[test]
    fn a_wrong_document_is_refused_with_its_place_and_without_its_secrets() {
        let key = |fields: &str| format!("keys: [{{ {fields} }}]");
        let rest = "tenants: [t], scopes: [read]";
        let twice = format!("keys: [{{ id: a, hash: '{HASH}', {rest} }}, {{ id: a, hash: '{HASH}', {rest} }}]");
        for (document, named) in [
            (String::new(), vec!["keys"]),
            ("[]".to_owned(), vec!["document"]),
            ("key: []".to_owned(), vec!["unknown field `key`", "keys"]),
            (key(&format!("id: a, hash: '{HASH}', {rest}, tenant: t")), vec!["keys[0]", "unknown field `tenant`"]),
            (key(&format!("hash: '{HASH}', {rest}")), vec!["keys[0]", "missing field `id`"]),
            (key(&format!("id: a_b, hash: '{HASH}', {rest}")), vec!["keys[0].id", "a_b", "A-Z a-z 0-9 -"]),
            (key(&format!("id: ig_a_hunter2, hash: '{HASH}', {rest}")), vec!["keys[0].id"]),
            (key(&format!("id: a, hash: ig_a_hunter2, {rest}")), vec!["keys[0].hash", "sha256: and 64"]),
            (key(&format!("id: a, hash: 987654321, {rest}")), vec!["keys[0].hash", "sha256: and 64"]),
            (key(&format!("id: a, hash: 'sha256:hunter2', {rest}")), vec!["keys[0].hash", "sha256: and 64"]),
            (key(&format!("id: a, hash: '{HASH}', tenants: [], scopes: [read]")), vec!["keys[0]", "at least one tenant"]),
            (key(&format!("id: a, hash: '{HASH}', tenants: [t], scopes: []")), vec!["keys[0]", "at least one scope"]),
            (key(&format!("id: a, hash: '{HASH}', tenants: [a/b], scopes: [read]")), vec!["keys[0].tenants", "a/b"]),
            (
                key(&format!("id: a, hash: '{HASH}', tenants: [t, t], scopes: [read]")),
                vec!["keys[0].tenants", "tenant t is named twice"],
            ),
            (
                key(&format!("id: a, hash: '{HASH}', tenants: [t], scopes: [admin]")),
                vec!["keys[0].scopes", "admin", "read and write"],
            ),
            (key(&format!("id: a, hash: '{HASH}', {rest}, expires: tomorrow")), vec!["keys[0].expires", "tomorrow", "RFC 3339"]),
            (
                key(&format!("id: a, hash: '{HASH}', {rest}, not_before: 2026-01-02T00:00:00Z, expires: 2026-01-02T00:00:00Z")),
                vec!["keys[0].expires", "not after not_before"],
            ),
            (twice, vec!["keys[1].id", "a is named twice"]),
        ] {
            let error = Keys::parse(&document).unwrap_err().to_string();
            assert!(named.iter().all(|word| error.contains(word)), "{document}: {error}");
            for secret in ["hunter2", "987654321", &HASH[7..]] {
                assert!(!error.contains(secret), "{error}");
            }
        }
        assert!(Keys::parse(&"#".repeat(5 << 20)).unwrap_err().to_string().contains("4194304"));
    }

    #[test]
    fn keys_are_described_without_their_hashes() {
        let keys = Keys::parse(&one("  expires: 1970-01-01T00:00:20Z\n")).unwrap();
        assert_eq!(keys.describe(Timestamp::from_secs(5)), ["a: read for team-a,team-b, valid"]);
        assert_eq!(keys.describe(Timestamp::from_secs(20)), ["a: read for team-a,team-b, expired"]);
        assert_eq!(format!("{keys:?}"), "Keys(1)");
    }
}
