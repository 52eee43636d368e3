//! What Lambda does to environments: they are frozen, reused, out of time, and ended.

use std::time::{Duration, Instant};

use icegate_testkit::{LambdaFunction, S3Server, TcpProxy, Traffic};
use serde_json::{Value, json};

use crate::{answer, invoke, logs, metrics, post};

const WRITER: Option<(&str, &str)> = Some(("team-a", "write"));

/// A function on a bucket behind a proxy.
fn on_s3(server: &S3Server, folder: &std::path::Path) -> (LambdaFunction, TcpProxy) {
    let (bucket, proxy) = (server.bucket(), TcpProxy::start(server.address()));
    let endpoint = format!("http://{}", proxy.address());
    let variables = [
        ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("ICEGATE_STORAGE__BACKEND", "s3"),
        ("ICEGATE_STORAGE__BUCKET", bucket.as_str()),
        ("ICEGATE_STORAGE__REGION", "us-east-1"),
    ];
    (LambdaFunction::start("function-ingest", folder, &variables), proxy)
}

fn event(line: &str) -> Value {
    post("/v1/logs", WRITER, json!({}), &logs(line))
}

#[test]
fn a_frozen_environment_whose_connections_are_gone_takes_the_next_request() {
    let Some(server) = S3Server::shared("a_frozen_environment") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (function, proxy) = on_s3(server, folder.path());
    assert_eq!(invoke(&function, &event("before")).0, 200);
    for round in 0..3 {
        function.wait_until_idle();
        function.freeze();
        proxy.set(Traffic::Refuse);
        std::thread::sleep(Duration::from_millis(50));
        proxy.set(Traffic::Pass);
        function.thaw();
        let invoked = function.invoke(event(&format!("after {round}")).to_string().as_bytes(), crate::TIME);
        assert_eq!(answer(&invoked).0, 200);
        assert_eq!(metrics(&function, &invoked.request_id)["StoragePuts"], 1);
    }
}

#[test]
fn a_request_whose_storage_does_not_answer_is_503_before_the_function_is_killed() {
    let Some(server) = S3Server::shared("a_request_whose_storage_does_not_answer") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (function, proxy) = on_s3(server, folder.path());
    assert_eq!(invoke(&function, &event("before")).0, 200);
    proxy.set(Traffic::Stall);
    let (began, time) = (Instant::now(), Duration::from_secs(4));
    let invoked = function.invoke(event("stalled").to_string().as_bytes(), time);
    let (status, body) = answer(&invoked);
    assert!(began.elapsed() < time, "{:?}", began.elapsed());
    assert_eq!((status, &body["code"]), (503, &json!(14)), "{body}");
    assert!(body["message"].as_str().unwrap().contains("nothing is acknowledged, send it again"), "{body}");
    let reply: Value = serde_json::from_slice(&invoked.body).unwrap();
    assert_eq!(reply["headers"]["retry-after"], "1");
    proxy.set(Traffic::Pass);
    assert_eq!(invoke(&function, &event("after")).0, 200);
}

#[test]
fn an_environment_that_is_ended_answers_first() {
    let Some(server) = S3Server::shared("an_environment_that_is_ended") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (mut function, proxy) = on_s3(server, folder.path());
    assert_eq!(invoke(&function, &event("before")).0, 200);
    proxy.set(Traffic::Stall);
    let running = function.begin(event("at hand").to_string().as_bytes(), crate::TIME);
    std::thread::sleep(Duration::from_millis(200));
    function.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    proxy.set(Traffic::Pass);
    assert_eq!(answer(&running.recv().unwrap()).0, 200);
    assert!(function.wait().success());
}

#[test]
fn an_environment_that_has_nothing_to_do_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut function = LambdaFunction::start("function-ingest", folder.path(), &[]);
    function.wait_until_idle();
    assert!(function.terminate().success());
}

#[test]
fn a_function_that_is_configured_badly_does_not_start_and_says_why() {
    for (variable, value, named) in [
        ("ICEGATE_QUEUE__WRITE__FLUSH_INTERVAL", "5", "unknown field `flush_interval`"),
        ("ICEGATE_FUNCTION_STREAMIN", "true", "ICEGATE_FUNCTION_STREAMIN=\\\"true\\\": unknown"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand", "is lost with the function's environment"),
    ] {
        let folder = tempfile::Builder::new().prefix("function").tempdir_in("/tmp").unwrap();
        let mut function = LambdaFunction::start("function-ingest", folder.path(), &[(variable, value)]);
        assert!(!function.wait().success());
        let log = function.log().join("\n");
        assert!(log.contains(named), "{variable}: {log}");
    }
}
