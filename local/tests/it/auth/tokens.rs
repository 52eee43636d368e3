use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;

use super::Way;
use crate::process::{Process, Settings};

/// RFC 8037 A.2: a public key.
const JWKS: &str =
    r#"{ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }"#;
/// Signed by its private half: from https://idp.example/ for icegate until 2100, tenants team-a, scope write.
const TOKEN: &str = concat!(
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.",
    "eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLyIsImF1ZCI6ImljZWdhdGUiLCJleHAiOjQxMDI0NDQ4MDAsInRlbmFudHMiOlsidGVhbS1hIl0sInNjb3BlIjoid3JpdGUiLCJzdWIiOiJhbm4ifQ.",
    "-jHwsm2WiRiTY7tEz8A2Eg2P1tqemCQqMBzWfbznSDS_fLzuPM37M-NM4CAfpDjQ13xB2OjVmvLoQctsIgeAAw",
);
/// The same until 2000.
const EXPIRED: &str = concat!(
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.",
    "eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLyIsImF1ZCI6ImljZWdhdGUiLCJleHAiOjk0NjY4NDgwMCwidGVuYW50cyI6WyJ0ZWFtLWEiXSwic2NvcGUiOiJ3cml0ZSIsInN1YiI6ImFubiJ9.",
    "9tEh25PXUPYOAuSohEnXumTPy09fHz4KZ46MERscj9zGBFMa2G8snLQv22ll3o6qsgJ_eXwIuCzWJw3CrBYgCQ",
);

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_configured_issuer_acts_for_the_tenants_that_it_names() {
    let published = Arc::new(Mutex::new(JWKS));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let answer = Arc::clone(&published);
    let issuer = Router::new().route("/keys", get(async move || *answer.lock().unwrap()));
    tokio::spawn(async move { axum::serve(listener, issuer).await });

    let data = tempfile::tempdir().unwrap();
    let variables = [
        ("ICEGATE_AUTH__MODE", "jwt"),
        ("ICEGATE_AUTH__JWT__ISSUER", "https://idp.example/"),
        ("ICEGATE_AUTH__JWT__AUDIENCE", "icegate"),
        ("ICEGATE_AUTH__JWT__ALGORITHMS", "EdDSA"),
        ("ICEGATE_AUTH__JWT__JWKS_URL", url.as_str()),
    ];
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &variables }).await;
    let bearer = |token: &str| format!("Bearer {token}");
    let (signed, forged) = (bearer(TOKEN), bearer(&TOKEN.replacen("eyJpc3Mi", "eyJpc3Mj", 1)));
    for way in Way::WRITES {
        for (authorization, tenant, expected) in [
            (&signed, "team-a", 200),
            (&signed, "team-b", 403),
            (&bearer(EXPIRED), "team-a", 401),
            (&forged, "team-a", 401),
            (&bearer("ig_a_b"), "team-a", 401),
        ] {
            let (status, text) = way.ask(&process, &[("Authorization", authorization), ("X-Scope-OrgID", tenant)], "x").await;
            assert_eq!(if status == 204 { 200 } else { status }, expected, "{way:?}: {text}");
        }
    }
    for way in Way::READS {
        let (status, text) = way.ask(&process, &[("Authorization", &signed)], "x").await;
        assert_eq!((status, text.contains("key ann has no scope read")), (403, true), "{way:?}: {text}");
    }
    let log = process.log();
    for part in TOKEN.split('.').skip(1).chain(EXPIRED.split('.').skip(1)) {
        assert!(!log.contains(part), "the log has a part of a token");
    }
}
