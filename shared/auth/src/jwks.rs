//! The keys that JWTs are signed with, RFC 7517, and what a signature proves.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use icegate_runtime::config::JwtAlgorithm;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::keys::Rejected;
use crate::{AuthError, Refusal, document};

/// Most keys of one document.
const MAX_KEYS: usize = 100;
/// Bytes of the smallest RSA modulus that is still safe, and of the largest that isn't a way to keep the CPU busy.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// Bytes of a coordinate of P-256, and of an Ed25519 key.
const POINT_BYTES: usize = 32;

/// Public keys of an issuer of JWTs, those of them that the configured algorithms verify with.
pub(crate) struct Jwks(Vec<VerifyingKey>);

struct VerifyingKey {
    id: Option<String>,
    /// The one algorithm that this key verifies with; what a token says of itself only has to agree.
    algorithm: Algorithm,
    key: DecodingKey,
}

/// What is read of a document; members and types of keys that aren't known are ignored, as RFC 7517 wants it.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwks {
    pub(crate) fn parse(text: &str, algorithms: &[JwtAlgorithm]) -> Result<Self, AuthError> {
        let read: Document = document::parse(text)?;
        if read.keys.len() > MAX_KEYS {
            return Err(AuthError::document("keys", format!("{} keys, allowed are {MAX_KEYS}", read.keys.len())));
        }
        let mut keys = Vec::new();
        for (index, jwk) in read.keys.iter().enumerate() {
            let Some(algorithm) = jwk.algorithm().filter(|algorithm| algorithms.contains(algorithm)) else { continue };
            let key = jwk.key(algorithm).map_err(|message| AuthError::document(format!("keys[{index}]"), message))?;
            keys.push(VerifyingKey { id: jwk.kid.clone(), algorithm: of_library(algorithm), key });
        }
        if keys.is_empty() {
            return Err(AuthError::document("keys", "there is no key for any of auth.jwt.algorithms"));
        }
        Ok(Self(keys))
    }

    /// The claims of a token whose signature is one of these keys'. Nothing is said about what the claims mean.
    pub(crate) fn verify(&self, token: &str) -> Result<Map<String, Value>, Rejected> {
        let header = decode_header(token).map_err(|_| refused("the token can't be read"))?;
        // An extension that has to be understood, and isn't (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(refused("the token needs extensions that aren't known"));
        }
        let key = self.find(&header)?;
        let mut validation = Validation::new(key.algorithm);
        // Claims are checked where the time is known.
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        validation.required_spec_claims.clear();
        let verified = decode::<Map<String, Value>>(token, &key.key, &validation);
        verified.map(|token| token.claims).map_err(|_| refused("the token's signature or its form is wrong"))
    }

    fn find(&self, header: &Header) -> Result<&VerifyingKey, Rejected> {
        let mut fitting = self.0.iter().filter(|key| key.algorithm == header.alg);
        match &header.kid {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)).ok_or(Rejected::Unknown),
            None => match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(key),
                (None, _) => Err(Rejected::Unknown),
                (Some(_), Some(_)) => Err(refused("the token doesn't say which key it is signed with")),
            },
        }
    }
}

fn refused(reason: &str) -> Rejected {
    Rejected::Unusable(Refusal::unauthenticated(reason))
}

const fn of_library(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::RS256 => Algorithm::RS256,
        JwtAlgorithm::ES256 => Algorithm::ES256,
        JwtAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}

impl Jwk {
    /// The algorithm that the key verifies with; none where it is for another use or another algorithm.
    fn algorithm(&self) -> Option<JwtAlgorithm> {
        let (algorithm, name) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => (JwtAlgorithm::RS256, "RS256"),
            ("EC", Some("P-256")) => (JwtAlgorithm::ES256, "ES256"),
            ("OKP", Some("Ed25519")) => (JwtAlgorithm::EdDSA, "EdDSA"),
            _ => return None,
        };
        let for_signatures = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let verifies = self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
        let agrees = self.alg.as_deref().is_none_or(|alg| alg == name);
        (for_signatures && verifies && agrees).then_some(algorithm)
    }

    /// The key, its size checked: the library takes keys of any.
    fn key(&self, algorithm: JwtAlgorithm) -> Result<DecodingKey, String> {
        let built = match algorithm {
            JwtAlgorithm::RS256 => {
                let modulus = bytes("n", self.n.as_deref())?;
                let length = modulus.iter().skip_while(|byte| **byte == 0).count();
                if !RSA_BYTES.contains(&length) {
                    return Err(format!(
                        "an RSA key of {} bits, allowed are {} to {}",
                        length * 8,
                        RSA_BYTES.start() * 8,
                        RSA_BYTES.end() * 8
                    ));
                }
                return Ok(DecodingKey::from_rsa_raw_components(&modulus, &bytes("e", self.e.as_deref())?));
            }
            JwtAlgorithm::ES256 => {
                DecodingKey::from_ec_components(point("x", self.x.as_deref())?, point("y", self.y.as_deref())?)
            }
            JwtAlgorithm::EdDSA => DecodingKey::from_ed_components(point("x", self.x.as_deref())?),
        };
        built.map_err(|error| error.to_string())
    }
}

fn bytes(member: &str, value: Option<&str>) -> Result<Vec<u8>, String> {
    let value = value.ok_or_else(|| format!("{member} is missing"))?;
    URL_SAFE_NO_PAD.decode(value).map_err(|_| format!("{member} isn't base64url"))
}

fn point<'a>(member: &str, value: Option<&'a str>) -> Result<&'a str, String> {
    let length = bytes(member, value)?.len();
    value.filter(|_| length == POINT_BYTES).ok_or_else(|| format!("{member} has {length} bytes, allowed are {POINT_BYTES}"))
}
