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
    /// A bucket of S3 or of what speaks its protocol, and the prefix in it.
    S3 {
        /// The bucket.
        bucket: String,
        /// Where in the bucket; empty means all of it.
        prefix: Path,
    },
}

impl Location {
    /// Reads `file:///DIRECTORY/`, `memory:///PREFIX/` or `s3://BUCKET/PREFIX/`; the last `/` may be missing. In the first two
    /// `%XX` stands for a byte. Keys of S3 are taken as they are written, as every reader of Iceberg tables does.
    ///
    /// # Errors
    /// [`StorageError::Unsupported`] for any other scheme; [`StorageError::InvalidUrl`] for text that is no URL, a host or a
    /// relative path, a name that no bucket can have.
    pub fn parse(url: &str) -> Result<Self, StorageError> {
        let invalid = |reason: String| StorageError::InvalidUrl { url: url.to_owned(), reason };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(invalid("no scheme".to_owned()));
        };
        match scheme {
            "file" | "memory" if !rest.starts_with('/') => Err(invalid("its path is not absolute".to_owned())),
            "file" => {
                let path = Path::from_url_path(rest).map_err(|error| invalid(error.to_string()))?;
                Ok(Self::File(PathBuf::from(format!("/{path}"))))
            }
            "memory" => Ok(Self::Memory(Path::from_url_path(rest).map_err(|error| invalid(error.to_string()))?)),
            "s3" => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                check_bucket(bucket).map_err(invalid)?;
                Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix(key).map_err(invalid)? })
            }
            _ => Err(StorageError::Unsupported { scheme: scheme.to_owned(), url: url.to_owned() }),
        }
    }

    /// The URL in the form that names of objects are appended to: with a `/` at its end.
    pub(crate) fn url(&self, given: &str) -> String {
        match self {
            Self::S3 { bucket, prefix } if prefix.as_ref().is_empty() => format!("s3://{bucket}/"),
            Self::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}/"),
            Self::File(_) | Self::Memory(_) if given.ends_with('/') => given.to_owned(),
            Self::File(_) | Self::Memory(_) => format!("{given}/"),
        }
    }
}

/// AWS's rules for names of general purpose buckets; what is refused here is refused by every store.
fn check_bucket(name: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let ends_plain = bytes.first().copied().is_some_and(plain) && bytes.last().copied().is_some_and(plain);
    let allowed = bytes.iter().all(|&byte| plain(byte) || byte == b'-' || byte == b'.');
    if (3..=63).contains(&name.len()) && ends_plain && allowed && !name.contains("..") {
        return Ok(());
    }
    Err(format!(
        "{name:?} is no name of a bucket: 3 to 63 of a-z 0-9 - and ., a letter or digit at both ends, no two dots in a row"
    ))
}

fn prefix(key: &str) -> Result<Path, String> {
    if let Some(other) = key.chars().find(|char| matches!(char, '%' | '?' | '#')) {
        return Err(format!("its key has a {other}"));
    }
    let key = key.strip_suffix('/').unwrap_or(key);
    if key.is_empty() {
        return Ok(Path::default());
    }
    if key.split('/').any(str::is_empty) {
        return Err("its key has an empty segment".to_owned());
    }
    Path::parse(key).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_model::ErrorKind;

    fn s3(bucket: &str, prefix: &str) -> Location {
        Location::S3 { bucket: bucket.to_owned(), prefix: Path::from(prefix) }
    }

    #[test]
    fn directories_memory_and_buckets_are_read_with_and_without_the_last_slash() {
        for (url, location) in [
            ("file:///data/queue/", Location::File("/data/queue".into())),
            ("file:///data/queue", Location::File("/data/queue".into())),
            ("file:///my%20data/", Location::File("/my data".into())),
            ("memory:///", Location::Memory(Path::default())),
            ("memory:///queue/", Location::Memory(Path::from("queue"))),
            ("s3://lake", s3("lake", "")),
            ("s3://lake/", s3("lake", "")),
            ("s3://my.lake-1/a/b", s3("my.lake-1", "a/b")),
            ("s3://lake/a b/", s3("lake", "a b")),
        ] {
            assert_eq!(Location::parse(url).unwrap(), location, "{url}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_named_with_what_is_allowed() {
        let error = Location::parse("gs://queue/").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(
            error.to_string(),
            r#"unsupported storage scheme "gs" in "gs://queue/", allowed are s3://BUCKET/PREFIX/, file:///DIRECTORY/ and memory:///"#
        );
    }

    #[test]
    fn text_that_is_no_absolute_url_is_refused() {
        for url in ["", "data/queue", "/data/queue", "file://data/queue", "memory://", "file:///a/../b/"] {
            assert_eq!(Location::parse(url).unwrap_err().kind(), ErrorKind::Invalid, "{url}");
        }
    }

    #[test]
    fn names_that_no_bucket_has_and_keys_that_two_readers_would_read_differently_are_refused() {
        let long = format!("s3://{}/", "a".repeat(64));
        for (url, named) in [
            ("s3://", "3 to 63"),
            ("s3:///queue/", "3 to 63"),
            (long.as_str(), "3 to 63"),
            ("s3://My_Bucket/", "a-z"),
            ("s3://-ab/", "both ends"),
            ("s3://a..b/", "two dots"),
            ("s3://key:secret@lake/", "a-z"),
            ("s3://lake/a%20b/", "%"),
            ("s3://lake/a?b", "?"),
            ("s3://lake//a/", "empty segment"),
            ("s3://lake/a/../b/", ".."),
        ] {
            let error = Location::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{url}");
            assert!(error.to_string().contains(named), "{url}: {error}");
        }
    }

    #[test]
    fn a_url_ends_with_a_slash() {
        for (given, url) in [("s3://lake", "s3://lake/"), ("s3://lake/a", "s3://lake/a/"), ("file:///a", "file:///a/")] {
            assert_eq!(Location::parse(given).unwrap().url(given), url);
        }
    }
}
