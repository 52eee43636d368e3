use std::time::Duration;

use async_trait::async_trait;
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;

use crate::{AuthError, Fetched, Source};

/// How long a URL may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of a document at a URL.
const MAX_BYTES: usize = 1 << 20;

/// A document at a URL of HTTP, of at most 1 MiB of UTF-8. Redirects aren't followed: it is where the configuration says, and not where
/// an answer says.
#[derive(Debug)]
pub struct UrlSource {
    url: String,
    client: OnceCell<reqwest::Client>,
}

impl UrlSource {
    /// The document there; `None` where the address is no URL of HTTP. Makes no request.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let is_url = address.starts_with("https://") || address.starts_with("http://");
        is_url.then(|| Self { url: address.to_owned(), client: OnceCell::new() })
    }

    async fn text(&self) -> Result<String, String> {
        let readable = |error: reqwest::Error| error.without_url().to_string();
        let build = async || reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none()).build();
        let client = self.client.get_or_try_init(build).await.map_err(readable)?;
        let mut answer = client.get(&self.url).send().await.map_err(readable)?;
        if !answer.status().is_success() {
            return Err(format!("the answer is {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(readable)? {
            body.extend_from_slice(&piece);
            if body.len() > MAX_BYTES {
                return Err(format!("it has more than {MAX_BYTES} bytes"));
            }
        }
        String::from_utf8(body).map_err(|_| "it isn't UTF-8".to_owned())
    }
}

#[async_trait]
impl Source for UrlSource {
    async fn fetch(&self) -> Result<Fetched, AuthError> {
        let text = self.text().await.map_err(|message| AuthError::Unreadable { place: self.place(), message })?;
        Ok(Fetched { text, version: None })
    }

    fn place(&self) -> String {
        self.url.clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What is fetched from a server that gives this answer to whoever asks.
    async fn fetched(answer: Vec<u8>) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = connection.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /keys HTTP/1.1"));
            // A client that has read enough hangs up.
            let _ = connection.write_all(&answer).await;
        });
        let fetched = UrlSource::of(&url).unwrap().fetch().await;
        server.await.unwrap();
        fetched.map(|fetched| fetched.text).map_err(|error| error.to_string().replace(&url, "URL"))
    }

    fn answer(head: &str, body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn documents_are_read_where_the_configuration_says() {
        assert_eq!(fetched(answer("200 OK", b"{}")).await.unwrap(), "{}");
        let moved = fetched(answer("302 Found\r\nlocation: http://127.0.0.1:1/else", b"")).await.unwrap_err();
        assert!(moved.ends_with("the answer is 302 Found") && moved.contains("URL"), "{moved}");
        let missing = fetched(answer("404 Not Found", b"secret")).await.unwrap_err();
        assert!(missing.ends_with("the answer is 404 Not Found"), "{missing}");
    }

    #[tokio::test]
    async fn documents_are_bounded_texts() {
        assert_eq!(fetched(answer("200 OK", &vec![b'a'; MAX_BYTES])).await.unwrap().len(), MAX_BYTES);
        let large = fetched(answer("200 OK", &vec![b'a'; MAX_BYTES + 1])).await.unwrap_err();
        assert!(large.ends_with("it has more than 1048576 bytes"), "{large}");
        let binary = fetched(answer("200 OK", b"\xff\xfe")).await.unwrap_err();
        assert!(binary.ends_with("it isn't UTF-8"), "{binary}");
    }

    #[test]
    fn other_addresses_are_no_urls() {
        for address in ["/etc/keys.yaml", "arn:aws:ssm:eu-west-1:1:parameter/keys", "ftp://host/keys", "{}"] {
            assert!(UrlSource::of(address).is_none(), "{address}");
        }
    }
}
