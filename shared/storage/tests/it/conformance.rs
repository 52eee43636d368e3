use std::sync::Arc;

use icegate_model::ErrorKind;
use icegate_storage::conformance::all;
use icegate_storage::{Counted, RequestMetrics, Root, Stores, is_not_found, kind_of};
use icegate_testkit::S3Server;
use object_store::{Error, GetOptions, GetRange, ObjectStoreExt, PutMode, UpdateVersion};

use crate::stores;

#[tokio::test(flavor = "multi_thread")]
async fn memory_conforms() {
    all(&Root::memory()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn durable_files_conform() {
    let directory = tempfile::tempdir().unwrap();
    let root = Stores::default().open(&format!("file://{}/", directory.path().display())).unwrap();
    all(&root.child("sub")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counted_store_conforms() {
    let stores = Stores::default().with_wrap(|store| Arc::new(Counted::new(store, RequestMetrics::new())));
    all(&stores.open("memory:///").unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_server_conforms() {
    let Some(server) = S3Server::shared("an_s3_server_conforms") else { return };
    let stores = stores(server.endpoint());
    let bucket = server.bucket();
    all(&stores.open(&format!("s3://{bucket}/")).unwrap()).await.unwrap();
    all(&stores.open(&format!("s3://{bucket}/some/prefix")).unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_pinned_to_a_tag_fails_as_a_precondition_after_the_object_was_replaced() {
    let Some(server) = S3Server::shared("a_read_that_is_pinned_to_a_tag") else { return };
    let root = stores(server.endpoint()).open(&format!("s3://{}/", server.bucket())).unwrap();
    let path = root.path("object");
    let first = root.store.put(&path, "first".into()).await.unwrap();
    let pinned = |range| GetOptions { if_match: first.e_tag.clone(), range, ..GetOptions::default() };
    let whole = root.store.get_opts(&path, pinned(None)).await.unwrap().bytes().await.unwrap();
    assert_eq!(whole, "first");
    root.store.put(&path, "second".into()).await.unwrap();
    for range in [None, Some(GetRange::Bounded(0..2))] {
        let error = root.store.get_opts(&path, pinned(range)).await.unwrap_err();
        assert!(matches!(error, Error::Precondition { .. }), "{error}");
    }
    root.store.delete(&path).await.unwrap();
    let error = root.store.get_opts(&path, pinned(None)).await.unwrap_err();
    assert!(is_not_found(&error), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_a_replaced_or_missing_object_is_a_precondition() {
    let Some(server) = S3Server::shared("an_update_of_a_replaced_object") else { return };
    let root = stores(server.endpoint()).open(&format!("s3://{}/", server.bucket())).unwrap();
    let path = root.path("object");
    let first = root.store.put(&path, "first".into()).await.unwrap();
    let update = || PutMode::Update(UpdateVersion { e_tag: first.e_tag.clone(), version: None });
    root.store.put_opts(&path, "second".into(), update().into()).await.unwrap();
    let error = root.store.put_opts(&path, "third".into(), update().into()).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error}");
    assert_eq!(kind_of(&error), ErrorKind::Conflict);
    root.store.delete(&path).await.unwrap();
    let error = root.store.put_opts(&path, "fourth".into(), update().into()).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_named_by_the_first_request() {
    let Some(server) = S3Server::shared("a_missing_bucket") else { return };
    let root = stores(server.endpoint()).open("s3://no-such-bucket/prefix/").unwrap();
    let error = root.store.put(&root.path("object"), "1".into()).await.unwrap_err().to_string();
    assert!(error.contains("NoSuchBucket") && error.contains("no-such-bucket"), "{error}");
}
