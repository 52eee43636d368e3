//! Keys and tokens against the real process: who isn't granted a tenant neither writes to it nor reads from it (TENANT-1).

mod rotation;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;
use tonic::Code;

use crate::grpc::export_line_as;
use crate::process::{Process, Settings, python, run, script};
use crate::tempo_grpc::search_as;

/// Never expires, as far as a test is concerned.
const FAR: &str = "2099-01-01T00:00:00Z";
const PAST: &str = "2001-01-01T00:00:00Z";
const JSON: &str = "application/json";

/// A key and its entry in the document, as `icegate keys create` makes them.
struct Key {
    key: String,
    entry: String,
}

impl Key {
    fn create(id: &str, tenants: &[&str], scopes: &[&str], more: &[&str]) -> Self {
        let mut arguments = vec!["keys", "create", "--id", id];
        arguments.extend(tenants.iter().flat_map(|tenant| ["--tenant", tenant]));
        arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
        arguments.extend(more);
        let output = run(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let key = text.lines().find(|line| line.starts_with("ig_")).unwrap().to_owned();
        let entry = text.lines().skip_while(|line| !line.starts_with("- id:")).map(|line| format!("{line}\n")).collect();
        Self { key, entry }
    }

    fn revoked(self) -> Self {
        Self { entry: format!("{}  revoked: true\n", self.entry), ..self }
    }

    fn secret(&self) -> &str {
        self.key.splitn(3, '_').nth(2).unwrap()
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }
}

fn document(keys: &[&Key]) -> String {
    format!("keys:\n{}", keys.iter().map(|key| key.entry.as_str()).collect::<String>())
}

/// A document that a process reads, replaced in one step.
fn write(folder: &Path, text: &str) -> PathBuf {
    let (new, file) = (folder.join("keys.new"), folder.join("keys.yaml"));
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, &file).unwrap();
    file
}

async fn start(data: &TempDir, keys: &[&Key]) -> Process {
    let file = write(data.path(), &document(keys));
    let variables = [
        ("ICEGATE_AUTH__MODE", "api_keys"),
        ("ICEGATE_AUTH__KEYS_FILE", file.to_str().unwrap()),
        ("ICEGATE_AUTH__REFRESH_SECS", "1"),
    ];
    Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &variables }).await
}

/// Ways of asking, each answered in its own manner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Otlp,
    OtlpOnLokisPort,
    Push,
    Grpc,
    Query,
    Tail,
}

impl Way {
    const WRITES: [Self; 4] = [Self::Otlp, Self::OtlpOnLokisPort, Self::Push, Self::Grpc];
    const READS: [Self; 2] = [Self::Query, Self::Tail];

    /// Asks with these headers: the status, 401 and 403 for gRPC's codes that say the same, and the text of a refusal.
    async fn ask(self, process: &Process, headers: &[(&'static str, &str)], line: &str) -> (u16, String) {
        let client = reqwest::Client::new();
        let otlp = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{ "body": { "stringValue": line } }] }] }] });
        let push = json!({ "streams": [{ "stream": { "app": "x" }, "values": [["1704067200000000000", line]] }] });
        let loki = |path: &str| format!("http://127.0.0.1:{}{path}", process.loki);
        let request = match self {
            Self::Otlp => client.post(process.otlp("/v1/logs")).header("Content-Type", JSON).body(otlp.to_string()),
            Self::OtlpOnLokisPort => client.post(loki("/otlp/v1/logs")).header("Content-Type", JSON).body(otlp.to_string()),
            Self::Push => client.post(loki("/loki/api/v1/push")).header("Content-Type", JSON).body(push.to_string()),
            Self::Query => client.get(loki("/loki/api/v1/labels?start=0")),
            Self::Tail => client
                .get(loki("/loki/api/v1/tail?query=%7Bservice_name%3D~%22.%2B%22%7D"))
                .header("Connection", "Upgrade")
                .header("Upgrade", "websocket")
                .header("Sec-WebSocket-Version", "13")
                .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            Self::Grpc => {
                let lowercase: Vec<_> = headers.iter().map(|(name, value)| (lower(name), *value)).collect();
                return match export_line_as(process, &lowercase, line).await {
                    Ok(_) => (200, String::new()),
                    Err(status) if status.code() == Code::Unauthenticated => (401, status.message().to_owned()),
                    Err(status) if status.code() == Code::PermissionDenied => (403, status.message().to_owned()),
                    Err(status) => panic!("{status}"),
                };
            }
        };
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers().contains_key("WWW-Authenticate"), status == 401, "{self:?}");
        let text = if status == 101 { String::new() } else { answer.text().await.unwrap() };
        (status, text)
    }
}

/// Metadata of gRPC has names in lower case only.
fn lower(name: &'static str) -> &'static str {
    match name {
        "Authorization" => "authorization",
        "X-Scope-OrgID" | "X-SCOPE-ORGID" => "x-scope-orgid",
        "X-Account-ID" => "x-account-id",
        name => name,
    }
}

/// The log lines of a tenant, which the key may read.
async fn lines(process: &Process, key: &Key, tenant: &str) -> Vec<String> {
    let answer = reqwest::Client::new()
        .get(format!("http://127.0.0.1:{}/loki/api/v1/query_range?query=%7Bservice_name%3D~%22.%2B%22%7D&start=0&end=4102444800&limit=5000", process.loki))
        .header("Authorization", key.bearer())
        .header("X-Scope-OrgID", tenant)
        .send()
        .await
        .unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{text}");
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let streams = answer["data"]["result"].as_array().unwrap();
    let values = streams.iter().flat_map(|stream| stream["values"].as_array().unwrap());
    let mut lines: Vec<_> = values.map(|value| value[1].as_str().unwrap().to_owned()).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_acts_for_its_tenants_with_its_scopes_and_nobody_else_does() {
    let data = tempfile::tempdir().unwrap();
    let both = Key::create("a", &["team-a", "team-a2"], &["read", "write"], &["--expires", FAR, "--note", "for \"tests\": #1"]);
    let other = Key::create("b", &["team-b"], &["read", "write"], &[]);
    let (reader, writer) = (Key::create("a-r", &["team-a"], &["read"], &[]), Key::create("a-w", &["team-a"], &["write"], &[]));
    let revoked = Key::create("a-revoked", &["team-a"], &["read", "write"], &[]).revoked();
    let expired = Key::create("a-expired", &["team-a"], &["read", "write"], &["--expires", PAST]);
    let future = Key::create("a-future", &["team-a"], &["read", "write"], &["--not-before", FAR]);
    let unknown = Key::create("a-unknown", &["team-a"], &["read", "write"], &[]);
    let known = [&both, &other, &reader, &writer, &revoked, &expired, &future];
    let process = start(&data, &known).await;
    let wrong = Key { key: format!("ig_a_{}", other.secret()), entry: String::new() };

    let (basic_a, bearer_a) = (basic("grafana", &both.key), both.bearer());
    let mut expected = Vec::new();
    for way in Way::WRITES {
        let mut write = async |headers: &[(&'static str, &str)], line: String| {
            let (status, text) = way.ask(&process, headers, &line).await;
            assert!(status == 200 || status == 204, "{way:?} {headers:?}: {status} {text}");
            expected.push(line);
        };
        write(&[("Authorization", &bearer_a)], format!("{way:?} bearer")).await;
        write(&[("Authorization", &basic_a)], format!("{way:?} basic")).await;
        write(&[("Authorization", &writer.bearer()), ("X-Scope-OrgID", "team-a")], format!("{way:?} writer")).await;
        // An account is a part of the tenant, whatever its name.
        write(&[("Authorization", &bearer_a), ("X-Account-ID", "team-b")], format!("{way:?} account")).await;
    }
    for way in Way::READS {
        for key in [&both, &reader, &other] {
            let (status, text) = way.ask(&process, &[("Authorization", &key.bearer())], "").await;
            assert!(status == 200 || status == 101, "{way:?}: {status} {text}");
        }
    }
    let (second, _) = Way::Otlp.ask(&process, &[("Authorization", &bearer_a), ("X-Scope-OrgID", "team-a2")], "second").await;
    let (others, _) = Way::Otlp.ask(&process, &[("Authorization", &other.bearer())], "other").await;
    assert_eq!((second, others), (200, 200));

    for way in [Way::WRITES.as_slice(), Way::READS.as_slice()].concat() {
        let mut refused: Vec<(Vec<(&'static str, String)>, u16)> = vec![
            (vec![], 401),
            (vec![("X-Scope-OrgID", "team-a".to_owned())], 401),
            (vec![("Authorization", "Bearer ".to_owned())], 401),
            (vec![("Authorization", both.key.clone())], 401),
            (vec![("Authorization", bearer_a.clone()), ("Authorization", other.bearer())], 401),
        ];
        for key in [&revoked, &expired, &future, &unknown, &wrong] {
            refused.push((vec![("Authorization", key.bearer())], 401));
        }
        let scopeless = if Way::READS.contains(&way) { &writer } else { &reader };
        refused.push((vec![("Authorization", scopeless.bearer())], 403));
        for name in ["X-Scope-OrgID", "X-SCOPE-ORGID", "x-scope-orgid"] {
            for forged in ["team-b", "team-a|team-b", "team-a,team-b", "TEAM-A", "default", "", "../team-b"] {
                refused.push((vec![("Authorization", bearer_a.clone()), (name, forged.to_owned())], 403));
            }
        }
        for twice in [["team-a", "team-b"], ["team-b", "team-a"], ["team-a", "team-a"]] {
            let [first, second] = twice.map(|tenant| ("X-Scope-OrgID", tenant.to_owned()));
            refused.push((vec![("Authorization", bearer_a.clone()), first, second], 403));
        }
        for (headers, expected) in &refused {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let (status, text) = way.ask(&process, &headers, "refused").await;
            assert_eq!(status, *expected, "{way:?} {headers:?}: {text}");
            assert!(!text.is_empty() && known.iter().all(|key| !text.contains(key.secret())), "{way:?}: {text}");
        }
    }

    expected.sort();
    assert_eq!(lines(&process, &both, "team-a").await, expected);
    assert_eq!(lines(&process, &both, "team-a2").await, ["second"]);
    assert_eq!(lines(&process, &other, "team-b").await, ["other"]);

    let log = process.log();
    for named in [
        "request was refused",
        "the key is not valid",
        "key a-revoked is revoked",
        "key a-expired has expired",
        "key a-r has no scope write",
    ] {
        assert!(log.contains(named), "{named}: {log}");
    }
    let mut secrets: Vec<_> = known.iter().chain([&&unknown]).flat_map(|key| [key.secret().to_owned(), hash(key)]).collect();
    secrets.push(basic_a.trim_start_matches("Basic ").to_owned());
    for secret in secrets {
        assert!(secret.len() > 40 && !log.contains(&secret), "the log has a secret");
    }
    assert!(process.metric(r#"icegate_auth_requests_total{outcome="unauthenticated"}"#).await >= 60.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_write_needs_a_key_that_may_write_on_both_of_its_ports() {
    let data = tempfile::tempdir().unwrap();
    let (reader, writer) = (Key::create("r", &["team-a"], &["read"], &[]), Key::create("w", &["team-a"], &["write"], &[]));
    let process = start(&data, &[&reader, &writer]).await;
    for port in [process.prometheus, process.otlp_http] {
        for (key, status) in [(None, 401), (Some(&reader), 403), (Some(&writer), 204)] {
            let request = reqwest::Client::new().post(format!("http://127.0.0.1:{port}/api/v1/write"));
            let request = key.iter().fold(request, |request, key| request.header("Authorization", key.bearer()));
            // A block of Snappy that holds nothing: an empty request.
            let answer = request.body(vec![0_u8]).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status);
            if status != 204 {
                let headers = [&answer.headers()["content-type"], &answer.headers()["x-content-type-options"]]
                    .map(|value| value.to_str().unwrap().to_owned());
                assert_eq!(headers, ["text/plain; charset=utf-8", "nosniff"]);
            }
        }
    }
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

fn hash(key: &Key) -> String {
    key.entry.lines().find_map(|line| line.trim().strip_prefix("hash: sha256:")).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_written_as_each_api_writes_errors_and_what_says_nothing_of_tenants_is_open() {
    let data = tempfile::tempdir().unwrap();
    let process = start(&data, &[]).await;
    let (_, otlp) = Way::Otlp.ask(&process, &[], "x").await;
    let otlp: serde_json::Value = serde_json::from_str(&otlp).unwrap();
    // google.rpc.Code 16 is UNAUTHENTICATED.
    assert_eq!(otlp["code"], 16);
    assert!(otlp["message"].as_str().unwrap().contains("a key is needed"), "{otlp}");
    let (_, text) = Way::Query.ask(&process, &[], "x").await;
    assert!(text.starts_with("a key is needed"), "{text}");
    for way in [Way::Query, Way::Push] {
        let (_, text) = way.ask(&process, &[("Accept", JSON)], "x").await;
        let error: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&error["status"], &error["errorType"]), (&json!("error"), &json!("unauthorized")), "{way:?}");
    }
    for (url, status) in [
        (process.otlp("/health"), 200),
        (format!("http://127.0.0.1:{}/ready", process.loki), 200),
        (format!("http://127.0.0.1:{}/metrics", process.metrics), 200),
        (format!("http://127.0.0.1:{}/loki/api/v1/status/buildinfo", process.loki), 401),
        (format!("http://127.0.0.1:{}/no/such/path", process.loki), 401),
        (format!("http://127.0.0.1:{}//ready", process.loki), 401),
        (process.otlp("/no/such/path"), 401),
        (format!("http://127.0.0.1:{}/ready", process.tempo), 200),
        (format!("http://127.0.0.1:{}/api/echo", process.tempo), 401),
        (format!("http://127.0.0.1:{}/api/search", process.tempo), 401),
    ] {
        assert_eq!(reqwest::get(&url).await.unwrap().status().as_u16(), status, "{url}");
    }
    let streamed = search_as(&process, &[("x-scope-orgid", "default")], "{ }").await;
    assert_eq!(streamed.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_sdk_writes_with_a_key_and_not_without_the_right_one() {
    const COUNT: &str = "20";
    let Some(python) = python("a_real_sdk_writes_with_a_key") else { return };
    let data = tempfile::tempdir().unwrap();
    let key = Key::create("sdk", &["sdk"], &["read", "write"], &[]);
    let unknown = Key::create("sdk", &["sdk"], &["read", "write"], &[]);
    let process = start(&data, &[&key]).await;
    for (transport, endpoint) in
        [("http", format!("http://127.0.0.1:{}", process.otlp_http)), ("grpc", format!("127.0.0.1:{}", process.otlp_grpc))]
    {
        let send = |key: &Key| {
            Command::new(&python).arg(script("sdk.py")).args([transport, &endpoint, COUNT, &key.key]).output().unwrap()
        };
        let sent = send(&key);
        assert!(sent.status.success(), "{transport}: {}\n{}", String::from_utf8_lossy(&sent.stderr), process.log());
        assert!(!send(&unknown).status.success(), "{transport}");
    }
    assert_eq!(lines(&process, &key, "sdk").await.len(), 40);
}

#[test]
fn keys_are_made_by_the_command_line_and_what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Key::create("one", &["a", "b"], &["read"], &[]), Key::create("one", &["a"], &["read"], &[]));
    assert!(one.secret().len() == 43 && one.key != two.key, "{}", one.key);
    let expired = Key::create("two", &["c"], &["write"], &["--expires", PAST, "--note", "a: \"b\"\n#"]);
    let file = write(folder.path(), &document(&[&one, &expired]));
    let checked = run(&["keys", "check", "-f", file.to_str().unwrap()]);
    let text = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(text, "one: read for a,b, valid\ntwo: write for c, expired\nthe document is valid, it has 2 keys\n");

    write(folder.path(), &document(&[&one, &two]));
    let twice = run(&["keys", "check", "-f", file.to_str().unwrap()]);
    let error = String::from_utf8(twice.stderr).unwrap();
    assert!(twice.status.code() == Some(2) && error.contains("keys[1].id: one is named twice"), "{error}");

    for (arguments, named) in [
        (["--id", "a_b", "--tenant", "a", "--scope", "read"].as_slice(), "a_b"),
        (&["--id", "a", "--tenant", "a/b", "--scope", "read"], "a/b"),
        (&["--id", "a", "--tenant", "a", "--scope", "admin"], "admin"),
        (&["--id", "a", "--tenant", "a", "--tenant", "a", "--scope", "read"], "tenant a is named twice"),
        (&["--id", "a", "--tenant", "a", "--scope", "read", "--expires", "2027-01-01"], "RFC 3339"),
        (&["--id", "a", "--tenant", "a"], "--scope"),
    ] {
        let output = run(&[&["keys", "create"], arguments].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty() && error.contains(named), "{arguments:?}: {error}");
    }
}

#[test]
fn a_configuration_that_lets_the_wrong_ones_in_or_nobody_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let keys = write(folder.path(), "keys: [{ id: a }]");
    let file = folder.path().join("config.yaml");
    for (auth, named) in [
        ("mode: authorizer".to_owned(), vec!["auth.mode: authorizer", "API Gateway", "api_keys"]),
        ("mode: iam, callers: []".to_owned(), vec!["auth.mode: iam", "API Gateway"]),
        ("mode: api_keys".to_owned(), vec!["auth.mode", "auth.keys_file"]),
        ("mode: api_keys, keys: [{ id: a, secret: x }]".to_owned(), vec!["auth.keys: keys[0]", "unknown field `secret`"]),
        (format!("mode: api_keys, keys_file: {}", keys.display()), vec!["keys.yaml: keys[0]", "missing field `hash`"]),
        ("mode: api_keys, keys_file: /nowhere/keys.yaml".to_owned(), vec!["can't read /nowhere/keys.yaml"]),
        (
            "mode: api_keys, keys: 'arn:aws:ssm:eu-central-1:1:parameter/k'".to_owned(),
            vec!["auth.keys: arn:aws:ssm", "can't read from there"],
        ),
        ("mode: api_keys, key: []".to_owned(), vec!["auth", "unknown field `key`", "keys_file"]),
    ] {
        let data = folder.path().display();
        std::fs::write(&file, format!("auth: {{ {auth} }}\nstorage: {{ backend: !filesystem {{ root_path: \"{data}\" }} }}\n"))
            .unwrap();
        for command in [["config", "check", "-c"], ["ingest", "run", "-c"]] {
            let output = run(&[&command[..], &[file.to_str().unwrap()]].concat());
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success() && named.iter().all(|word| error.contains(word)), "{auth}: {error}");
        }
    }
}
