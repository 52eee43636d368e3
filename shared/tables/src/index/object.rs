use std::collections::BTreeMap;

use bytes::Bytes;

use super::bloom::{BLOCK, filter};
use super::directory::{IndexDirectory, Look, RowPlace, Section, encode};
use super::{FileKey, IdHash};

/// A whole index object.
#[derive(Debug)]
pub struct IndexObject {
    directory: IndexDirectory,
    bytes: Bytes,
}

impl IndexObject {
    /// Reads and checks all of it.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(bytes: Bytes) -> Result<Self, String> {
        let directory = IndexDirectory::decode(&bytes)?;
        if bytes.len() as u64 != directory.object_bytes() {
            return Err(format!("it has {} bytes instead of {}", bytes.len(), directory.object_bytes()));
        }
        let object = Self { directory, bytes };
        object.directory.rows().try_for_each(|row| object.directory.check(row, object.row(row)))?;
        Ok(object)
    }

    /// Whether the file may hold the id; `None` for a file that isn't covered.
    #[must_use]
    pub fn may_hold(&self, file: FileKey, id: IdHash) -> Option<bool> {
        Some(match self.directory.look(file, id)? {
            Look::NoIds => false,
            Look::At(row, column) => RowPlace::may_hold(self.row(row), column, id),
        })
    }

    /// What it covers.
    #[must_use]
    pub const fn directory(&self) -> &IndexDirectory {
        &self.directory
    }

    /// A file's filter; `None` for a file that isn't covered.
    pub(super) fn filter(&self, file: FileKey) -> Option<Vec<u8>> {
        let (rows, column) = self.directory.column(file)?;
        let blocks = rows.map(|row| RowPlace::block(self.row(row), column).unwrap_or_default());
        Some(blocks.collect::<Vec<_>>().concat())
    }

    fn row(&self, place: RowPlace) -> &[u8] {
        let range = self.directory.range(place);
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        self.bytes.get(at(range.start)..at(range.end)).unwrap_or_default()
    }
}

/// Gathers what an index object says: files and their filters.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    /// By the number of their blocks.
    sections: BTreeMap<usize, Vec<(FileKey, Vec<u8>)>>,
    files: u32,
    bytes: usize,
}

impl Filters {
    /// Adds a file with its ids, each once.
    pub(crate) fn add(&mut self, file: FileKey, ids: &[IdHash]) {
        self.add_filter(file, filter(ids));
    }

    /// Adds a file with its filter.
    pub(crate) fn add_filter(&mut self, file: FileKey, filter: Vec<u8>) {
        self.files += 1;
        self.bytes += filter.len();
        self.sections.entry(filter.len() / BLOCK).or_default().push((file, filter));
    }

    /// How many files were added.
    pub(crate) const fn files(&self) -> u32 {
        self.files
    }

    /// Bytes of their filters.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn into_sections(self) -> Vec<Section> {
        self.sections.into_iter().collect()
    }

    /// The object's bytes.
    pub(crate) fn encode(self) -> Bytes {
        Bytes::from(encode(&self.into_sections()))
    }
}

#[cfg(test)]
mod tests {
    use icegate_model::UniqueId;

    use super::*;

    fn file(number: u32) -> FileKey {
        FileKey::new(UniqueId(7), number)
    }

    fn ids(from: u32, count: u32) -> Vec<IdHash> {
        (from..from + count).map(|number| IdHash::of(&number.to_be_bytes())).collect()
    }

    /// Files of 10, 100, 0, 12 and 90 ids: filters of 1, 8, 0, 1 and 4 blocks.
    fn sample() -> Bytes {
        let mut index = Filters::default();
        for (number, count) in (0..).zip([10, 100, 0, 12, 90]) {
            index.add(file(number), &ids(number * 1_000, count));
        }
        index.encode()
    }

    #[test]
    fn an_object_tells_files_of_different_sizes_apart() {
        let object = IndexObject::decode(sample()).unwrap();
        for (number, count) in (0..).zip([10, 100, 0, 12, 90]) {
            for id in ids(number * 1_000, count) {
                for other in 0..5 {
                    let found = object.may_hold(file(other), id);
                    assert!(found == Some(true) || other != number, "{number} {other}");
                    assert!(found == Some(false) || other != 2, "{number} {other}");
                }
            }
        }
        let strangers = ids(1 << 20, 1_000);
        let found = strangers.iter().filter(|id| (0..5).any(|number| object.may_hold(file(number), **id) == Some(true))).count();
        assert!(found <= 40, "{found}: of four filters at most one in a hundred each");
        assert_eq!(object.may_hold(file(5), strangers[0]), None);
        assert_eq!(object.may_hold(FileKey::new(UniqueId(8), 0), strangers[0]), None);
        let mut files: Vec<_> = object.directory().files().collect();
        files.sort_unstable();
        assert_eq!(files, (0..5).map(file).collect::<Vec<_>>());
    }

    #[test]
    fn an_object_has_32_bytes_a_block_20_a_file_and_little_else() {
        // A head of 16, eight a section of 0, 1, 4 and 8 blocks, 20 a file, a checksum; rows of two files, then of one, each with a checksum.
        assert_eq!(sample().len(), 16 + 4 * 8 + 5 * 20 + 4 + (2 * 32 + 4) + 4 * (32 + 4) + 8 * (32 + 4));
    }

    #[test]
    fn no_changed_byte_and_no_cut_goes_unnoticed() {
        let whole = sample();
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x10;
            assert!(IndexObject::decode(bytes.into()).is_err(), "byte {at}");
            assert!(IndexObject::decode(whole.slice(..at)).is_err(), "cut at {at}");
        }
        assert!(IndexObject::decode([&whole[..], b"x"].concat().into()).is_err());
        let error = IndexDirectory::decode(&[&b"ICEBLOOM"[..], &[2, 0, 0, 0]].concat()).unwrap_err();
        assert_eq!(error, "index version 2, known is 1");
    }

    #[test]
    fn a_row_of_another_place_is_noticed() {
        let whole = sample();
        let directory = IndexDirectory::decode(&whole).unwrap();
        let rows: Vec<_> = directory.rows().collect();
        let bytes = |row: RowPlace| {
            let range = directory.range(row);
            &whole[range.start as usize..range.end as usize]
        };
        for row in &rows {
            for other in &rows {
                assert_eq!(directory.check(*row, bytes(*other)).is_ok(), row == other, "{row:?} {other:?}");
            }
        }
    }
}
