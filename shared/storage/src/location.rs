use std::path::PathBuf;

use object_store::path::Path;

use crate::StorageError;

/// What a storage URL points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine, absolute.
    File(PathBuf),
    /// A store in the memory of this process that starts empty, and the prefix in it.
    Memory(Path),
}

impl Location {
    /// Reads `file:///DIRECTORY/` or `memory:///PREFIX/`; the last `/` may be missing, `%XX` stands for a byte.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] for any other scheme; [`StorageError::InvalidUrl`] for text that is no URL, a host or a
    /// relative path.
    pub fn parse(url: &str) -> Result<Self, StorageError> {
        let invalid = |reason: String| StorageError::InvalidUrl { url: url.to_owned(), reason };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(invalid("no scheme".to_owned()));
        };
        if scheme != "file" && scheme != "memory" {
            return Err(StorageError::Unsupported { scheme: scheme.to_owned(), url: url.to_owned() });
        }
        if !rest.starts_with('/') {
            return Err(invalid("its path is not absolute".to_owned()));
        }
        let path = Path::from_url_path(rest).map_err(|error| invalid(error.to_string()))?;
        Ok(match scheme {
            "file" => Self::File(PathBuf::from(format!("/{path}"))),
            _ => Self::Memory(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_model::ErrorKind;

    #[test]
    fn directories_and_memory_are_read_with_and_without_the_last_slash() {
        for (url, location) in [
            ("file:///data/queue/", Location::File("/data/queue".into())),
            ("file:///data/queue", Location::File("/data/queue".into())),
            ("file:///my%20data/", Location::File("/my data".into())),
            ("memory:///", Location::Memory(Path::default())),
            ("memory:///queue/", Location::Memory(Path::from("queue"))),
        ] {
            assert_eq!(Location::parse(url).unwrap(), location, "{url}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_named_with_what_is_allowed() {
        let error = Location::parse("s3://queue/").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(
            error.to_string(),
            r#"unsupported storage scheme "s3" in "s3://queue/", allowed are file:///DIRECTORY/ and memory:///"#
        );
    }

    #[test]
    fn text_that_is_no_absolute_url_is_refused() {
        for url in ["", "data/queue", "/data/queue", "file://data/queue", "memory://", "file:///a/../b/"] {
            assert_eq!(Location::parse(url).unwrap_err().kind(), ErrorKind::Invalid, "{url}");
        }
    }
}
