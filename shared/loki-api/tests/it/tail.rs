//! Live tail over a real connection.

use std::net::SocketAddr;

use axum::http::{HeaderValue, Request};
use futures::{SinkExt, StreamExt};
use icegate_loki_api::LokiConfig;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::api::{Api, TENANT, TRACE};
use crate::push::{taking, taking_with};

const SHOP: &str = r#"{app="shop"}"#;
const CATEGORIZE: (&str, &str) = ("X-Loki-Response-Encoding-Flags", "categorize-labels");

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Serves the API for as long as the test runs.
async fn serve(api: &Api) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = api.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn connect(at: SocketAddr, params: &[(&str, &str)], headers: &[(&'static str, &str)]) -> Result<Socket, (u16, String)> {
    let url = format!("ws://{at}/loki/api/v1/tail?{}", crate::api::encoded(params));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers.iter().chain(&[("X-Scope-OrgID", TENANT)]) {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(reply)) => {
            Err((reply.status().as_u16(), String::from_utf8(reply.into_body().unwrap_or_default()).unwrap()))
        }
        Err(error) => panic!("{error}"),
    }
}

/// The next frame of lines.
async fn frame(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn closed(socket: &mut Socket) -> CloseFrame {
    loop {
        if let Message::Close(frame) = socket.next().await.unwrap().unwrap() {
            return frame.unwrap();
        }
    }
}

fn push_of(app: &str, values: &[(u64, &str)]) -> Value {
    let values: Vec<_> = values.iter().map(|(seconds, line)| json!([format!("{seconds}000000000"), line])).collect();
    json!({"streams": [{"stream": {"app": app}, "values": values}]})
}

async fn push(api: &Api, values: &[(u64, &str)]) {
    assert_eq!(api.push(&push_of("shop", values)).await.status, 204);
}

/// The lines of a frame, whatever their stream.
fn lines(frame: &Value) -> Vec<&str> {
    let streams = frame["streams"].as_array().unwrap();
    streams.iter().flat_map(|stream| stream["values"].as_array().unwrap()).map(|value| value[1].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_last_lines_come_first_in_order_and_then_each_new_one_once() {
    let (api, _task) = taking().await;
    let at = serve(&api).await;
    push(&api, &[(1_704_067_203, "c"), (1_704_067_201, "a"), (1_704_067_202, "b"), (1_704_060_000, "before the start")]).await;
    let mut socket = connect(at, &[("query", SHOP), ("limit", "2")], &[]).await.unwrap();
    let first = frame(&mut socket).await;
    assert_eq!(
        first,
        json!({"streams": [{"stream": {"app": "shop", "detected_level": "unknown", "service_name": "shop"}, "values": [
            ["1704067202000000000", "b"], ["1704067203000000000", "c"],
        ]}]})
    );
    // Whatever their times; and what is sent again is the same lines.
    let late = [(1_704_067_209, "e"), (1_704_060_001, "d")];
    push(&api, &late).await;
    push(&api, &late).await;
    assert_eq!(api.push(&push_of("other", &[(1_704_067_210, "not asked for")])).await.status, 204);
    assert_eq!(lines(&frame(&mut socket).await), ["d", "e"]);
    push(&api, &late).await;
    push(&api, &[(1_704_067_211, "f")]).await;
    assert_eq!(lines(&frame(&mut socket).await), ["f"]);
    socket.close(None).await.unwrap();
}

#[tokio::test]
async fn lines_that_come_while_a_client_connects_are_in_either_part_once() {
    let (api, _task) = taking().await;
    let at = serve(&api).await;
    let pushing = async {
        for second in 0..60 {
            push(&api, &[(1_704_067_200 + second, &format!("line {second:02}"))]).await;
        }
    };
    let tailing = async {
        let mut socket = connect(at, &[("query", SHOP), ("limit", "5000")], &[]).await.unwrap();
        let mut seen: Vec<String> = Vec::new();
        while seen.len() < 60 {
            seen.extend(lines(&frame(&mut socket).await).into_iter().map(str::to_owned));
        }
        push(&api, &[(1_704_067_300, "the end")]).await;
        seen.extend(lines(&frame(&mut socket).await).into_iter().map(str::to_owned));
        seen
    };
    let (seen, ()) = tokio::join!(tailing, pushing);
    let expected: Vec<_> = (0..60).map(|second| format!("line {second:02}")).chain(["the end".to_owned()]).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn labels_are_categorized_where_the_client_asks_for_it() {
    let (api, _task) = taking().await;
    let at = serve(&api).await;
    let value = json!(["1704067200000000001", "size=5", {"trace_id": TRACE}]);
    let body = json!({"streams": [{"stream": {"app": "shop"}, "values": [value]}]});
    assert_eq!(api.push(&body).await.status, 204);
    let mut socket = connect(at, &[("query", r#"{app="shop"} | logfmt"#)], &[CATEGORIZE]).await.unwrap();
    let metadata = json!({"detected_level": "unknown", "trace_id": TRACE});
    let expected = json!({"streams": [{"stream": {"app": "shop", "service_name": "shop"}, "values": [
        ["1704067200000000001", "size=5", {"structuredMetadata": metadata, "parsed": {"size": "5"}}],
    ]}], "encodingFlags": ["categorize-labels"]});
    assert_eq!(frame(&mut socket).await, expected);
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_before_the_upgrade() {
    let (api, _task) = taking_with(LokiConfig { max_concurrent_tail_requests: 1, ..LokiConfig::default() }).await;
    let at = serve(&api).await;
    for (params, text) in [
        (vec![], "missing parameter query"),
        (vec![("query", "{")], "parse error at line 1, col 2: syntax error: unexpected end of query, expecting identifier or }"),
        (vec![("query", SHOP), ("delay_for", "6")], r#"invalid parameter delay_for="6": allowed are 0 to 5 seconds"#),
        (vec![("query", SHOP), ("delay_for", "1s")], r#"invalid parameter delay_for="1s": allowed are 0 to 5 seconds"#),
        (vec![("query", SHOP), ("limit", "5001")], "max entries limit per query exceeded"),
    ] {
        let (status, body) = connect(at, &params, &[]).await.unwrap_err();
        assert_eq!(status, 400);
        assert!(body.starts_with(text), "{body}");
    }
    let plain = api.get("/loki/api/v1/tail", &[("query", SHOP)]).await;
    assert_eq!(plain.status, 400);
    assert!(plain.body.starts_with("tail is served over a WebSocket only: "), "{}", plain.body);

    let _first = connect(at, &[("query", SHOP)], &[]).await.unwrap();
    let second = connect(at, &[("query", SHOP)], &[]).await.unwrap_err();
    assert_eq!(second, (429, "too many tails at once: loki.max_concurrent_tail_requests is 1".to_owned()));
}

#[tokio::test]
async fn a_metric_query_is_closed_with_the_reason() {
    let (api, _task) = taking().await;
    let at = serve(&api).await;
    let mut socket = connect(at, &[("query", r#"rate({app="shop"}[1m])"#)], &[]).await.unwrap();
    let close = closed(&mut socket).await;
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1011, "only log selector is supported"));
}

#[tokio::test]
async fn a_client_that_is_gone_gives_its_place_back_and_pings_come_without_lines() {
    let (api, _task) = taking_with(LokiConfig { max_concurrent_tail_requests: 1, ..LokiConfig::default() }).await;
    let at = serve(&api).await;
    let mut socket = connect(at, &[("query", SHOP)], &[]).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Ping(_)))));
    socket.send(Message::Close(None)).await.unwrap();
    drop(socket);
    while let Err((status, _)) = connect(at, &[("query", SHOP)], &[]).await {
        assert_eq!(status, 429);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn lines_that_a_slow_client_does_not_take_are_named_when_it_reads_again() {
    let (api, _task) = taking().await;
    let at = serve(&api).await;
    push(&api, &[(1_704_067_200, "first")]).await;
    let mut socket = connect(at, &[("query", SHOP)], &[]).await.unwrap();
    assert_eq!(lines(&frame(&mut socket).await), ["first"]);
    // More than sockets and the queue hold, each line a frame of its own, while nothing is read.
    let long = "x".repeat(1_500_000);
    let mut sent = 0;
    while sent < 44 {
        let values: Vec<_> = (0..4).map(|line| (1_704_067_201 + sent + line, long.as_str())).collect();
        push(&api, &values).await;
        sent += 4;
    }
    let dropped_before_it_reads = || api.metrics_text().contains("loki_tail_dropped_lines_total 0");
    while dropped_before_it_reads() {
        tokio::task::yield_now().await;
    }
    let (mut came, mut dropped) = (0, 0);
    while came + dropped < sent {
        // What is dropped last is told with the line after it.
        if came + dropped + 1 >= sent || dropped == 0 {
            push(&api, &[(1_704_068_000 + sent, "more")]).await;
            sent += 1;
        }
        let frame = frame(&mut socket).await;
        came += lines(&frame).len() as u64;
        let entries = frame["dropped_entries"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(entries.iter().all(|entry| entry["labels"] == json!({"app": "shop", "service_name": "shop"})), "{entries:?}");
        dropped += entries.len() as u64;
    }
    assert!(dropped > 0, "{came} of {sent} lines came");
}

#[tokio::test]
async fn the_older_path_and_other_methods() {
    let api = Api::new().await;
    assert_eq!(api.get("/api/prom/tail", &[("query", SHOP)]).await.status, 400);
    let post = Request::post("/loki/api/v1/tail").body(axum::body::Body::empty()).unwrap();
    assert_eq!(api.send(post).await.status, 405);
}
