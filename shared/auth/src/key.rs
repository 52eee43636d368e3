use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How every key begins, so that people and scanners of leaked secrets know one when they see it.
pub(crate) const PREFIX: &str = "ig_";
/// Random bytes of a key: more than anybody can try.
pub const SECRET_BYTES: usize = 32;
/// Bytes of the longest id.
const MAX_ID: usize = 64;
const HASH_PREFIX: &str = "sha256:";

/// A key's public name: `[A-Za-z0-9-]{1,64}`. No underscore, which ends it in a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

/// Text that can't be a key's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid id {text:?}: allowed are 1 to {MAX_ID} of A-Z a-z 0-9 -")]
pub struct KeyIdError {
    text: String,
}

impl KeyId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=MAX_ID).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            // A whole key in the place of its id must not be printed.
            let shown = if text.starts_with(PREFIX) { "(a key)".to_owned() } else { text.chars().take(MAX_ID).collect() };
            Err(KeyIdError { text: shown })
        }
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// `ig_<id>_<secret>`: what a client sends. Doesn't print.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    text: String,
    id: KeyId,
}

impl ApiKey {
    /// A new key of random bytes, which have to come from the operating system's generator.
    #[must_use]
    pub fn new(id: KeyId, random: &[u8; SECRET_BYTES]) -> Self {
        Self { text: format!("{PREFIX}{}_{}", id.as_str(), URL_SAFE_NO_PAD.encode(random)), id }
    }

    /// What has the form of a key; whether it is one, a hash tells.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id = id.parse().ok().filter(|_| !secret.is_empty())?;
        Some(Self { text: text.to_owned(), id })
    }

    /// Its public name.
    #[must_use]
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// What the document of keys holds in its place.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.text.as_bytes()).into())
    }

    /// The key, for the one time that it is shown.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, secret)", self.id.as_str())
    }
}

/// SHA-256 of a whole key, `sha256:` and 64 hexadecimal digits in documents.
///
/// A fast hash is right here, and a slow one would be wrong: slowness defends secrets that people choose, of which an attacker who has
/// the hash can try all likely ones. A key has 256 random bits, of which no attacker can try a part that matters at any speed, while a
/// slow hash on every request would let strangers spend the process's CPUs. No salt for the same reason: no two keys are equal.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Whether it is the key's, in a time that says nothing about where they differ.
    #[must_use]
    pub fn is_of(&self, key: &ApiKey) -> bool {
        self.0.ct_eq(&key.hash().0).into()
    }

    /// The form that documents hold.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{HASH_PREFIX}{}", hex::encode(self.0))
    }

    fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.strip_prefix(HASH_PREFIX)?, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A value of another type is read too, so that no error of serde prints it: it may be a key.
        let value = serde_yaml_ng::Value::deserialize(deserializer)?;
        let wrong = || D::Error::custom("it is sha256: and 64 hexadecimal digits, as icegate keys create prints it");
        value.as_str().and_then(Self::read).ok_or_else(wrong)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_id_and_its_random_bytes_and_reads_back() {
        let key = ApiKey::new("collector-1".parse().unwrap(), &[0xff; 32]);
        assert_eq!(key.reveal(), "ig_collector-1___________________________________________8");
        assert_eq!(ApiKey::read(key.reveal()).unwrap(), key);
        // printf ig_a_b | sha256sum
        let hash = ApiKey::read("ig_a_b").unwrap().hash();
        assert_eq!(hash.to_text(), "sha256:d7d7a8cdde1da4600bddadc501195bffdb2e569fedb9af579de44968397144c0");
        assert!(hash.is_of(&ApiKey::read("ig_a_b").unwrap()));
        for other in ["ig_a_c", "ig_b_b", "ig_a_b "] {
            assert!(!hash.is_of(&ApiKey::read(other).unwrap()), "{other}");
        }
    }

    #[test]
    fn what_has_not_the_form_of_a_key_is_none() {
        for bad in ["", "ig_", "ig_a", "ig_a_", "ig__b", "IG_a_b", "ig_a.b_c", " ig_a_b", &format!("ig_{}_b", "x".repeat(65))] {
            assert_eq!(ApiKey::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn keys_and_hashes_do_not_print() {
        let key = ApiKey::read("ig_a_hunter2").unwrap();
        let printed = format!("{key:?} {:?}", key.hash());
        assert!(!printed.contains("hunter2") && !printed.contains(&hex::encode(key.hash().0)), "{printed}");
        assert_eq!(
            "ig_a_hunter2".parse::<KeyId>().unwrap_err().to_string(),
            "invalid id \"(a key)\": allowed are 1 to 64 of A-Z a-z 0-9 -"
        );
    }
}
