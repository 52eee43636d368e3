use std::fmt::Debug;
use std::path::PathBuf;

use async_trait::async_trait;

use crate::AuthError;

/// A document as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its text.
    pub text: String,
    /// What its place calls this version of it, for logs.
    pub version: Option<String>,
}

/// Where a document that changes comes from: a file, a URL, a secret. The host brings those that need a client.
#[async_trait]
pub trait Source: Send + Sync + Debug {
    /// The document now. It is given up after a few seconds.
    ///
    /// # Errors
    /// [`AuthError::Unreadable`], which names the place and holds nothing of the document.
    async fn fetch(&self) -> Result<Fetched, AuthError>;

    /// Where it is, for logs and errors.
    fn place(&self) -> String;
}

/// A document in a file.
#[derive(Clone, Debug)]
pub struct FileSource(pub PathBuf);

#[async_trait]
impl Source for FileSource {
    async fn fetch(&self) -> Result<Fetched, AuthError> {
        let read = tokio::fs::read_to_string(&self.0).await;
        let text = read.map_err(|error| AuthError::Unreadable { place: self.place(), message: error.to_string() })?;
        Ok(Fetched { text, version: None })
    }

    fn place(&self) -> String {
        self.0.display().to_string()
    }
}
