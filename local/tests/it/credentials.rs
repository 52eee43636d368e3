//! Who asks S3, and where it is, as every AWS tool finds it: variables, a profile, temporary credentials of a container.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::process::icegate;

const TEMPORARY: &str =
    r#"{"AccessKeyId":"TEMPORARY","SecretAccessKey":"s","Token":"token-1","Expiration":"2100-01-01T00:00:00Z"}"#;
const EMPTY: &str = "<?xml version=\"1.0\"?><ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>";

/// An S3 server without objects that also gives out a container's credentials; it passes on the heads of requests.
fn server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || answer(&stream, &sender));
        }
    });
    (endpoint, heads)
}

fn answer(mut stream: &TcpStream, heads: &Sender<String>) -> Option<()> {
    let mut head = String::new();
    let mut lines = BufReader::new(stream);
    while !head.ends_with("\r\n\r\n") {
        if lines.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let body = if head.starts_with("GET /credentials") { TEMPORARY } else { EMPTY };
    heads.send(head.to_ascii_lowercase()).ok()?;
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()
}

/// Asks what the migration would do, with these variables only; the heads of the requests to the bucket.
fn heads_with(variables: &[(&str, &str)], heads: &Receiver<String>) -> Vec<String> {
    let mut command = icegate(&["maintain", "migrate", "create", "--dry-run"]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    let place = [("ICEGATE_CATALOG__WAREHOUSE", "s3://lake/warehouse/"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let output = command.envs(place).envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("would create table icegate.logs"));
    let found: Vec<_> = heads.try_iter().filter(|head| head.starts_with("get /lake?")).collect();
    assert!(!found.is_empty());
    found
}

fn line<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("")
}

#[test]
fn variables_name_the_server_the_region_and_the_key() {
    let (endpoint, heads) = server();
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        let variables = [
            (name, endpoint.as_str()),
            ("AWS_REGION", "eu-north-1"),
            ("AWS_ACCESS_KEY_ID", "FROM-VARIABLES"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_SESSION_TOKEN", "session"),
        ];
        for head in heads_with(&variables, &heads) {
            let authorization = line(&head, "authorization: ");
            assert!(authorization.contains("from-variables/") && authorization.contains("/eu-north-1/s3/"), "{head}");
            assert_eq!(line(&head, "x-amz-security-token: "), "session");
        }
    }
}

#[test]
fn a_profile_names_the_server_the_region_and_the_key() {
    let (endpoint, heads) = server();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let config = write("config", &format!("[profile lake]\nregion = ap-south-1\nendpoint_url = {endpoint}\n"));
    let keys = write("credentials", "[lake]\naws_access_key_id = FROM-PROFILE\naws_secret_access_key = s\n");
    let variables =
        [("AWS_CONFIG_FILE", config.as_str()), ("AWS_SHARED_CREDENTIALS_FILE", keys.as_str()), ("AWS_PROFILE", "lake")];
    for head in heads_with(&variables, &heads) {
        let authorization = line(&head, "authorization: ");
        assert!(authorization.contains("from-profile/") && authorization.contains("/ap-south-1/s3/"), "{head}");
    }
}

#[test]
fn temporary_credentials_of_a_container_are_used_with_their_token() {
    let (endpoint, heads) = server();
    let credentials = format!("{endpoint}/credentials");
    let variables = [
        ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials.as_str()),
        ("HOME", "/nonexistent"),
    ];
    for head in heads_with(&variables, &heads) {
        assert!(line(&head, "authorization: ").contains("temporary/"), "{head}");
        assert_eq!(line(&head, "x-amz-security-token: "), "token-1");
    }
}
