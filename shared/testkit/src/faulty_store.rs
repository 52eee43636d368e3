//! An object store with a network before it that loses, delays and refuses.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use crate::network::{Call, Fate, Network, Operation, Trouble, When};

/// Keys of a page of a listing, as S3 has it.
const PAGE: usize = 1_000;

/// Passes requests to a store as far as a [`Network`] lets it.
///
/// A change that is under way is not called back: whoever stops waiting for a put, because its time is up or because it is
/// killed, doesn't know whether it happens, and when.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    network: Arc<dyn Network>,
    page: usize,
    calls_back: bool,
}

impl FaultyStore {
    /// A store that is reached over `network`.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>, network: Arc<dyn Network>) -> Self {
        Self { inner, network, page: PAGE, calls_back: false }
    }

    /// Lists so many keys with one request instead of 1,000; what changes between two requests may or may not be listed.
    #[must_use]
    pub const fn with_page(mut self, keys: usize) -> Self {
        self.page = if keys == 0 { 1 } else { keys };
        self
    }

    /// A change that has not arrived when nobody waits for it any more never does.
    #[must_use]
    pub const fn calling_back(mut self) -> Self {
        self.calls_back = true;
        self
    }

    /// A change of the store; in a task of its own, unless it may be called back.
    async fn change<T, F, Fut>(&self, operation: Operation, path: &Path, effect: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<dyn ObjectStore>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let (inner, network) = (Arc::clone(&self.inner), Arc::clone(&self.network));
        let call = Call { operation, path: path.clone() };
        let change = async move { exchange(network.as_ref(), &call, effect(inner)).await.map(|(done, _)| done) };
        if self.calls_back {
            return change.await;
        }
        tokio::spawn(change).await.unwrap_or_else(|source| Err(Error::JoinError { source }))
    }
}

/// One request and its reply.
async fn exchange<T>(network: &dyn Network, call: &Call, effect: impl Future<Output = Result<T>>) -> Result<(T, Fate)> {
    let fate = network.request(call).await;
    if let Some((When::Before, trouble)) = fate.trouble {
        network.reply(call, fate, None).await;
        return Err(trouble.error(call));
    }
    let result = effect.await;
    network.reply(call, fate, Some(result.as_ref().map(|_| ()))).await;
    match fate.trouble {
        Some((_, trouble)) => Err(trouble.error(call)),
        None => result.map(|done| (done, fate)),
    }
}

/// A body that ends in its middle, as a connection that breaks.
fn cut_off(got: GetResult, call: &Call) -> GetResult {
    let GetResult { payload, meta, range, attributes } = got;
    let error = Trouble::Reset.error(call);
    let length = range.end - range.start;
    let whole = GetResult { payload, meta: meta.clone(), range: range.clone(), attributes: attributes.clone() };
    let body = async move {
        let bytes = whole.bytes().await?;
        let half = usize::try_from(length / 2).unwrap_or(0).min(bytes.len());
        Ok::<Bytes, Error>(bytes.slice(..half))
    };
    let payload = GetResultPayload::Stream(stream::once(body).chain(stream::once(async { Err(error) })).boxed());
    GetResult { payload, meta, range, attributes }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let operation = match options.mode {
            PutMode::Overwrite => Operation::Put,
            PutMode::Create => Operation::Create,
            PutMode::Update(_) => Operation::Update,
        };
        let path = location.clone();
        self.change(operation, location, move |inner| async move { inner.put_opts(&path, payload, options).await }).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let operation = match &options {
            GetOptions { head: true, .. } => Operation::Head,
            GetOptions { range: Some(_), .. } => Operation::GetRange,
            _ => Operation::Get,
        };
        let call = Call { operation, path: location.clone() };
        let (got, fate) = exchange(self.network.as_ref(), &call, self.inner.get_opts(location, options)).await?;
        Ok(if fate.truncated && operation != Operation::Head { cut_off(got, &call) } else { got })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .then(move |location| {
                let store = store.clone();
                async move {
                    let path = location?;
                    let target = path.clone();
                    store.change(Operation::Delete, &path, move |inner| async move { inner.delete(&target).await }).await?;
                    Ok(path)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.pages(prefix, None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.pages(prefix, Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let call = Call { operation: Operation::List, path: prefix.cloned().unwrap_or_default() };
        Ok(exchange(self.network.as_ref(), &call, self.inner.list_with_delimiter(prefix)).await?.0)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let operation = if matches!(options.mode, CopyMode::Create) { Operation::Create } else { Operation::Copy };
        let (source, target) = (from.clone(), to.clone());
        self.change(operation, to, move |inner| async move { inner.copy_opts(&source, &target, options).await }).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let (source, target) = (from.clone(), to.clone());
        self.change(Operation::Copy, to, move |inner| async move { inner.rename_opts(&source, &target, options).await }).await
    }
}

/// Where a listing goes on.
struct Pages {
    inner: Arc<dyn ObjectStore>,
    network: Arc<dyn Network>,
    prefix: Option<Path>,
    page: usize,
    after: Option<Path>,
    more: bool,
}

impl FaultyStore {
    /// A listing, a request for each page: each is what the store holds at that moment, after the last key of the page before.
    fn pages(&self, prefix: Option<&Path>, after: Option<Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (inner, network) = (Arc::clone(&self.inner), Arc::clone(&self.network));
        let pages = Pages { inner, network, prefix: prefix.cloned(), page: self.page, after, more: true };
        stream::try_unfold(pages, |mut pages| async move {
            if !pages.more {
                return Ok(None);
            }
            let listed = pages.next().await?;
            pages.more = listed.len() == pages.page;
            pages.after = listed.last().map(|object| object.location.clone()).or(pages.after);
            Ok::<_, Error>(Some((stream::iter(listed.into_iter().map(Ok)), pages)))
        })
        .try_flatten()
        .boxed()
    }
}

impl Pages {
    async fn next(&self) -> Result<Vec<ObjectMeta>> {
        let call = Call { operation: Operation::List, path: self.prefix.clone().unwrap_or_default() };
        let effect = async {
            let mut objects: Vec<ObjectMeta> = self.inner.list(self.prefix.as_ref()).try_collect().await?;
            objects.retain(|object| self.after.as_ref().is_none_or(|after| object.location > *after));
            objects.sort_by(|a, b| a.location.cmp(&b.location));
            objects.truncate(self.page);
            Ok(objects)
        };
        Ok(exchange(self.network.as_ref(), &call, effect).await?.0)
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).field("network", &self.network).finish_non_exhaustive()
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({})", self.inner)
    }
}
