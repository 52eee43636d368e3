use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderValue;
use icegate_model::ErrorKind;
use serde_json::json;

use super::*;
use crate::testing::{JWKS, Seconds, Written, token};

const PLACE: &str = "https://keys";

fn entry(key: &str) -> serde_json::Value {
    let key = ApiKey::read(key).unwrap();
    json!({ "id": key.id().as_str(), "hash": key.hash().to_text(), "tenants": ["a"], "scopes": ["write"] })
}

fn document(keys: &[&str]) -> String {
    json!({ "keys": keys.iter().map(|key| entry(key)).collect::<Vec<_>>() }).to_string()
}

struct World {
    clock: Arc<Seconds>,
    document: Arc<Written>,
    metrics: Metrics,
    authenticator: Authenticator,
}

/// Keys and JWTs; `document` is the one that a test writes.
async fn world(config: serde_json::Value, text: &str) -> World {
    let (clock, document, metrics) = (Arc::new(Seconds::default()), Written::new(text), Metrics::default());
    let config: Auth = serde_json::from_value(config).unwrap();
    let source = Arc::clone(&document);
    let outside = move |address: &str| (address == PLACE).then(|| Arc::clone(&source) as Arc<dyn Source>);
    let shared: Arc<dyn Clock> = Arc::<Seconds>::clone(&clock);
    let authenticator = Authenticator::open(&config, &outside, shared, metrics.clone()).await.unwrap();
    World { clock, document, metrics, authenticator }
}

async fn keys(text: &str) -> World {
    world(json!({ "mode": "api_keys", "keys": PLACE, "refresh_secs": 60 }), text).await
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap())])
}

async fn is_let_in(authenticator: &Authenticator, token: &str) -> bool {
    authenticator.admit(&mut bearer(token), Scope::Write).await.is_ok()
}

#[tokio::test]
async fn a_key_acts_for_its_tenant_only_and_its_credentials_go_no_further() {
    let world = keys(&document(&["ig_one_x"])).await;
    let mut headers = bearer("ig_one_x");
    let grant = world.authenticator.admit(&mut headers, Scope::Write).await.unwrap();
    assert_eq!((grant.key_id(), headers.len(), headers["x-scope-orgid"].as_bytes()), (Some("one"), 1, &b"a"[..]));
    for (token, need, kind) in
        [("ig_one_x", Scope::Read, ErrorKind::Forbidden), ("ig_one_y", Scope::Write, ErrorKind::Unauthenticated)]
    {
        let mut headers = bearer(token);
        let refusal = world.authenticator.admit(&mut headers, need).await.unwrap_err();
        assert_eq!(refusal.kind(), kind);
        assert!(headers.is_empty() && !refusal.to_string().contains(token), "{headers:?} {refusal}");
    }
    assert_eq!(
        world.authenticator.admit(&mut HeaderMap::new(), Scope::Write).await.unwrap_err().kind(),
        ErrorKind::Unauthenticated
    );
}

#[tokio::test]
async fn a_key_that_is_added_is_known_at_once_and_one_that_is_removed_is_gone_after_the_interval() {
    let world = keys(&document(&["ig_old_x"])).await;
    world.clock.set(20);
    world.document.write(Some(&document(&["ig_new_y"])));
    assert!(is_let_in(&world.authenticator, "ig_old_x").await, "the document was read before its time");
    assert!(is_let_in(&world.authenticator, "ig_new_y").await, "a key that was added is not known");
    assert!(!is_let_in(&world.authenticator, "ig_old_x").await);
    world.document.write(Some(&document(&[])));
    world.clock.set(79);
    assert!(is_let_in(&world.authenticator, "ig_new_y").await);
    world.clock.set(80);
    assert!(!is_let_in(&world.authenticator, "ig_new_y").await);
    assert_eq!((world.metrics.refreshes("keys", "changed"), world.metrics.refreshes("keys", "failed")), (2, 0));
}

#[tokio::test]
async fn strangers_can_not_make_the_document_be_read_at_will() {
    let world = keys(&document(&["ig_one_x"])).await;
    let stranger = async |number: usize| is_let_in(&world.authenticator, &format!("ig_stranger_{number}")).await;
    for number in 0..50 {
        assert!(!stranger(number).await);
    }
    assert_eq!(world.document.reads(), 1, "only the start has read");
    for (second, reads) in [(9, 1), (10, 2), (19, 2), (20, 3)] {
        world.clock.set(second);
        for number in 0..50 {
            assert!(!stranger(number).await);
        }
        assert_eq!(world.document.reads(), reads, "second {second}");
    }
}

#[tokio::test]
async fn a_bad_or_missing_new_document_keeps_the_old_one_and_is_counted() {
    let world = keys(&document(&["ig_one_x"])).await;
    for (second, text) in [(60, Some("keys: [{}]")), (70, None), (80, Some("")), (90, Some("}"))] {
        world.clock.set(second);
        world.document.write(text);
        assert!(is_let_in(&world.authenticator, "ig_one_x").await, "{text:?}");
        assert!(!is_let_in(&world.authenticator, "ig_two_x").await, "{text:?}");
    }
    assert_eq!((world.metrics.refreshes("keys", "failed"), world.document.reads()), (4, 5));
    world.document.write(Some(&document(&["ig_two_x"])));
    world.clock.set(100);
    assert!(is_let_in(&world.authenticator, "ig_two_x").await);
    assert!(!is_let_in(&world.authenticator, "ig_one_x").await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_an_old_document() {
    let world = keys(&document(&["ig_one_x"])).await;
    world.clock.set(1_000_000);
    assert!(is_let_in(&world.authenticator, "ig_one_x").await);
    world.document.write(Some(&document(&[])));
    world.clock.set(5);
    assert!(!is_let_in(&world.authenticator, "ig_one_x").await);
}

#[tokio::test]
async fn keys_are_rotated_under_load_without_a_refused_request() {
    let world = keys(&document(&["ig_g0_x"])).await;
    let authenticator = Arc::new(world.authenticator);
    let stop = Arc::new(AtomicBool::new(false));
    // Each client uses the key that is announced; two generations are valid at any time.
    let announced = Arc::new(std::sync::Mutex::new("ig_g0_x".to_owned()));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (authenticator, stop, announced) = (Arc::clone(&authenticator), Arc::clone(&stop), Arc::clone(&announced));
            tokio::spawn(async move {
                let mut served = 0_u64;
                while !stop.load(Ordering::SeqCst) {
                    let key = announced.lock().unwrap().clone();
                    assert!(is_let_in(&authenticator, &key).await, "{key} was refused");
                    served += 1;
                    tokio::task::yield_now().await;
                }
                served
            })
        })
        .collect();
    for generation in 1..=20 {
        let (old, new) = (format!("ig_g{}_x", generation - 1), format!("ig_g{generation}_x"));
        world.document.write(Some(&document(&[&old, &new])));
        world.clock.set(generation * 100);
        announced.lock().unwrap().clone_from(&new);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        assert!(client.await.unwrap() > 0);
    }
    assert!(!is_let_in(&authenticator, "ig_g0_x").await, "the first key is still valid");
}

#[tokio::test]
async fn tokens_are_believed_beside_keys_and_their_signing_keys_are_read_anew_for_an_unknown_one() {
    let other =
        r#"{ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "first", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }"#;
    let config = json!({
        "mode": "api_keys", "keys": [entry("ig_one_x")],
        "jwt": { "issuer": "i", "audience": ["me"], "algorithms": ["EdDSA"], "jwks_url": PLACE },
    });
    let world = world(config, other).await;
    let token = token("ed", &json!({ "iss": "i", "aud": "me", "exp": 1000, "tenants": "a", "scope": "write" }));
    assert!(is_let_in(&world.authenticator, "ig_one_x").await);
    assert!(!is_let_in(&world.authenticator, &token).await, "its signing key isn't published yet");
    world.document.write(Some(JWKS));
    world.clock.set(10);
    assert!(is_let_in(&world.authenticator, &token).await);
    assert_eq!(world.document.reads(), 2);
    // What looks like a key is never taken for a token.
    assert!(!is_let_in(&world.authenticator, &format!("ig_{token}")).await);
}

#[tokio::test]
async fn what_can_not_be_opened_says_why() {
    let metrics = Metrics::default();
    for (config, named) in [
        (json!({ "mode": "header" }), "auth.mode: only api_keys and jwt"),
        (json!({ "mode": "api_keys", "keys": [{ "id": "a" }] }), "keys[0]: missing field `hash`"),
        (json!({ "mode": "api_keys", "keys": "keys: 5" }), "keys: invalid type"),
        (json!({ "mode": "api_keys", "keys": "arn:aws:ssm:x" }), "auth.keys: arn:aws:ssm:x: this host can't read from there"),
        (json!({ "mode": "api_keys", "keys_file": "/nowhere/keys.yaml" }), "can't read /nowhere/keys.yaml: No such file"),
    ] {
        let config: Auth = serde_json::from_value(config).unwrap();
        let opened = Authenticator::open(&config, &|_| None, Arc::new(Seconds::default()), metrics.clone()).await;
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
