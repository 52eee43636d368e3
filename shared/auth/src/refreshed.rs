use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use icegate_model::{Clock, Timestamp};

use crate::metrics::Refresh;
use crate::{AuthError, Fetched, Metrics, Source};

/// Longest time that a document may take to arrive.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Least time between two reads because of credentials that are unknown, so that strangers can't make the process fetch at will.
pub(crate) const UNKNOWN_INTERVAL: Duration = Duration::from_secs(10);
/// Time after which a read that failed is tried again, if the document isn't read more often anyway.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

type Parse<T> = Box<dyn Fn(&str) -> Result<T, AuthError> + Send + Sync>;

/// What a document says, read again when its time has come or when something unknown asks for it.
///
/// Reading happens within requests, not beside them, so that it also works where nothing runs between requests. One request reads and
/// waits for it; all others go on with what there is. A document that can't be fetched or used changes nothing: the last good one stays.
pub(crate) struct Refreshed<T> {
    name: &'static str,
    source: Option<Arc<dyn Source>>,
    parse: Parse<T>,
    every: Duration,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    current: Mutex<Current<T>>,
    /// Held by the one that reads.
    reading: tokio::sync::Mutex<()>,
}

struct Current<T> {
    value: Arc<T>,
    text: String,
    /// When it was last tried to be read, and how long that is enough.
    tried: Timestamp,
    enough: Duration,
}

impl<T> Refreshed<T> {
    /// What doesn't change.
    pub(crate) fn fixed(
        name: &'static str,
        text: String,
        parse: impl Fn(&str) -> Result<T, AuthError> + Send + Sync + 'static,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthError> {
        let value = Arc::new(parse(&text)?);
        let current = Mutex::new(Current { value, text, tried: clock.now(), enough: Duration::MAX });
        let (parse, metrics) = (Box::new(parse), Metrics::default());
        Ok(Self {
            name,
            source: None,
            parse,
            every: Duration::MAX,
            clock,
            metrics,
            current,
            reading: tokio::sync::Mutex::default(),
        })
    }

    /// What a source has, read again after `every`. The first read has to succeed.
    pub(crate) async fn open(
        name: &'static str,
        source: Arc<dyn Source>,
        parse: impl Fn(&str) -> Result<T, AuthError> + Send + Sync + 'static,
        every: Duration,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, AuthError> {
        let Fetched { text, version } = fetch(source.as_ref()).await?;
        let value = Arc::new(parse(&text).map_err(|error| error.within(source.place()))?);
        tracing::info!(document = name, place = source.place(), version, "read");
        let current = Mutex::new(Current { value, text, tried: clock.now(), enough: every });
        Ok(Self {
            name,
            source: Some(source),
            parse: Box::new(parse),
            every,
            clock,
            metrics,
            current,
            reading: tokio::sync::Mutex::default(),
        })
    }

    /// What it says now; read again first where its time has come and nobody else does so.
    pub(crate) async fn current(&self) -> Arc<T> {
        let now = self.clock.now();
        if self.is_due(now, |current| current.enough)
            && let Ok(_reading) = self.reading.try_lock()
        {
            self.read(now).await;
        }
        Arc::clone(&self.lock().value)
    }

    /// What it says after something unknown has asked for it: read again, unless that was done a moment ago.
    pub(crate) async fn newest(&self) -> Arc<T> {
        let _reading = self.reading.lock().await;
        let now = self.clock.now();
        if self.is_due(now, |_| UNKNOWN_INTERVAL) {
            self.read(now).await;
        }
        Arc::clone(&self.lock().value)
    }

    fn is_due(&self, now: Timestamp, enough: impl Fn(&Current<T>) -> Duration) -> bool {
        let current = self.lock();
        // A clock that was set back must not keep a document for as long.
        self.source.is_some() && (now < current.tried || now.since(current.tried) >= enough(&current))
    }

    async fn read(&self, now: Timestamp) {
        let Some(source) = &self.source else { return };
        let read = self.read_from(source.as_ref()).await;
        let mut current = self.lock();
        current.tried = now;
        current.enough = if read.is_ok() { self.every } else { self.every.min(RETRY_INTERVAL) };
        let refresh = match read {
            Ok(None) => Refresh::Unchanged,
            Ok(Some((value, Fetched { text, version }))) => {
                tracing::info!(document = self.name, place = source.place(), version, "read anew");
                (current.value, current.text) = (Arc::new(value), text);
                Refresh::Changed
            }
            Err(error) => {
                tracing::error!(document = self.name, place = source.place(), %error, "the new document is not used, the last good one stays");
                Refresh::Failed
            }
        };
        self.metrics.refreshed(self.name, refresh);
    }

    /// The document if it has changed.
    async fn read_from(&self, source: &dyn Source) -> Result<Option<(T, Fetched)>, AuthError> {
        let fetched = fetch(source).await?;
        if fetched.text == self.lock().text {
            return Ok(None);
        }
        Ok(Some(((self.parse)(&fetched.text)?, fetched)))
    }

    fn lock(&self) -> MutexGuard<'_, Current<T>> {
        // Nothing that can panic is done under the lock.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch(source: &dyn Source) -> Result<Fetched, AuthError> {
    let late =
        |_| AuthError::Unreadable { place: source.place(), message: format!("no answer within {} s", FETCH_TIMEOUT.as_secs()) };
    tokio::time::timeout(FETCH_TIMEOUT, source.fetch()).await.map_err(late)?
}

impl<T> fmt::Debug for Refreshed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refreshed({}, {:?})", self.name, self.source)
    }
}
