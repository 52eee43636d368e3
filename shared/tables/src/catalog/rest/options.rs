use std::fmt;

/// How an Iceberg REST catalog is reached.
#[derive(Clone, Default)]
pub struct RestOptions {
    /// Its URL, to which `/v1/…` is added.
    pub uri: String,
    /// The warehouse that its `/v1/config` is asked for; `None` means the server's own.
    pub warehouse: Option<String>,
    /// What stands between `/v1/` and `namespaces`, where the server doesn't say it.
    pub prefix: Option<String>,
    /// How requests are authenticated.
    pub authentication: RestAuthentication,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
}

/// How requests to a REST catalog are authenticated.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum RestAuthentication {
    /// Not at all.
    #[default]
    None,
    /// With a token that doesn't change.
    Bearer(String),
    /// With tokens of an OAuth2 server, by client credentials.
    OAuth2 {
        /// Client id and secret, separated by a colon; or the secret alone.
        credential: String,
        /// URL of the token endpoint; `None` means the catalog's own.
        server_uri: Option<String>,
        /// What the token shall allow; `None` means `catalog`.
        scope: Option<String>,
    },
}

impl fmt::Debug for RestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestOptions").field("uri", &self.uri).field("warehouse", &self.warehouse).finish_non_exhaustive()
    }
}

impl fmt::Debug for RestAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(secret)",
            Self::OAuth2 { .. } => "OAuth2(secret)",
        })
    }
}
