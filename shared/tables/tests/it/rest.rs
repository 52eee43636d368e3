//! What only a REST catalog has: authentication, a prefix, and statuses that say what is known of a commit.

use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, ErrorKind, Table, Timestamp};
use icegate_storage::Stores;
use icegate_tables::{RestAuthentication, RestOptions, Tables, TablesError};
use icegate_testkit::{ManualClock, SeededIds};
use serde_json::json;

use crate::conformance::{ledger, write_and_commit};
use crate::rest_server::{Fault, RestServer};
use crate::rows::{NEW_YEAR, log};

struct World {
    server: RestServer,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with_config(json!({ "defaults": {}, "overrides": {} })).await
    }

    async fn with_config(config: serde_json::Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = RestServer::start(&format!("file://{}/warehouse", folder.path().display()), config).await;
        Self { server, clock: Arc::new(ManualClock::at(Timestamp::from_micros(NEW_YEAR))), folder }
    }

    fn options(&self) -> RestOptions {
        RestOptions { uri: self.server.uri(), ..RestOptions::default() }
    }

    fn open(&self, options: RestOptions, seed: u64) -> Tables {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Tables::rest(options, Stores::default(), clock, Arc::new(SeededIds::new(seed))).unwrap()
    }

    async fn tables(&self) -> Tables {
        let tables = self.open(self.options(), 1);
        assert_eq!(tables.migrate_create(false).await.unwrap().len(), 4);
        self.server.requests();
        tables
    }

    /// Method and path of what was asked since the last call.
    fn asked(&self) -> Vec<String> {
        self.server.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

async fn add(tables: &Tables, segment: &str) -> Result<u32, TablesError> {
    let rows = [log("a", "s", NEW_YEAR, segment)];
    write_and_commit(tables, &rows, ledger(&[segment], &[])).await.map(|committed| committed.attempts)
}

async fn rows(tables: &Tables) -> u64 {
    tables.snapshot(Table::Logs).await.unwrap().total_rows()
}

#[tokio::test]
async fn a_load_is_one_request_and_a_commit_one_more() {
    let world = World::new().await;
    let tables = world.tables().await;
    let files = tables
        .write_files(
            Table::Logs,
            vec![crate::rows::logs(&[log("a", "s", NEW_YEAR, "x")])],
            icegate_tables::FileOptions::default(),
        )
        .await
        .unwrap();
    assert_eq!(world.asked(), ["GET namespaces/icegate/tables/logs"]);
    tables.commit(Table::Logs, icegate_tables::Append { files, ledger: ledger(&["s1"], &[]) }).await.unwrap();
    assert_eq!(world.asked(), ["GET namespaces/icegate/tables/logs", "POST namespaces/icegate/tables/logs"]);
    rows(&tables).await;
    assert_eq!(world.asked(), ["GET namespaces/icegate/tables/logs"]);
}

#[tokio::test]
async fn tables_lie_where_the_server_puts_them() {
    let world = World::new().await;
    let tables = world.tables().await;
    add(&tables, "s1").await.unwrap();
    let snapshot = tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!(snapshot.root().url, format!("file://{}/warehouse/icegate/logs/", world.folder.path().display()));
    assert!(world.folder.path().join("warehouse/icegate/logs/ledger").is_dir());
}

#[tokio::test]
async fn a_dry_run_asks_and_changes_nothing() {
    let world = World::new().await;
    let tables = world.open(world.options(), 1);
    let changes = tables.migrate_create(true).await.unwrap();
    assert_eq!(changes[0].to_string(), "create table icegate.logs");
    assert!(world.asked().iter().all(|request| request.starts_with("GET ")));
}

#[tokio::test]
async fn the_servers_overrides_win_over_our_settings_and_those_over_its_defaults() {
    for (config, own, path) in [
        (json!({ "defaults": { "prefix": "main%7Cw" } }), None, "main%7Cw/namespaces/icegate/tables/logs"),
        (json!({ "defaults": { "prefix": "main%7Cw" } }), Some("dev"), "dev/namespaces/icegate/tables/logs"),
        (json!({ "overrides": { "prefix": "ws/7" } }), Some("dev"), "ws/7/namespaces/icegate/tables/logs"),
        (json!({ "overrides": { "prefix": null } }), None, "namespaces/icegate/tables/logs"),
    ] {
        let world = World::with_config(config).await;
        let options = RestOptions { prefix: own.map(str::to_owned), warehouse: Some("s3://w/".to_owned()), ..world.options() };
        let error = world.open(options, 1).snapshot(Table::Logs).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(world.asked(), ["GET config".to_owned(), format!("GET {path}")]);
    }
}

#[tokio::test]
async fn a_bearer_token_and_headers_go_with_every_request_and_into_no_error() {
    let world = World::new().await;
    world.server.demand("Bearer s3cr3t");
    let options = |token: &str| RestOptions {
        authentication: RestAuthentication::Bearer(token.to_owned()),
        headers: vec![("X-Team".to_owned(), "blue".to_owned())],
        ..world.options()
    };
    let tables = world.open(options("s3cr3t"), 1);
    tables.migrate_create(false).await.unwrap();
    add(&tables, "s1").await.unwrap();
    for request in world.server.requests() {
        assert_eq!(
            (&request.headers["authorization"], &request.headers["x-team"]),
            (&"Bearer s3cr3t".parse().unwrap(), &"blue".parse().unwrap())
        );
    }
    let error = world.open(options("wr0ng"), 2).snapshot(Table::Logs).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("401") && !error.to_string().contains("wr0ng"), "{error}");
    let text = format!("{error:?} {:?} {tables:?}", options("wr0ng"));
    assert!(!text.contains("wr0ng") && !text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn tokens_are_fetched_by_client_credentials_and_renewed_before_they_expire_and_when_they_are_refused() {
    let world = World::new().await;
    let authentication =
        RestAuthentication::OAuth2 { credential: "me:s3:cr3t".to_owned(), server_uri: None, scope: Some("lake".to_owned()) };
    world.server.demand("Bearer nobody");
    let tables = world.open(RestOptions { authentication, ..world.options() }, 1);
    tables.migrate_create(false).await.unwrap();
    let requests = world.server.requests();
    assert_eq!((&requests[0].path[..], &requests[1].path[..]), ("oauth/tokens", "config"));
    assert_eq!(requests[0].body, "grant_type=client_credentials&client_secret=s3%3Acr3t&client_id=me&scope=lake");
    let fetched = |world: &World| world.asked().iter().filter(|request| *request == "POST oauth/tokens").count();

    // An hour's token is renewed after 45 minutes.
    world.clock.advance(Duration::from_secs(44 * 60));
    rows(&tables).await;
    assert_eq!(fetched(&world), 0);
    world.clock.advance(Duration::from_secs(2 * 60));
    rows(&tables).await;
    assert_eq!(fetched(&world), 1);

    world.server.demand("Bearer revoked");
    rows(&tables).await;
    assert_eq!(fetched(&world), 1);
}

#[tokio::test]
async fn credentials_that_are_refused_do_not_repeat_for_ever() {
    let world = World::new().await;
    let server_uri = Some(format!("{}/v1/nowhere", world.server.uri()));
    let authentication = RestAuthentication::OAuth2 { credential: "me:s3cr3t".to_owned(), server_uri, scope: None };
    let error = world.open(RestOptions { authentication, ..world.options() }, 1).snapshot(Table::Logs).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("oauth2 token") && !format!("{error:?}").contains("s3cr3t"), "{error}");
    assert_eq!(world.asked(), ["POST nowhere"]);
}

#[tokio::test]
async fn a_commit_that_comes_second_is_built_anew() {
    let world = World::new().await;
    let tables = world.tables().await;
    world.server.fail(&[Fault::Before(409)]);
    assert_eq!(add(&tables, "s1").await.unwrap(), 2);
    assert_eq!(rows(&tables).await, 1);
}

#[tokio::test]
async fn a_commit_of_unknown_outcome_lands_once_whether_it_was_applied_or_not() {
    let faults = [500, 502, 504].into_iter().flat_map(|status| [Fault::Before(status), Fault::After(status)]);
    for fault in faults.chain([Fault::Lost]) {
        let world = World::new().await;
        let tables = world.tables().await;
        world.server.fail(&[fault]);
        assert_eq!(add(&tables, "s1").await.unwrap(), 2, "{fault:?}");
        add(&tables, "s2").await.unwrap();
        assert_eq!(rows(&tables).await, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_commit_whose_outcome_stays_unknown_says_so_and_repeating_it_settles_it() {
    let world = World::new().await;
    let tables = world.tables().await;
    world.server.fail(&[Fault::Before(500); 5]);
    let error = add(&tables, "s1").await.unwrap_err();
    assert!(matches!(error, TablesError::OutcomeUnknown { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(add(&tables, "s1").await.unwrap(), 1);
    let error = add(&tables, "s1").await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
}

#[tokio::test]
async fn a_busy_server_has_applied_nothing() {
    let world = World::new().await;
    let tables = world.tables().await;
    world.server.fail(&[Fault::Before(503), Fault::Before(429)]);
    assert_eq!(add(&tables, "s1").await.unwrap(), 3);
    world.server.fail(&[Fault::Before(503); 5]);
    let error = add(&tables, "s2").await.unwrap_err();
    assert!(matches!(error, TablesError::Catalog { doing: "commit", .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(rows(&tables).await, 1);
}

#[tokio::test]
async fn a_refused_commit_is_not_repeated() {
    let world = World::new().await;
    let tables = world.tables().await;
    world.server.fail(&[Fault::Before(400)]);
    let error = add(&tables, "s1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "can't commit icegate.logs in the catalog: http status 400 Bad Request: ServiceFailureException: as scripted"
    );
}

#[tokio::test]
async fn creating_survives_lost_replies() {
    let world = World::new().await;
    world.server.fail(&[Fault::Lost, Fault::After(500)]);
    let tables = world.open(world.options(), 1);
    assert_eq!(tables.migrate_create(false).await.unwrap().len(), 4);
    assert_eq!(tables.migrate_upgrade(false).await.unwrap(), []);
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let world = World::new().await;
    let error = world.open(RestOptions { uri, ..RestOptions::default() }, 1).snapshot(Table::Logs).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().starts_with("can't load its configuration in the catalog"), "{error}");
}
