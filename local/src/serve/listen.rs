use tokio::net::TcpListener;

use crate::error::ProcessError;

/// Binds a server's address, where the server is enabled.
pub(super) async fn bind(
    server: &'static str,
    enabled: bool,
    host: &str,
    port: u16,
) -> Result<Option<TcpListener>, ProcessError> {
    if !enabled {
        return Ok(None);
    }
    let bound = TcpListener::bind((host, port)).await;
    let listener = bound.map_err(|source| ProcessError::Listen { server, address: format!("{host}:{port}"), source })?;
    tracing::info!(server, host, port, "listening");
    Ok(Some(listener))
}
