use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, GetResult, GetResultPayload, Result};

use bytes::Bytes;

/// A read that fails unless its body has as many bytes as its head promised.
///
/// A connection that breaks is noticed below; this is for a server, or something on the way to it, that ends a body too early and
/// says so in its length, or that answers a part with the whole.
pub(super) fn checked(location: &Path, result: GetResult) -> GetResult {
    let GetResult { payload, meta, range, attributes } = result;
    let promised = range.end.saturating_sub(range.start);
    let payload = match payload {
        GetResultPayload::Stream(body) => GetResultPayload::Stream(counted(location.clone(), body, promised)),
        other => other,
    };
    GetResult { payload, meta, range, attributes }
}

fn counted(location: Path, body: BoxStream<'static, Result<Bytes>>, promised: u64) -> BoxStream<'static, Result<Bytes>> {
    let wrong = move |how: &str, by: u64| Error::Generic {
        store: "S3",
        source: format!("the body of {location} has {by} bytes {how} than the {promised} that were promised").into(),
    };
    stream::try_unfold((body, promised), move |(mut body, missing)| {
        let wrong = wrong.clone();
        async move {
            let Some(part) = body.try_next().await? else {
                return if missing == 0 { Ok(None) } else { Err(wrong("less", missing)) };
            };
            let length = part.len() as u64;
            match missing.checked_sub(length) {
                Some(missing) => Ok(Some((part, (body, missing)))),
                None => Err(wrong("more", length - missing)),
            }
        }
    })
    .boxed()
}
