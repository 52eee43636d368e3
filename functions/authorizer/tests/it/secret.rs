//! Keys that lie in Secrets Manager and SSM.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use icegate_testkit::S3Server;
use serde_json::{Value, json};

use crate::{answer, asked, document, entry, key, start};

/// One of AWS's JSON protocols.
fn call(server: &S3Server, service: &str, target: &str, body: &Value) -> Value {
    let body = body.to_string();
    let scope = format!("Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0");
    let request = format!(
        "POST / HTTP/1.0\r\nHost: {service}.us-east-1.amazonaws.com\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n\
         Authorization: AWS4-HMAC-SHA256 {scope}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{answer}");
    serde_json::from_str(body).unwrap()
}

#[test]
fn keys_are_read_from_their_arn_and_read_again_without_a_deployment() {
    let Some(server) = S3Server::shared("keys_are_read_from_their_arn") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (entry("old", &["team-a"], &["write"]), entry("new", &["team-a"], &["read"]));
    let first = json!({"Name": "icegate/keys", "SecretString": document(std::slice::from_ref(&old)), "ClientRequestToken": "00000000-0000-4000-8000-000000000001"});
    let secret = call(server, "secretsmanager", "secretsmanager.CreateSecret", &first);
    let arn = secret["ARN"].as_str().unwrap();
    let endpoint = server.endpoint();
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("ICEGATE_AUTH__REFRESH_SECS", "1"),
    ];
    let function = start(folder.path(), arn, &variables);
    let ask = |id: &str| answer(&function, &asked(&format!("Bearer {}", key(id).reveal())))["isAuthorized"].clone();
    assert_eq!((ask("old"), ask("new")), (json!(true), json!(false)));
    let both = json!({"SecretId": arn, "SecretString": document(&[old, new]), "ClientRequestToken": "00000000-0000-4000-8000-000000000002"});
    call(server, "secretsmanager", "secretsmanager.PutSecretValue", &both);
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!((ask("old"), ask("new")), (json!(true), json!(true)));
}

#[test]
fn a_configuration_is_read_from_the_arn_of_a_parameter() {
    let Some(server) = S3Server::shared("a_configuration_is_read_from_the_arn_of_a_parameter") else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"auth": {"mode": "api_keys", "keys": [entry("old", &["team-a"], &["write"])]}}).to_string();
    let parameter = json!({"Name": "/icegate/config", "Value": config, "Type": "SecureString"});
    call(server, "ssm", "AmazonSSM.PutParameter", &parameter);
    let endpoint = server.endpoint();
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("ICEGATE_CONFIG", "arn:aws:ssm:us-east-1:123456789012:parameter/icegate/config"),
    ];
    let function = icegate_testkit::LambdaFunction::start("function-authorizer", folder.path(), &variables);
    assert_eq!(answer(&function, &asked(&format!("Bearer {}", key("old").reveal())))["isAuthorized"], true);
    let missing = [&variables[..3], &[("ICEGATE_CONFIG", "arn:aws:ssm:us-east-1:123456789012:parameter/icegate/none")]].concat();
    let mut function = icegate_testkit::LambdaFunction::start("function-authorizer", folder.path(), &missing);
    assert!(!function.wait().success());
    let log = function.log().join("\n");
    assert!(log.contains("ICEGATE_CONFIG: arn:aws:ssm:us-east-1:123456789012:parameter/icegate/none can't be read"), "{log}");
}
