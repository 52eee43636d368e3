use std::fmt;

use icegate_model::UniqueId;
use icegate_storage::Root;
use object_store::path::Path;

/// Hexadecimal digits of a write's id.
const DIGITS: usize = 32;

/// Which write a data file is of, and its number in it: the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey {
    write: UniqueId,
    number: u32,
}

impl FileKey {
    pub(crate) const fn new(write: UniqueId, number: u32) -> Self {
        Self { write, number }
    }

    /// Of a file at this path; `None` where the name is of no write, and so nothing covers the file.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        Self::of_name(path.filename()?)
    }

    pub(crate) fn of_url(url: &str) -> Option<Self> {
        Self::of_name(url.rsplit('/').next()?)
    }

    fn of_name(name: &str) -> Option<Self> {
        let (write, number) = name.strip_suffix(".parquet")?.split_once('-')?;
        if write.len() != DIGITS {
            return None;
        }
        let key = Self { write: write.parse().ok()?, number: number.parse().ok()? };
        // What only means the same isn't the same name.
        (format!("{key}.parquet") == name).then_some(key)
    }

    pub(crate) fn index_name(&self) -> String {
        index_name(self.write)
    }

    /// Where the index object of its write is, in the table's place.
    #[must_use]
    pub fn index_path(&self, root: &Root) -> Path {
        root.path("index").join(self.index_name())
    }

    pub(crate) const fn write(&self) -> UniqueId {
        self.write
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }
}

/// The file name of the index object of a write, or of a group.
pub(super) fn index_name(id: UniqueId) -> String {
    format!("{id}.bloom")
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.write, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_tells_where_its_index_is() {
        let key = FileKey::new(UniqueId(0xab), 12);
        let name = "000000000000000000000000000000ab-12.parquet";
        assert_eq!(format!("{key}.parquet"), name);
        assert_eq!(FileKey::of(&Path::from(format!("icegate/logs/data/tenant_id=a/{name}"))), Some(key));
        assert_eq!(FileKey::of_url(&format!("s3://lake/icegate/logs/data/tenant_id=a/{name}")), Some(key));
        let root = Root::memory().child("icegate").child("logs");
        assert_eq!(key.index_path(&root).as_ref(), "icegate/logs/index/000000000000000000000000000000ab.bloom");
    }

    #[test]
    fn other_names_are_of_no_write() {
        for name in [
            "000000000000000000000000000000ab.parquet",
            "000000000000000000000000000000AB-1.parquet",
            "000000000000000000000000000000ab-01.parquet",
            "000000000000000000000000000000ab-+1.parquet",
            "000000000000000000000000000000ab-1.avro",
            "00000-0-8d4c0f1e-0001.parquet",
            "ab-1.parquet",
        ] {
            assert_eq!(FileKey::of(&Path::from(name)), None, "{name}");
        }
    }
}
