//! What every store that IceGate writes to must do, as functions; each works below the prefix that it is given.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let root = icegate_storage::Root::memory();
//! icegate_storage::conformance::all(&root.child("check")).await
//! # }).unwrap();
//! ```

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::{Error, ObjectStoreExt, PutMode};

use crate::Root;

/// Writers that race for one key.
const RACERS: usize = 16;
/// What S3 takes as any part but the last.
const SMALLEST_PART: usize = 5 << 20;

/// A rule that a store broke, or an error that kept it from being checked.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// The rule does not hold.
    #[error("store breaks the rule: {rule}")]
    Broken {
        /// The rule.
        rule: &'static str,
    },
    /// The store failed where it should not.
    #[error("store failed: {0}")]
    Store(#[from] Error),
    /// A racing task did not finish.
    #[error("task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

fn holds(rule: &'static str, held: bool) -> Result<(), Violation> {
    if held { Ok(()) } else { Err(Violation::Broken { rule }) }
}

/// Every rule of this module.
///
/// # Errors
/// The first rule that does not hold.
pub async fn all(root: &Root) -> Result<(), Violation> {
    one_of_several_creators_wins(&root.child("create")).await?;
    a_put_replaces_and_its_tag_is_the_objects(&root.child("put")).await?;
    ranges_are_exact(&root.child("range")).await?;
    a_listing_shows_what_is_below_the_prefix(&root.child("list")).await?;
    what_is_missing_or_deleted_is_not_found(&root.child("delete")).await?;
    an_upload_appears_when_it_completes(&root.child("upload")).await
}

/// CREATE-1: of several writers that create one key, exactly one succeeds, and its bytes are the object.
///
/// # Errors
/// The rule that does not hold.
pub async fn one_of_several_creators_wins(root: &Root) -> Result<(), Violation> {
    let path = root.path("new/deep/key");
    let tasks: Vec<_> = (0..RACERS)
        .map(|racer| {
            let (store, path) = (Arc::clone(&root.store), path.clone());
            tokio::spawn(async move { store.put_opts(&path, racer.to_string().into(), PutMode::Create.into()).await })
        })
        .collect();
    let mut winners = Vec::new();
    for (racer, task) in tasks.into_iter().enumerate() {
        match task.await? {
            Ok(_) => winners.push(racer.to_string()),
            Err(Error::AlreadyExists { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    holds("exactly one creator of a key succeeds", winners.len() == 1)?;
    let stored = root.store.get(&path).await?.bytes().await?;
    holds("the object is the winner's", winners.iter().all(|winner| winner.as_bytes() == stored))
}

/// A put replaces the whole object, and the tag it returns is the one that reads, heads and listings give.
///
/// # Errors
/// The rule that does not hold.
pub async fn a_put_replaces_and_its_tag_is_the_objects(root: &Root) -> Result<(), Violation> {
    let path = root.path("key");
    let first = root.store.put(&path, "the first, longer".into()).await?;
    let second = root.store.put(&path, "second".into()).await?;
    let read = root.store.get(&path).await?;
    holds("a put has a tag", first.e_tag.is_some())?;
    holds("another put has another tag", first.e_tag != second.e_tag)?;
    holds("a get gives the put's tag", read.meta.e_tag == second.e_tag)?;
    holds("a head gives the put's tag", root.store.head(&path).await?.e_tag == second.e_tag)?;
    let listed: Vec<_> = root.store.list(Some(&root.prefix)).try_collect().await?;
    holds("a listing gives the put's tag", listed.iter().map(|meta| &meta.e_tag).eq([&second.e_tag]))?;
    holds("a put replaces the whole object", read.bytes().await? == "second")
}

/// A range read gives exactly its bytes.
///
/// # Errors
/// The rule that does not hold.
pub async fn ranges_are_exact(root: &Root) -> Result<(), Violation> {
    let path = root.path("key");
    root.store.put(&path, "0123456789".into()).await?;
    holds("a range starts and ends where asked", root.store.get_range(&path, 2..5).await? == "234")?;
    let ranges = root.store.get_ranges(&path, &[7..10, 0..1]).await?;
    holds("ranges come in the order asked", ranges == ["789", "0"])?;
    let suffix = object_store::GetOptions::new().with_range(Some(object_store::GetRange::Suffix(3)));
    holds("a suffix is the end", root.store.get_opts(&path, suffix).await?.bytes().await? == "789")
}

/// A listing shows every object below a prefix with its size, and nothing beside it.
///
/// # Errors
/// The rule that does not hold.
pub async fn a_listing_shows_what_is_below_the_prefix(root: &Root) -> Result<(), Violation> {
    for key in ["a/1", "a/b/2", "ab/3"] {
        root.store.put(&root.path(key), "12".into()).await?;
    }
    let listed: Vec<_> = root.store.list(Some(&root.path("a"))).try_collect().await?;
    let mut paths: Vec<_> = listed.iter().map(|meta| meta.location.clone()).collect();
    paths.sort_unstable();
    holds("a listing is what lies below whole segments", paths == [root.path("a/1"), root.path("a/b/2")])?;
    holds("a listing gives sizes", listed.iter().all(|meta| meta.size == 2))?;
    let level = root.store.list_with_delimiter(Some(&root.prefix)).await?;
    holds(
        "a level has its own prefixes",
        level.common_prefixes == [root.path("a"), root.path("ab")] && level.objects.is_empty(),
    )?;
    let nothing: Vec<_> = root.store.list(Some(&root.path("none"))).try_collect().await?;
    holds("a prefix without objects lists empty", nothing.is_empty())
}

/// Missing and deleted objects are `NotFound` to readers.
///
/// # Errors
/// The rule that does not hold.
pub async fn what_is_missing_or_deleted_is_not_found(root: &Root) -> Result<(), Violation> {
    let path = root.path("key");
    let missing = |result: Result<_, Error>| matches!(result, Err(Error::NotFound { .. }));
    holds("a missing object is not found", missing(root.store.head(&path).await))?;
    root.store.put(&path, "1".into()).await?;
    root.store.delete(&path).await?;
    holds("a deleted object is not found", missing(root.store.head(&path).await))?;
    let recreated = root.store.put_opts(&path, "2".into(), PutMode::Create.into()).await;
    holds("a deleted key can be created again", recreated.is_ok())
}

/// A multipart upload shows nothing before it completes and all of it afterwards.
///
/// # Errors
/// The rule that does not hold.
pub async fn an_upload_appears_when_it_completes(root: &Root) -> Result<(), Violation> {
    let path = root.path("key");
    let mut upload = root.store.put_multipart(&path).await?;
    let first = vec![b'0'; SMALLEST_PART];
    upload.put_part(first.clone().into()).await?;
    let early = root.store.head(&path).await;
    holds("an upload is unseen until it completes", matches!(early, Err(Error::NotFound { .. })))?;
    upload.put_part("23".into()).await?;
    upload.complete().await?;
    let stored = root.store.get(&path).await?.bytes().await?;
    holds("an upload is its parts in order", stored.strip_suffix(b"23") == Some(first.as_slice()))
}
