use tokio_util::sync::CancellationToken;

/// How a run ends before its time: gently, with the requests under way answered, or at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    gentle: CancellationToken,
    now: CancellationToken,
}

impl Stop {
    /// The first interrupt stops gently, the second at once.
    pub(crate) fn on_interrupt() -> Self {
        let stop = Self::default();
        let asked = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                asked.gentle.cancel();
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                asked.now.cancel();
            }
        });
        stop
    }

    /// No new requests, no further retries.
    pub(crate) fn gently(&self) {
        self.gentle.cancel();
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.gentle.is_cancelled()
    }

    /// Comes when no new request shall begin.
    pub(crate) async fn asked(&self) {
        self.gentle.cancelled().await;
    }

    /// Comes when requests under way shall be given up.
    pub(crate) async fn at_once(&self) {
        self.now.cancelled().await;
    }
}
