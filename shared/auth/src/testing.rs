//! A clock and a document that tests move by hand, and tokens signed with the published keys of RFC 7515 and RFC 8037.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use icegate_model::{Clock, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::Value;

use crate::{AuthError, Fetched, Source};

/// RFC 7515 A.2 and A.3, RFC 8037 A.2: public keys, as an issuer publishes them.
pub(crate) const JWKS: &str = r#"{ "keys": [
    { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
    { "kty": "EC", "crv": "P-256", "kid": "es", "alg": "ES256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" },
    { "kty": "RSA", "kid": "rs", "key_ops": ["verify"], "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" },
    { "kty": "oct", "kid": "shared", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" },
    { "kty": "RSA", "kid": "encryption", "use": "enc", "e": "AQAB", "n": "AQAB" },
    { "kty": "ML-DSA", "kid": "of the future" }
] }"#;

/// RFC 7515 A.2.1: signed with `rs`.
pub(crate) const RS256_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4",
    "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv",
    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
);
/// RFC 7515 A.3.1: signed with `es`.
pub(crate) const ES256_TOKEN: &str = concat!(
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
);

const ED_PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const ES_PRIVATE: &str = concat!(
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp",
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt",
);

/// A token with these claims, signed with `ed` or `es`.
pub(crate) fn token(id: &str, claims: &Value) -> String {
    let algorithm = if id == "es" { Algorithm::ES256 } else { Algorithm::EdDSA };
    signed(&Header { kid: Some(id.to_owned()), ..Header::new(algorithm) }, claims)
}

/// A token with this header, signed with the private key of its algorithm, or with what is public of `rs` as a shared secret.
pub(crate) fn signed(header: &Header, claims: &Value) -> String {
    let key = match header.alg {
        Algorithm::ES256 => EncodingKey::from_ec_der(&STANDARD.decode(ES_PRIVATE).unwrap()),
        Algorithm::EdDSA => EncodingKey::from_ed_der(&STANDARD.decode(ED_PRIVATE).unwrap()),
        _ => EncodingKey::from_secret(&public("n")),
    };
    encode(header, claims, &key).unwrap()
}

/// A token with this header, signed with the shared secret among the published keys.
pub(crate) fn signed_with_shared(header: &Header, claims: &Value) -> String {
    encode(header, claims, &EncodingKey::from_secret(&public("k"))).unwrap()
}

/// The bytes of the one member of the published keys that has this name and is long.
fn public(member: &str) -> Vec<u8> {
    let keys: Value = serde_json::from_str(JWKS).unwrap();
    let members = keys["keys"].as_array().unwrap().iter().filter_map(|key| key[member].as_str());
    URL_SAFE_NO_PAD.decode(members.max_by_key(|text| text.len()).unwrap()).unwrap()
}

/// Seconds since 1970 that a test sets.
#[derive(Debug, Default)]
pub(crate) struct Seconds(AtomicI64);

impl Seconds {
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for Seconds {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// A document that a test writes, or takes away.
#[derive(Debug, Default)]
pub(crate) struct Written {
    text: Mutex<Option<String>>,
    reads: AtomicUsize,
}

impl Written {
    pub(crate) fn new(text: &str) -> Arc<Self> {
        let written = Arc::new(Self::default());
        written.write(Some(text));
        written
    }

    pub(crate) fn write(&self, text: Option<&str>) {
        *self.text.lock().unwrap() = text.map(str::to_owned);
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Source for Written {
    async fn fetch(&self) -> Result<Fetched, AuthError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        // Others run meanwhile.
        tokio::task::yield_now().await;
        let text = self.text.lock().unwrap().clone();
        let gone = || AuthError::Unreadable { place: self.place(), message: "gone".to_owned() };
        text.map(|text| Fetched { text, version: None }).ok_or_else(gone)
    }

    fn place(&self) -> String {
        "a test".to_owned()
    }
}
