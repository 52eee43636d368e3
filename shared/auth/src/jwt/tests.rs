use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use icegate_model::ErrorKind;
use jsonwebtoken::{Algorithm, Header};
use serde_json::json;

use super::*;
use crate::testing::{ES256_TOKEN, JWKS, RS256_TOKEN, Seconds, signed, signed_with_shared, token};

const ALL: [JwtAlgorithm; 3] = [JwtAlgorithm::RS256, JwtAlgorithm::ES256, JwtAlgorithm::EdDSA];

fn jwt(tenants: Value, scopes: Value) -> Jwt {
    let config = json!({
        "issuer": "https://idp/", "audience": ["icegate", "lake"], "algorithms": ["RS256", "ES256", "EdDSA"], "jwks": {},
        "tenants": tenants, "scopes": scopes,
    });
    let config: JwtAuth = serde_json::from_value(config).unwrap();
    let keys = Refreshed::fixed("jwks", JWKS.to_owned(), reader(&config.algorithms), Arc::new(Seconds::default())).unwrap();
    Jwt::new(&config, keys)
}

fn plain() -> Jwt {
    jwt(json!({ "claim": "tenants" }), json!({ "claim": "scope" }))
}

fn claims(more: Value) -> Value {
    let mut claims = json!({ "iss": "https://idp/", "aud": "icegate", "exp": 1000, "tenants": ["a", "b"], "scope": "openid read", "sub": "ann" });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

async fn at(jwt: &Jwt, token: &str, seconds: i64) -> Result<(Vec<String>, String), Refusal> {
    let grant = jwt.grant(token, Timestamp::from_secs(seconds)).await?;
    Ok((grant.tenants().iter().map(ToString::to_string).collect(), grant.scopes().to_string()))
}

fn jws(header: &Value, payload: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(payload), URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_token_allows_what_its_claims_name() {
    for id in ["ed", "es"] {
        let granted = at(&plain(), &token(id, &claims(json!({}))), 0).await.unwrap();
        assert_eq!(granted, (vec!["a".to_owned(), "b".to_owned()], "read".to_owned()), "{id}");
    }
    let one = claims(json!({ "tenants": "a", "scope": ["write", "read", "profile"], "aud": ["other", "lake"] }));
    assert_eq!(at(&plain(), &token("ed", &one), 0).await.unwrap(), (vec!["a".to_owned()], "read,write".to_owned()));
}

#[tokio::test]
async fn values_of_claims_stand_for_what_is_configured_and_others_for_nothing() {
    let jwt = jwt(
        json!({ "claim": "/realm/groups", "values": { "dev": ["a", "b"], "ops": ["b", "c"] } }),
        json!({ "claim": "https://x/roles", "values": { "viewer": ["read"], "admin": ["read", "write"] } }),
    );
    let claims = claims(json!({ "realm": { "groups": ["ops", "a", "dev"] }, "https://x/roles": ["admin", "write"] }));
    let granted = at(&jwt, &token("ed", &claims), 0).await.unwrap();
    assert_eq!(granted, (vec!["b".to_owned(), "c".to_owned(), "a".to_owned()], "read,write".to_owned()));
}

#[tokio::test]
async fn a_token_without_tenant_or_scope_is_known_and_forbidden() {
    for more in [
        json!({ "tenants": [] }),
        json!({ "tenants": 5 }),
        json!({ "tenants": ["a/b"] }),
        json!({ "tenants": ["a", "b|c"] }),
        json!({ "scope": "openid" }),
        json!({ "scope": null }),
        json!({ "scope": "Read" }),
        json!({ "tenants": (0..65).map(|number| format!("t{number}")).collect::<Vec<_>>() }),
    ] {
        let refusal = at(&plain(), &token("ed", &claims(more.clone())), 0).await.unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::Forbidden, "{more}: {refusal}");
    }
}

#[tokio::test]
async fn a_token_counts_within_its_time_give_or_take_the_leeway() {
    let window = token("ed", &claims(json!({ "nbf": 500, "exp": 1000.5 })));
    for (seconds, wrong) in [(469, Some("not valid yet")), (470, None), (1030, None), (1031, Some("expired"))] {
        let found = at(&plain(), &window, seconds).await.err().map(|refusal| refusal.to_string());
        assert_eq!(found.is_some(), wrong.is_some(), "{seconds}: {found:?}");
        assert!(wrong.is_none_or(|wrong| found.unwrap().contains(wrong)), "{seconds}");
    }
}

#[tokio::test]
async fn a_token_of_or_for_somebody_else_or_without_end_is_unauthenticated() {
    for more in [
        json!({ "iss": "https://idp" }),
        json!({ "iss": ["https://idp/"] }),
        json!({ "iss": null }),
        json!({ "aud": "icegate2" }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "exp": null }),
        json!({ "exp": "1000" }),
        json!({ "nbf": "0" }),
    ] {
        let refusal = at(&plain(), &token("ed", &claims(more.clone())), 0).await.unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::Unauthenticated, "{more}: {refusal}");
    }
}

#[tokio::test]
async fn a_signature_that_is_missing_wrong_or_of_another_kind_is_unauthenticated() {
    let good = token("ed", &claims(json!({})));
    let (unsigned, signature) = good.rsplit_once('.').unwrap();
    let payload = claims(json!({ "tenants": ["victim"] }));
    let header = |algorithm, id: Option<&str>| Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    let own_key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    for forged in [
        jws(&json!({ "alg": "none" }), &payload, b""),
        jws(&json!({ "alg": "none", "kid": "ed" }), &payload, b""),
        jws(&json!({ "alg": "EdDSA", "jwk": own_key }), &payload, &[0; 64]),
        format!("{unsigned}."),
        format!("{}{signature}", jws(&json!({ "alg": "EdDSA", "kid": "ed" }), &payload, b"")),
        // A public key, or one that is shared with whoever reads the document, as a shared secret.
        signed(&header(Algorithm::HS256, Some("rs")), &payload),
        signed(&header(Algorithm::HS256, None), &payload),
        signed_with_shared(&header(Algorithm::HS256, Some("shared")), &payload),
        // Signed well, by a key that isn't the one named, or that isn't published.
        signed(&header(Algorithm::ES256, Some("ed")), &payload),
        signed(&header(Algorithm::EdDSA, Some("es")), &payload),
        signed(&header(Algorithm::EdDSA, Some("other")), &payload),
        // Signed well, and it means something that isn't understood.
        signed(&Header { crit: Some(vec!["x".to_owned()]), ..header(Algorithm::EdDSA, Some("ed")) }, &payload),
        good.replace('.', ".."),
        "a.b.c".to_owned(),
        String::new(),
    ] {
        let refusal = at(&plain(), &forged, 0).await.unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::Unauthenticated, "{forged}");
        assert!(forged.is_empty() || !refusal.to_string().contains(&forged), "{refusal}");
    }
}

#[test]
fn a_token_that_names_no_key_is_verified_only_where_there_is_one_key_for_it() {
    let two = r#"{ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
        { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }
    ] }"#;
    let token = signed(&Header::new(Algorithm::EdDSA), &claims(json!({})));
    assert!(Jwks::parse(JWKS, &ALL).unwrap().verify(&token).is_ok());
    assert!(matches!(Jwks::parse(two, &ALL).unwrap().verify(&token), Err(Rejected::Unusable(_))));
}

#[test]
fn signatures_are_those_of_the_published_examples() {
    let keys = Jwks::parse(JWKS, &ALL).unwrap();
    for token in [RS256_TOKEN, ES256_TOKEN] {
        let claims = keys.verify(token).unwrap();
        assert_eq!(Value::Object(claims), json!({ "iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true }));
        let changed = token.replacen("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Uj", 1);
        assert!(keys.verify(&changed).is_err());
    }
    // An algorithm that isn't configured has no key.
    let only_es = Jwks::parse(JWKS, &[JwtAlgorithm::ES256]).unwrap();
    assert!(only_es.verify(ES256_TOKEN).is_ok());
    assert!(matches!(only_es.verify(RS256_TOKEN), Err(Rejected::Unknown)));
}

#[test]
fn signing_keys_that_are_unsafe_or_of_no_use_are_refused() {
    for (keys, named) in [
        (json!([]), "keys: there is no key"),
        (json!([{ "kty": "oct", "k": "AyM1" }]), "keys: there is no key"),
        (json!([{ "kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 128]) }]), "keys[0]: an RSA key of 1024 bits"),
        (json!([{ "kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 513]) }]), "keys[0]: an RSA key of 4104 bits"),
        (json!([{ "kty": "RSA", "e": "AQAB" }]), "keys[0]: n is missing"),
        (json!([{ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }]), "keys[0]: x has 3 bytes, allowed are 32"),
        (json!([{ "kty": "EC", "crv": "P-256", "x": "+", "y": "AA" }]), "keys[0]: x isn't base64url"),
    ] {
        let error = Jwks::parse(&json!({ "keys": keys }).to_string(), &ALL).err().unwrap().to_string();
        assert!(error.contains(named), "{keys}: {error}");
    }
}
