use std::fmt;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;

use crate::{StorageError, Store, Stores};

/// A store and the place in it that belongs to the holder.
#[derive(Clone)]
pub struct Root {
    /// The store.
    pub store: Store,
    /// Where in the store; empty means all of it.
    pub prefix: Path,
    /// The URL of `prefix`, ending with `/`.
    pub url: String,
}

impl Root {
    /// Opens a place by its URL, S3 as the environment says: [`Stores::open`] of the default [`Stores`].
    ///
    /// # Errors
    /// As [`Stores::open`].
    pub fn open(url: &str) -> Result<Self, StorageError> {
        Stores::default().open(url)
    }

    /// A new, empty store in memory.
    #[must_use]
    pub fn memory() -> Self {
        Self { store: Arc::new(InMemory::new()), prefix: Path::default(), url: "memory:///".to_owned() }
    }

    /// The same place reached through another store, such as one that counts.
    #[must_use]
    pub fn with_store(&self, store: Store) -> Self {
        Self { store, prefix: self.prefix.clone(), url: self.url.clone() }
    }

    /// The place one segment below.
    #[must_use]
    pub fn child(&self, segment: &str) -> Self {
        let prefix = self.prefix.clone().join(segment);
        Self { store: Arc::clone(&self.store), url: format!("{}/", self.url_of(&prefix)), prefix }
    }

    /// The path in the store of `relative`, segments separated by `/`; empty means the root itself.
    #[must_use]
    pub fn path(&self, relative: &str) -> Path {
        relative.split('/').filter(|segment| !segment.is_empty()).fold(self.prefix.clone(), Path::join)
    }

    /// The URL of a path under the root. A path elsewhere in the store is taken as relative to the root.
    #[must_use]
    pub fn url_of(&self, path: &Path) -> String {
        let below: Vec<_> = match path.prefix_match(&self.prefix) {
            Some(parts) => parts.collect(),
            None => path.parts().collect(),
        };
        let relative: Vec<&str> = below.iter().map(AsRef::as_ref).collect();
        format!("{}{}", self.url, relative.join("/"))
    }

    /// The path of a URL that [`Root::url_of`] made; `None` for a URL of another root.
    #[must_use]
    pub fn path_of_url(&self, url: &str) -> Option<Path> {
        let relative = url.strip_prefix(&self.url)?;
        // Parsed, not joined: a segment that needed escaping is already escaped in the URL.
        let relative = Path::parse(relative).ok()?;
        Some(Path::from_iter(self.prefix.parts().chain(relative.parts())))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_each_others_inverse() {
        for root in [
            Root::open("s3://lake/a/b").unwrap(),
            Root::open("s3://lake").unwrap(),
            Root::open("memory:///a/b").unwrap(),
            Root::memory(),
            Root::memory().child("x"),
        ] {
            for relative in ["f.parquet", "data/tenant_id=t/f.parquet", "odd ~name%/f"] {
                let path = root.path(relative);
                assert_eq!(root.path_of_url(&root.url_of(&path)), Some(path), "{relative}");
            }
        }
    }

    #[test]
    fn a_url_of_another_root_has_no_path() {
        let root = Root::open("memory:///a/").unwrap();
        assert_eq!(root.path_of_url("memory:///b/f"), None);
        assert_eq!(root.path_of_url("file:///a/f"), None);
        assert_eq!(root.path_of_url("memory:///a/../f"), None);
    }

    #[test]
    fn a_bucket_is_opened_without_a_request_and_its_urls_name_it() {
        let root = Root::open("s3://lake/warehouse").unwrap();
        assert_eq!(root.url, "s3://lake/warehouse/");
        assert_eq!(root.path("icegate/f").as_ref(), "warehouse/icegate/f");
        assert_eq!(root.child("icegate").url, "s3://lake/warehouse/icegate/");
        assert_eq!(Root::open("s3://lake").unwrap().child("queue").url, "s3://lake/queue/");
    }

    #[test]
    fn a_directory_is_made_and_its_url_ends_with_a_slash() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("file://{}/new/queue", directory.path().display());
        let root = Root::open(&url).unwrap();
        assert_eq!(root.url, format!("{url}/"));
        assert_eq!(root.prefix, Path::default());
        assert!(directory.path().join("new/queue").is_dir());
        assert_eq!(root.child("logs").url, format!("{url}/logs/"));
    }

    #[test]
    fn a_place_that_is_no_directory_is_named_in_the_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Root::open(&format!("file://{}/", file.path().display())).unwrap_err();
        assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
        assert_eq!(error.kind(), icegate_model::ErrorKind::Invalid);
    }
}
