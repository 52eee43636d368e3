//! What a load and a commit cost on AWS's catalogs.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use icegate_model::Table;
use icegate_tables::{Append, FileOptions, Tables};
use icegate_testkit::S3Server;

use crate::backends::{Age, glue_at, s3_tables_at};
use crate::conformance::ledger;
use crate::rows::{NEW_YEAR, log, logs};

/// Passes requests on to a server and remembers them.
#[derive(Clone)]
struct Recorder {
    server: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// Its URL.
    async fn start(server: &S3Server) -> (Self, String) {
        let recorder = Self { server: server.endpoint(), requests: Arc::default() };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass_on).with_state(recorder.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (recorder, url)
    }

    /// What was asked since the last call, sorted: operations of the catalog, methods and kinds of objects of the store.
    fn taken(&self) -> Vec<String> {
        let mut taken = std::mem::take(&mut *self.requests.lock().unwrap());
        taken.sort();
        taken
    }
}

async fn pass_on(State(recorder): State<Recorder>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    recorder.requests.lock().unwrap().push(name_of(&method, &uri, &headers));
    let url = format!("{}{}", recorder.server, uri.path_and_query().unwrap());
    let sent = reqwest::Client::new().request(method, url).headers(headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(StatusCode::from_u16(sent.status().as_u16()).unwrap());
    for (name, value) in sent.headers().iter().filter(|(name, _)| *name != "transfer-encoding" && *name != "connection") {
        response = response.header(name, value);
    }
    response.body(Body::from(sent.bytes().await.unwrap())).unwrap()
}

fn name_of(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(target) = headers.get("x-amz-target") {
        return target.to_str().unwrap().rsplit('.').next().unwrap().to_owned();
    }
    let kinds = [
        ("metadata-location", "pointer"),
        (".metadata.json", "metadata"),
        ("/snap-", "manifest list"),
        (".avro", "manifest"),
        ("/ledger/", "ledger"),
        (".parquet", "data"),
    ];
    let kind = kinds.iter().find(|(part, _)| uri.path().contains(part)).map_or(uri.path(), |(_, kind)| kind);
    format!("{method} {kind}")
}

/// What of a table a process does: a first commit, a look at it, a commit by another, a look at that.
async fn costs(recorder: &Recorder, ours: &Tables, another: &Tables, load: &str, swap: &str) {
    let commit = async |tables: &Tables, segment: &str| {
        let rows = vec![logs(&[log("a", "s", NEW_YEAR, segment)])];
        let files = tables.write_files(Table::Logs, rows, FileOptions::default()).await.unwrap();
        recorder.taken();
        tables.commit(Table::Logs, Append { files, ledger: ledger(&[segment], &[]) }).await.unwrap();
    };
    let named = |names: &[&str]| {
        let mut names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    };
    // How old its file is, and what time it is at the store, a commit asks the store.
    let written = [load, swap, "HEAD data", "HEAD ledger", "PUT ledger", "PUT manifest", "PUT manifest list", "PUT metadata"];
    commit(ours, "s1").await;
    assert_eq!(recorder.taken(), named(&written), "the first commit");
    commit(ours, "s2").await;
    let read = ["GET ledger", "GET manifest list"];
    assert_eq!(recorder.taken(), named(&[&written[..], &read].concat()), "a commit on another");

    ours.snapshot(Table::Logs).await.unwrap();
    recorder.taken();
    ours.snapshot(Table::Logs).await.unwrap();
    assert_eq!(recorder.taken(), named(&[load]), "a look at what is known");
    commit(another, "s3").await;
    recorder.taken();
    ours.snapshot(Table::Logs).await.unwrap();
    let news = [load, "GET metadata", "GET manifest list", "GET manifest", "GET ledger"];
    assert_eq!(recorder.taken(), named(&news), "a look at what another committed");
}

#[tokio::test]
async fn a_load_from_glue_is_one_request_and_a_swap_another() {
    let Some(server) = S3Server::shared("requests::a_load_from_glue_is_one_request_and_a_swap_another") else { return };
    let (recorder, url) = Recorder::start(server).await;
    let bench = glue_at(server, &url, Age::ByTheStore).await;
    costs(&recorder, &bench.tables, bench.another(2).await.as_ref(), "GetTable", "UpdateTable").await;
}

#[tokio::test]
async fn a_load_from_s3_tables_is_one_request_and_a_swap_another() {
    let Some(server) = S3Server::shared("requests::a_load_from_s3_tables_is_one_request_and_a_swap_another") else { return };
    let (recorder, url) = Recorder::start(server).await;
    let bench = s3_tables_at(&url, Age::ByTheStore).await;
    costs(&recorder, &bench.tables, bench.another(2).await.as_ref(), "GET pointer", "PUT pointer").await;
}
