use std::collections::HashSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use crate::StorageError;
use crate::multipart::BufferedUpload;

/// Most directories whose durability is remembered; beyond it they are synchronised again.
const MAX_KNOWN_DIRECTORIES: usize = 4_096;
/// Most left-over temporary files of crashed processes that a put steps over.
const MAX_TEMPORARY_NAMES: u32 = 10_000;
const STORE: &str = "DurableFiles";

/// A directory as an object store whose puts survive a power cut (DURABLE-1).
///
/// A put writes a temporary file beside its target and synchronises it, then gives it its name at once (a rename, or a hard
/// link that fails where the name is taken, CREATE-1) and synchronises the directory. A reader sees all of an object or
/// none of it. A crash leaves at most a temporary file `.put#NUMBER`, which no listing shows and no path can name.
///
/// - [`PutMode::Update`] and object attributes are refused: files can do neither.
/// - A put whose future is dropped may still happen.
/// - A delete is not synchronised: after a power cut a file that was just deleted may be back.
/// - A multipart upload is held in memory until it completes, up to [`DurableFiles::MAX_MULTIPART_BYTES`].
#[derive(Clone, Debug)]
pub struct DurableFiles {
    files: LocalFileSystem,
    directories: Arc<Directories>,
}

impl DurableFiles {
    /// The largest object that a multipart upload can make, in bytes.
    pub const MAX_MULTIPART_BYTES: usize = 256 << 20;

    /// Opens a directory, making it and its parents where missing, and checks that a file can be written in it.
    ///
    /// # Errors
    /// [`StorageError::Directory`] where that fails, with the operating system's reason.
    pub fn open(directory: impl Into<PathBuf>) -> std::result::Result<Self, StorageError> {
        let path = directory.into();
        let unusable = |source| StorageError::Directory { path: path.clone(), source };
        let directories = Directories { root: path.clone(), known: Mutex::default() };
        std::fs::create_dir_all(&path).and_then(|()| probe(&path)).map_err(unusable)?;
        let files = LocalFileSystem::new_with_prefix(&path).map_err(|error| unusable(io::Error::other(error)))?;
        let root = std::fs::canonicalize(&path).map_err(unusable)?;
        Ok(Self { files, directories: Arc::new(Directories { root, ..directories }) })
    }

    /// Makes the directories above `location` durable.
    async fn prepare_parent(&self, location: &Path) -> Result<PathBuf> {
        let target = self.files.path_to_filesystem(location)?;
        let directories = Arc::clone(&self.directories);
        blocking(move || {
            let parent = parent_of(&target)?;
            directories.ensure(parent).map_err(|error| failed("make the directory", parent, error))?;
            Ok(parent.to_owned())
        })
        .await
    }
}

impl fmt::Display for DurableFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{STORE}({})", self.directories.root.display())
    }
}

#[async_trait]
impl ObjectStore for DurableFiles {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let create = match options.mode {
            PutMode::Overwrite => false,
            PutMode::Create => true,
            PutMode::Update(_) => return Err(unsupported("a conditional update")),
        };
        if !options.attributes.is_empty() {
            return Err(unsupported("object attributes"));
        }
        let target = self.files.path_to_filesystem(location)?;
        let directories = Arc::clone(&self.directories);
        blocking(move || put(&directories, &target, &payload, create)).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        if !options.attributes.is_empty() {
            return Err(unsupported("object attributes"));
        }
        Ok(Box::new(BufferedUpload::new(Arc::new(self.clone()), location.clone(), Self::MAX_MULTIPART_BYTES)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let parent = self.prepare_parent(to).await?;
        self.files.copy_opts(from, to, options).await?;
        blocking(move || sync_named(&parent)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let parent = self.prepare_parent(to).await?;
        self.files.rename_opts(from, to, options).await?;
        blocking(move || sync_named(&parent)).await
    }
}

/// The directories under a root that are known to survive a power cut.
#[derive(Debug)]
struct Directories {
    root: PathBuf,
    known: Mutex<HashSet<PathBuf>>,
}

impl Directories {
    /// Makes `directory` and what is missing above it, and synchronises the parent of each.
    ///
    /// A directory that exists is synchronised too when this process meets it first: another process may have made it and
    /// not yet made it durable.
    fn ensure(&self, directory: &FilePath) -> io::Result<()> {
        if directory == self.root || !directory.starts_with(&self.root) || self.knows(directory) {
            return Ok(());
        }
        if let Some(parent) = directory.parent() {
            self.ensure(parent)?;
            match std::fs::create_dir(directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => sync_directory(parent)?,
            }
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN_DIRECTORIES {
            known.clear();
        }
        known.insert(directory.to_owned());
        Ok(())
    }

    fn knows(&self, directory: &FilePath) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(directory)
    }

    fn forget_all(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn put(directories: &Directories, target: &FilePath, payload: &PutPayload, create: bool) -> Result<PutResult> {
    let parent = parent_of(target)?;
    let (mut file, temporary) = match temporary_in(directories, parent) {
        // Somebody removed the directory since it was made: what is known of directories is no longer true.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            directories.forget_all();
            temporary_in(directories, parent)
        }
        other => other,
    }
    .map_err(|error| failed("make a temporary file in", parent, error))?;
    let written = write_all(&mut file, payload).map_err(|error| failed("write", &temporary, error));
    drop(file);
    let named = written.and_then(|e_tag| give_name(&temporary, target, create).map(|()| e_tag));
    if create || named.is_err() {
        // Nothing depends on it: a temporary file that stays is never seen.
        let _ = std::fs::remove_file(&temporary);
    }
    let e_tag = named?;
    sync_named(parent)?;
    Ok(PutResult { e_tag: Some(e_tag), version: None })
}

fn temporary_in(directories: &Directories, parent: &FilePath) -> io::Result<(File, PathBuf)> {
    directories.ensure(parent)?;
    create_temporary(parent)
}

/// A new file whose name `LocalFileSystem` neither lists nor lets anyone address: `#` and digits at its end.
fn create_temporary(directory: &FilePath) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..MAX_TEMPORARY_NAMES {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".put#{:010}{number:010}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            // Left by a crashed process that had the same id.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Writes and synchronises; gives the object's ETag.
fn write_all(file: &mut File, payload: &PutPayload) -> io::Result<String> {
    for chunk in payload {
        file.write_all(chunk)?;
    }
    file.sync_all()?;
    Ok(e_tag(&file.metadata()?))
}

fn give_name(temporary: &FilePath, target: &FilePath, create: bool) -> Result<()> {
    let named = if create { std::fs::hard_link(temporary, target) } else { std::fs::rename(temporary, target) };
    named.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path: target.display().to_string(), source: Box::new(error) },
        _ => failed("name", target, error),
    })
}

/// The tag that `LocalFileSystem` gives the same file when it is read or listed.
fn e_tag(metadata: &std::fs::Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default().as_micros();
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let inode = 0_u64;
    format!("{inode:x}-{modified:x}-{:x}", metadata.len())
}

fn probe(directory: &FilePath) -> io::Result<()> {
    let (_, path) = create_temporary(directory)?;
    std::fs::remove_file(path)
}

fn sync_directory(directory: &FilePath) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn sync_named(directory: &FilePath) -> Result<()> {
    sync_directory(directory).map_err(|error| failed("synchronise the directory", directory, error))
}

fn parent_of(target: &FilePath) -> Result<&FilePath> {
    target.parent().ok_or_else(|| failed("write", target, io::Error::from(io::ErrorKind::IsADirectory)))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await?,
        Err(_) => work(),
    }
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported { source: format!("{what} on a directory").into() }
}

fn failed(what: &str, path: &FilePath, error: io::Error) -> Error {
    let text = format!("can't {what} {}: {error}", path.display());
    Error::Generic { store: STORE, source: Box::new(io::Error::new(error.kind(), text)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt;
    use object_store::ObjectStoreExt;

    fn names_in(directory: &FilePath) -> Vec<String> {
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_put_gives_the_tag_that_reads_and_listings_give() {
        let directory = tempfile::tempdir().unwrap();
        let store = DurableFiles::open(directory.path()).unwrap();
        let path = Path::from("a/b/c");
        for mode in [PutMode::Create, PutMode::Overwrite] {
            let put = store.put_opts(&path, "one".into(), mode.into()).await.unwrap();
            assert!(put.e_tag.is_some());
            assert_eq!(put.e_tag, store.head(&path).await.unwrap().e_tag);
            assert_eq!(put.e_tag, store.list(None).try_next().await.unwrap().unwrap().e_tag);
        }
    }

    #[tokio::test]
    async fn temporary_files_vanish_and_left_over_ones_are_never_listed() {
        let directory = tempfile::tempdir().unwrap();
        let store = DurableFiles::open(directory.path()).unwrap();
        let path = Path::from("a");
        store.put_opts(&path, "one".into(), PutMode::Create.into()).await.unwrap();
        store.put_opts(&path, "two".into(), PutMode::Create.into()).await.unwrap_err();
        store.put(&path, "three".into()).await.unwrap();
        assert_eq!(names_in(directory.path()), ["a"]);

        std::fs::write(directory.path().join(".put#00000000010000000001"), "half").unwrap();
        assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap().len(), 1);
        assert_eq!(store.list_with_delimiter(None).await.unwrap().objects.len(), 1);
    }

    #[tokio::test]
    async fn a_directory_that_was_removed_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = DurableFiles::open(directory.path()).unwrap();
        store.put(&Path::from("a/b/c"), "one".into()).await.unwrap();
        std::fs::remove_dir_all(directory.path().join("a")).unwrap();
        store.put(&Path::from("a/b/d"), "two".into()).await.unwrap();
        assert_eq!(store.get(&Path::from("a/b/d")).await.unwrap().bytes().await.unwrap(), "two");
    }

    #[tokio::test]
    async fn what_files_cannot_do_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = DurableFiles::open(directory.path()).unwrap();
        let update = PutMode::Update(object_store::UpdateVersion { e_tag: None, version: None });
        let error = store.put_opts(&Path::from("a"), "one".into(), update.into()).await.unwrap_err();
        assert!(matches!(error, Error::NotSupported { .. }), "{error}");
    }
}
