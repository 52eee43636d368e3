//! The place where CloudFormation waits: a presigned URL.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

/// What arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Value,
}

/// A server that takes answers, or refuses the first ones.
pub(crate) struct Answers {
    pub(crate) url: String,
    state: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    statuses: VecDeque<u16>,
    arrived: Vec<Arrived>,
}

pub(crate) const QUERY: &str = "X-Amz-Signature=hunter2%2F1&X-Amz-Expires=7200";

impl Answers {
    /// Answers with these statuses, and then with 200.
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let state = Arc::new(Mutex::new(Taken { statuses: statuses.iter().copied().collect(), arrived: Vec::new() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/arn%3Aaws%3Acloudformation?{QUERY}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state }
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.state.lock().unwrap().arrived.clone()
    }
}

async fn take(State(state): State<Arc<Mutex<Taken>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let content_type = headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let mut state = state.lock().unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    state.arrived.push(Arrived { method, uri: uri.to_string(), content_type, body });
    StatusCode::from_u16(state.statuses.pop_front().unwrap_or(200)).unwrap()
}
