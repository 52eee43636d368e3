//! S3 that refuses, stalls, breaks off and contradicts itself.

use std::time::{Duration, Instant};

use icegate_model::ErrorKind;
use icegate_storage::aws::{AwsOptions, REQUEST_TIMEOUT};
use icegate_storage::{Root, Stores, kind_of};
use object_store::{Error, GetOptions, GetRange, ObjectStoreExt, PutMode, PutResult, Result, UpdateVersion};

use crate::options;
use crate::scripted::{Asked, Reply, Scripted, answer, error, ok, slow_down};

/// What a call of a small object may take, as the crate documents it: repeats, the last wait, the last attempt.
const LONGEST: Duration = Duration::from_millis(3_000 + 500 + 5_000);
const CONTENT: &str = "0123456789";

fn open(server: &Scripted) -> Root {
    Stores::new(options(server.endpoint.clone())).open("s3://lake/prefix/").unwrap()
}

/// With a server that may be silent for a moment only.
fn open_impatient(server: &Scripted) -> Root {
    let request_timeout = Some(Duration::from_millis(200));
    Stores::new(AwsOptions { request_timeout, ..options(server.endpoint.clone()) }).open("s3://lake/").unwrap()
}

async fn create(root: &Root) -> Result<PutResult> {
    root.store.put_opts(&root.path("key"), "bytes".into(), PutMode::Create.into()).await
}

async fn update(root: &Root) -> Result<PutResult> {
    let version = UpdateVersion { e_tag: Some("\"old\"".to_owned()), version: None };
    root.store.put_opts(&root.path("key"), "bytes".into(), PutMode::Update(version).into()).await
}

async fn get(root: &Root) -> Result<bytes::Bytes> {
    root.store.get(&root.path("key")).await?.bytes().await
}

/// What is left of the content from where a `Range` header asks, with its head.
fn rest(asked: &Asked) -> (String, &'static str) {
    let start: usize =
        asked.header("range").map_or(0, |range| range.trim_start_matches("bytes=").split('-').next().unwrap().parse().unwrap());
    (format!("Content-Range: bytes {start}-{}/{}\r\n", CONTENT.len() - 1, CONTENT.len()), &CONTENT[start..])
}

/// The answer to a read, cut after so many bytes of its body.
fn cut(asked: &Asked, bytes: usize) -> String {
    let (range, body) = rest(asked);
    let status = if asked.header("range").is_some() { "206 Partial Content" } else { "200 OK" };
    let whole = answer(status, &range, body);
    whole[..whole.len() - body.len().saturating_sub(bytes)].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_read_on_from_there() {
    let server = Scripted::start(|number, asked| match number {
        0 | 1 => Reply::Broken(cut(asked, 3)),
        _ => Reply::Answer(cut(asked, CONTENT.len())),
    })
    .await;
    assert_eq!(get(&open(&server)).await.unwrap(), CONTENT);
    let ranges: Vec<_> = server.asked().iter().map(|asked| asked.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=3-9".to_owned()), Some("bytes=6-9".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_always_breaks_off_is_an_error_and_never_a_short_object() {
    let server = Scripted::start(|number, asked| Reply::Broken(cut(asked, if number == 0 { 4 } else { 0 }))).await;
    let error = get(&open(&server)).await.unwrap_err();
    assert_eq!(kind_of(&error), ErrorKind::Unavailable, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_shorter_than_its_range_is_an_error_although_its_own_length_agrees() {
    let server =
        Scripted::start(|_, _| Reply::Answer(answer("206 Partial Content", "Content-Range: bytes 2-7/10\r\n", "234"))).await;
    let root = open(&server);
    let error = root.store.get_range(&root.path("key"), 2..8).await.unwrap_err();
    assert!(error.to_string().contains("3 bytes less than the 6"), "{error}");
    assert_eq!(kind_of(&error), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_that_is_the_whole_or_of_another_object_is_an_error() {
    let whole = Scripted::start(|number, asked| match number {
        0 => Reply::Broken(cut(asked, 3)),
        _ => Reply::Answer(answer("200 OK", "", CONTENT)),
    })
    .await;
    let error = get(&open(&whole)).await.unwrap_err();
    assert!(error.to_string().contains("3 bytes more than the 10"), "{error}");
    let replaced = Scripted::start(|number, asked| match number {
        0 => Reply::Broken(cut(asked, 3)),
        _ => Reply::Answer(cut(asked, CONTENT.len()).replace("\"tag\"", "\"new\"")),
    })
    .await;
    assert_eq!(kind_of(&get(&open(&replaced)).await.unwrap_err()), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_before_or_in_a_body_ends_and_the_rest_is_asked_for_again() {
    let server = Scripted::start(|number, asked| match number {
        0 => Reply::Stalled(String::new()),
        1 => Reply::Stalled(cut(asked, 5)),
        _ => Reply::Answer(cut(asked, CONTENT.len())),
    })
    .await;
    assert_eq!(get(&open_impatient(&server)).await.unwrap(), CONTENT);
    assert_eq!(server.asked().last().unwrap().header("range"), Some("bytes=5-9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_unavailable_within_the_documented_time() {
    let server = Scripted::start(|_, _| Reply::Stalled(String::new())).await;
    let root = Stores::new(options(server.endpoint.clone())).open("s3://lake/").unwrap();
    assert_eq!(REQUEST_TIMEOUT, Duration::from_secs(5));
    let began = Instant::now();
    let error = root.store.head(&root.path("key")).await.unwrap_err();
    assert!(began.elapsed() <= LONGEST, "{:?}", began.elapsed());
    assert_eq!(kind_of(&error), ErrorKind::Unavailable, "{error}");
    assert!(format!("{error:?}").contains("did not answer within 5s"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_slow_down_is_waited_out() {
    let server = Scripted::start(|number, _| if number % 3 < 2 { slow_down() } else { ok() }).await;
    let root = open(&server);
    root.store.put(&root.path("key"), "1".into()).await.unwrap();
    root.store.head(&root.path("key")).await.unwrap();
    create(&root).await.unwrap();
    update(&root).await.unwrap();
    assert_eq!(server.asked().len(), 4 * 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_down_without_end_is_unavailable_and_says_so_within_the_documented_time() {
    let server = Scripted::start(|_, _| slow_down()).await;
    let root = open(&server);
    let path = root.path("key");
    let began = Instant::now();
    let failed = [
        root.store.put(&path, "1".into()).await.unwrap_err(),
        root.store.get(&path).await.unwrap_err(),
        root.store.list_with_delimiter(None).await.unwrap_err(),
        create(&root).await.unwrap_err(),
        update(&root).await.unwrap_err(),
    ];
    assert!(began.elapsed() <= LONGEST * 5, "{:?}", began.elapsed());
    for error in failed {
        assert_eq!(kind_of(&error), ErrorKind::Unavailable, "{error}");
        assert!(format!("{error:?}").contains("SlowDown"), "{error:?}");
    }
    assert!(server.asked().len() > 5 * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_closed_instead_of_an_answer_is_tried_again() {
    let server = Scripted::start(|number, _| if number < 2 { Reply::Broken(String::new()) } else { ok() }).await;
    let root = open(&server);
    root.store.put(&root.path("key"), "1".into()).await.unwrap();
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_racing_put_that_is_told_409_is_sent_again_and_the_next_answer_decides() {
    let conflict = || error("409 Conflict", "ConditionalRequestConflict");
    let refused = || error("412 Precondition Failed", "PreconditionFailed");
    for (then, exists) in [(ok(), false), (refused(), true)] {
        let script = move |number| if number < 2 { conflict() } else { then.clone() };
        let server = Scripted::start({
            let script = script.clone();
            move |number, _| script(number)
        })
        .await;
        let created = create(&open(&server)).await;
        assert_eq!(matches!(created, Err(Error::AlreadyExists { .. })), exists, "{created:?}");
        assert_eq!((created.is_ok(), server.asked().len()), (!exists, 3));
        assert_eq!(server.asked()[2].header("if-none-match"), Some("*"));

        let server = Scripted::start(move |number, _| script(number)).await;
        let updated = update(&open(&server)).await;
        assert_eq!(matches!(updated, Err(Error::Precondition { .. })), exists, "{updated:?}");
        assert_eq!((updated.is_ok(), server.asked().len()), (!exists, 3));
        assert_eq!(server.asked()[2].header("if-match"), Some("\"old\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_409_without_end_are_unavailable_and_never_somebody_elses_object() {
    let server = Scripted::start(|_, _| error("409 Conflict", "ConditionalRequestConflict")).await;
    let root = open(&server);
    for error in [create(&root).await.unwrap_err(), update(&root).await.unwrap_err()] {
        assert_eq!(kind_of(&error), ErrorKind::Unavailable, "{error}");
        assert!(format!("{error:?}").contains("ConditionalRequestConflict"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conditional_put_of_unknown_outcome_is_sent_once_and_is_no_conflict() {
    // If it were sent again, these servers would answer 412 about the put's own object.
    let replies =
        [Reply::Broken(String::new()), error("500 Internal Server Error", "InternalError"), error("502 Bad Gateway", "Proxy")];
    for reply in replies {
        let server = Scripted::start(move |number, _| match number {
            0 => reply.clone(),
            _ => error("412 Precondition Failed", "PreconditionFailed"),
        })
        .await;
        let failed = create(&open(&server)).await.unwrap_err();
        assert_eq!(kind_of(&failed), ErrorKind::Unavailable, "{failed}");
        assert!(format!("{failed:?}").contains("Unknown"), "{failed:?}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conditional_put_without_an_answer_ends_after_the_request_timeout() {
    let server = Scripted::start(|_, _| Reply::Stalled(String::new())).await;
    let failed = create(&open_impatient(&server)).await.unwrap_err();
    assert_eq!(kind_of(&failed), ErrorKind::Unavailable, "{failed}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listening_is_unavailable_also_for_conditional_puts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let root = Stores::new(options(endpoint)).open("s3://lake/").unwrap();
    for error in [get(&root).await.unwrap_err(), create(&root).await.unwrap_err()] {
        assert_eq!(kind_of(&error), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("onnection refused"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_places_of_a_bucket_share_their_connections() {
    const PLACES: usize = 30;
    let server = Scripted::start(|_, _| ok()).await;
    let stores = Stores::new(options(server.endpoint.clone()));
    let roots: Vec<_> = (0..PLACES).map(|place| stores.clone().open(&format!("s3://lake/{place}/")).unwrap()).collect();
    assert_eq!(server.connections(), 0, "opening makes no request");
    for root in roots {
        root.store.put(&root.path("key"), "1".into()).await.unwrap();
    }
    assert_eq!(server.asked().len(), PLACES);
    // A connection is free again a moment after its answer, so that now and then a second one is made.
    assert!(server.connections() < PLACES / 2, "{}", server.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_range_is_asked_for_with_its_tag() {
    let server = Scripted::start(|_, asked| Reply::Answer(cut(asked, CONTENT.len()))).await;
    let root = open(&server);
    let pinned =
        GetOptions { if_match: Some("\"tag\"".to_owned()), range: Some(GetRange::Bounded(4..10)), ..GetOptions::default() };
    assert_eq!(root.store.get_opts(&root.path("key"), pinned).await.unwrap().bytes().await.unwrap(), "456789");
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.header("if-match")), ("GET", Some("\"tag\"")));
}
