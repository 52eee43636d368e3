//! An Iceberg REST catalog of one process, which fails when it is told to and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures::stream;
use iceberg::spec::{FormatVersion, TableMetadata, TableMetadataBuilder};
use iceberg::{TableRequirement, TableUpdate};
use serde::Deserialize;
use serde_json::{Value, json};

/// What happens to the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not applied and answered with this status.
    Before(u16),
    /// It is applied and answered with this status.
    After(u16),
    /// It is applied, and the connection breaks in the middle of the reply.
    Lost,
}

/// A request that was served.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

#[derive(Default)]
struct Shared {
    /// Where tables are put, and what the server says of itself.
    warehouse: String,
    config: Value,
    /// Refuses requests with any other authorization.
    bearer: Option<String>,
    namespaces: Vec<String>,
    tables: HashMap<String, (TableMetadata, u64)>,
    faults: VecDeque<Fault>,
    tokens: u32,
    requests: Vec<Request>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct RestServer {
    shared: Arc<Mutex<Shared>>,
    address: SocketAddr,
}

impl RestServer {
    /// Tables are put below `warehouse`; `config` is what `/v1/config` answers.
    pub(crate) async fn start(warehouse: &str, config: Value) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared { warehouse: warehouse.to_owned(), config, ..Shared::default() };
        let server = Self { shared: Arc::new(Mutex::new(shared)), address };
        let router = Router::new().fallback(serve).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/catalog", self.address)
    }

    /// Breaks the next commits, one fault each.
    pub(crate) fn fail(&self, faults: &[Fault]) {
        self.shared.lock().unwrap().faults.extend(faults);
    }

    /// Takes no other authorization from now on.
    pub(crate) fn demand(&self, authorization: &str) {
        self.shared.lock().unwrap().bearer = Some(authorization.to_owned());
    }

    /// What was asked since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.lock().unwrap().requests)
    }
}

#[derive(Deserialize)]
struct Commit {
    requirements: Vec<TableRequirement>,
    updates: Vec<TableUpdate>,
}

async fn serve(State(server): State<RestServer>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut shared = server.shared.lock().unwrap();
    let path = uri.path().trim_start_matches("/catalog/v1/").to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    shared.requests.push(Request { method: method.clone(), path: path.clone(), headers: headers.clone(), body: body.clone() });
    if path == "oauth/tokens" {
        shared.tokens += 1;
        let token = format!("token-{}", shared.tokens);
        shared.bearer = Some(format!("Bearer {token}"));
        return Json(json!({ "access_token": token, "token_type": "bearer", "expires_in": 3600 })).into_response();
    }
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    if shared.bearer.is_some() && shared.bearer.as_deref() != authorization {
        return error(401, "NotAuthorizedException");
    }
    if path == "config" {
        return Json(shared.config.clone()).into_response();
    }
    let Some((_, below)) = path.split_once("namespaces") else { return error(400, "BadRequestException") };
    let parts: Vec<_> = below.split('/').filter(|part| !part.is_empty()).collect();
    match (method, parts.as_slice()) {
        (Method::GET, [name]) if shared.namespaces.iter().any(|known| known == name) => Json(json!({})).into_response(),
        (Method::GET, [_]) => error(404, "NoSuchNamespaceException"),
        (Method::POST, []) => {
            let body: Value = serde_json::from_str(&body).unwrap();
            shared.namespaces.push(body["namespace"][0].as_str().unwrap().to_owned());
            Json(json!({})).into_response()
        }
        (Method::POST, [_, "tables"]) => stage(&shared, &body),
        (Method::GET, [_, "tables", table]) => match shared.tables.get(*table) {
            Some((metadata, version)) => loaded(metadata, *version),
            None => error(404, "NoSuchTableException"),
        },
        (Method::POST, [_, "tables", table]) => commit(&mut shared, table, &body),
        _ => error(400, "BadRequestException"),
    }
}

fn stage(shared: &Shared, body: &str) -> Response {
    let body: Value = serde_json::from_str(body).unwrap();
    let name = body["name"].as_str().unwrap();
    assert_eq!(body["stage-create"], true, "a table is never made without a snapshot");
    if shared.tables.contains_key(name) {
        return error(409, "AlreadyExistsException");
    }
    let location = format!("{}/icegate/{name}", shared.warehouse);
    let part = |key: &str| body[key].clone();
    let schema = serde_json::from_value(part("schema")).unwrap();
    let spec: iceberg::spec::PartitionSpec = serde_json::from_value(part("partition-spec")).unwrap();
    let order = serde_json::from_value(part("write-order")).unwrap();
    let builder = TableMetadataBuilder::new(schema, spec, order, location, FormatVersion::V2, HashMap::new()).unwrap();
    Json(json!({ "metadata": builder.build().unwrap().metadata })).into_response()
}

fn commit(shared: &mut Shared, table: &str, body: &str) -> Response {
    let fault = shared.faults.pop_front();
    if let Some(Fault::Before(status)) = fault {
        return error(status, "ServiceFailureException");
    }
    let Commit { requirements, updates } = serde_json::from_str(body).unwrap();
    let base = shared.tables.get(table).cloned();
    if requirements.iter().any(|requirement| requirement.check(base.as_ref().map(|(metadata, _)| metadata)).is_err()) {
        return error(409, "CommitFailedException");
    }
    let mut builder = match &base {
        Some((metadata, version)) => metadata.clone().into_builder(Some(location(metadata, *version))),
        None => new_table(&updates),
    };
    for update in updates {
        builder = update.apply(builder).unwrap();
    }
    let version = base.map_or(0, |(_, version)| version + 1);
    let metadata = builder.build().unwrap().metadata;
    shared.tables.insert(table.to_owned(), (metadata.clone(), version));
    match fault {
        Some(Fault::After(status)) => error(status, "CommitStateUnknownException"),
        Some(Fault::Lost) => Body::from_stream(stream::once(async { Err::<Bytes, _>("connection reset") })).into_response(),
        _ => loaded(&metadata, version),
    }
}

/// What a new table's updates are applied to.
fn new_table(updates: &[TableUpdate]) -> TableMetadataBuilder {
    let schema = updates.iter().find_map(|update| match update {
        TableUpdate::AddSchema { schema } => Some(schema.clone()),
        _ => None,
    });
    let spec = updates.iter().find_map(|update| match update {
        TableUpdate::AddSpec { spec } => Some(spec.clone()),
        _ => None,
    });
    let order = updates.iter().find_map(|update| match update {
        TableUpdate::AddSortOrder { sort_order } => Some(sort_order.clone()),
        _ => None,
    });
    let (schema, spec, order) = (schema.unwrap(), spec.unwrap(), order.unwrap());
    TableMetadataBuilder::new(schema, spec, order, "s3://x".to_owned(), FormatVersion::V2, HashMap::new()).unwrap()
}

fn location(metadata: &TableMetadata, version: u64) -> String {
    format!("{}/metadata/{version:05}-server.metadata.json", metadata.location())
}

fn loaded(metadata: &TableMetadata, version: u64) -> Response {
    let secret = json!({ "s3.secret-access-key": "vended" });
    Json(json!({ "metadata-location": location(metadata, version), "metadata": metadata, "config": secret })).into_response()
}

fn error(status: u16, kind: &str) -> Response {
    let body = json!({ "error": { "message": "as scripted", "type": kind, "code": status } });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
