use std::collections::HashMap;
use std::ops::Range;

use icegate_model::UniqueId;

use super::bloom::BLOCK;
use super::{FileKey, IdHash};

const MAGIC: &[u8; 8] = b"ICEBLOOM";
const VERSION: u32 = 1;
/// Bytes of a checksum.
const SUM: usize = 4;

/// Files whose filters have as many blocks, and the filters.
pub(super) type Section = (usize, Vec<(FileKey, Vec<u8>)>);

/// The head of an index object: which files it covers, and where what it says of them lies.
#[derive(Debug)]
pub struct IndexDirectory {
    sections: Vec<Known>,
    places: HashMap<FileKey, (u32, u32)>,
    bytes: u64,
}

#[derive(Debug)]
struct Known {
    blocks: u32,
    files: u32,
    /// Where its first row begins.
    start: u64,
}

/// A row of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowPlace {
    section: u32,
    row: u32,
}

/// What a directory says of an id in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The file holds no ids.
    NoIds,
    /// The row tells, at this column.
    At(RowPlace, u32),
}

impl IndexDirectory {
    /// Reads the head of an object; bytes behind it are ignored.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut left = Cursor(bytes);
        if left.take()? != *MAGIC {
            return Err("it is no index".to_owned());
        }
        let version = left.u32()?;
        if version != VERSION {
            return Err(format!("index version {version}, known is {VERSION}"));
        }
        let mut sections = Vec::new();
        for _ in 0..left.u32()? {
            let (blocks, count) = (left.u32()?, left.u32()?);
            let file = |left: &mut Cursor<'_>| {
                let write = left.id()?;
                Ok(FileKey::new(write, left.u32()?))
            };
            let files = (0..count).map(|_| file(&mut left)).collect::<Result<Vec<_>, String>>()?;
            sections.push((blocks, files));
        }
        let head = bytes.len() - left.0.len();
        if left.u32()? != crc32fast::hash(&bytes[..head]) {
            return Err("its head has not the checksum that it says".to_owned());
        }
        Ok(Self::new(sections, head + SUM))
    }

    fn new(listed: Vec<(u32, Vec<FileKey>)>, head: usize) -> Self {
        let (mut sections, mut places, mut bytes) = (Vec::new(), HashMap::new(), head as u64);
        for (number, (blocks, files)) in (0..).zip(listed) {
            places.extend((0..).zip(&files).map(|(column, file)| (*file, (number, column))));
            let section = Known { blocks, files: u32::try_from(files.len()).unwrap_or(u32::MAX), start: bytes };
            bytes = bytes.saturating_add(u64::from(blocks).saturating_mul(section.row_bytes()));
            sections.push(section);
        }
        Self { sections, places, bytes }
    }

    /// Bytes of the whole object.
    #[must_use]
    pub const fn object_bytes(&self) -> u64 {
        self.bytes
    }

    /// The files that it covers, in no order.
    pub fn files(&self) -> impl Iterator<Item = FileKey> {
        self.places.keys().copied()
    }

    /// Where it is said whether the file may hold the id; `None` for a file that isn't covered.
    #[must_use]
    pub fn look(&self, file: FileKey, id: IdHash) -> Option<Look> {
        let (section, column) = *self.places.get(&file)?;
        let blocks = self.sections.get(section as usize)?.blocks;
        Some(if blocks == 0 { Look::NoIds } else { Look::At(RowPlace { section, row: id.block(blocks) }, column) })
    }

    /// The rows that hold a file's filter, in its order, and its column in them.
    pub(super) fn column(&self, file: FileKey) -> Option<(impl Iterator<Item = RowPlace>, u32)> {
        let (section, column) = *self.places.get(&file)?;
        let blocks = self.sections.get(section as usize)?.blocks;
        Some(((0..blocks).map(move |row| RowPlace { section, row }), column))
    }

    /// All rows, in their order.
    pub(super) fn rows(&self) -> impl Iterator<Item = RowPlace> {
        (0..).zip(&self.sections).flat_map(|(section, known)| (0..known.blocks).map(move |row| RowPlace { section, row }))
    }

    /// Where in the object a row is.
    #[must_use]
    pub fn range(&self, place: RowPlace) -> Range<u64> {
        let Some(section) = self.sections.get(place.section as usize) else { return 0..0 };
        let start = section.start + u64::from(place.row) * section.row_bytes();
        start..start + section.row_bytes()
    }

    /// Whether a row's bytes are those that were written.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, place: RowPlace, row: &[u8]) -> Result<(), String> {
        let wrong = || format!("row {} of section {} has not the checksum that it says", place.row, place.section);
        let (blocks, sum) = row.split_last_chunk::<SUM>().ok_or_else(wrong)?;
        let range = self.range(place);
        let is_whole = row.len() as u64 == range.end - range.start;
        if is_whole && u32::from_le_bytes(*sum) == checksum(place, blocks) { Ok(()) } else { Err(wrong()) }
    }
}

impl Known {
    fn row_bytes(&self) -> u64 {
        u64::from(self.files) * BLOCK as u64 + SUM as u64
    }
}

impl RowPlace {
    /// Whether the file of that column may hold the id, by a row that was checked.
    #[must_use]
    pub fn may_hold(row: &[u8], column: u32, id: IdHash) -> bool {
        Self::block(row, column).is_none_or(|block| id.is_in(block))
    }

    pub(super) fn block(row: &[u8], column: u32) -> Option<&[u8]> {
        let start = column as usize * BLOCK;
        row.get(start..start + BLOCK)
    }
}

/// An object of these sections.
pub(super) fn encode(sections: &[Section]) -> Vec<u8> {
    let mut bytes = encode_head(sections);
    for (section, (blocks, files)) in (0..).zip(sections) {
        for (row, number) in (0..*blocks).zip(0..) {
            let start = bytes.len();
            files.iter().for_each(|(_, filter)| bytes.extend_from_slice(&filter[row * BLOCK..][..BLOCK]));
            let sum = checksum(RowPlace { section, row: number }, &bytes[start..]);
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
    }
    bytes
}

/// The head of an object of these sections.
pub(super) fn encode_head(sections: &[Section]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&number(sections.len()));
    for (blocks, files) in sections {
        bytes.extend_from_slice(&number(*blocks));
        bytes.extend_from_slice(&number(files.len()));
        for (file, _) in files {
            bytes.extend_from_slice(&file.write().0.to_le_bytes());
            bytes.extend_from_slice(&file.number().to_le_bytes());
        }
    }
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

fn checksum(place: RowPlace, blocks: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.section.to_le_bytes());
    hasher.update(&place.row.to_le_bytes());
    hasher.update(blocks);
    hasher.finalize()
}

/// What is left of a head.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, left) = self.0.split_first_chunk::<N>().ok_or("it is cut short")?;
        self.0 = left;
        Ok(*taken)
    }

    pub(super) fn u32(&mut self) -> Result<u32, String> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn id(&mut self) -> Result<UniqueId, String> {
        self.take().map(|bytes| UniqueId(u128::from_le_bytes(bytes)))
    }

    pub(super) fn bytes(&mut self, length: u32) -> Result<&'a [u8], String> {
        let (taken, left) = self.0.split_at_checked(length as usize).ok_or("it is cut short")?;
        self.0 = left;
        Ok(taken)
    }
}
