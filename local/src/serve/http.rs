use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves a router until `stop`, and then the requests that have begun.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> Result<(), String> {
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    server.await.map_err(|error| error.to_string())
}
