use std::collections::HashMap;

use bytes::Bytes;
use icegate_model::UniqueId;
use icegate_storage::Root;
use object_store::path::Path;

use super::directory::{Cursor, IndexDirectory, encode_head};
use super::key::index_name;
use super::{FileKey, Filters};

const MAGIC: &[u8; 8] = b"ICEGROUP";
const VERSION: u32 = 1;
/// File name of the list of groups.
pub(crate) const GROUPS: &str = "groups";

/// The groups of a table: index objects that each cover the files of many writes, and their heads.
#[derive(Debug, Default)]
pub struct IndexGroups {
    pub(crate) groups: Vec<IndexGroup>,
    /// Groups that this list no longer names and that a reader of the list before may still ask for.
    pub(crate) replaced: Vec<UniqueId>,
    places: HashMap<FileKey, usize>,
}

/// An index object that covers the files of many writes.
#[derive(Debug)]
pub struct IndexGroup {
    pub(crate) id: UniqueId,
    pub(crate) head: Bytes,
    directory: IndexDirectory,
}

impl IndexGroups {
    /// Where the list is, in the table's place. It is overwritten as a whole.
    #[must_use]
    pub fn path(root: &Root) -> Path {
        root.path("index").join(GROUPS)
    }

    pub(crate) fn new(groups: Vec<IndexGroup>, replaced: Vec<UniqueId>) -> Self {
        let mut places = HashMap::new();
        for (number, group) in groups.iter().enumerate() {
            places.extend(group.directory.files().map(|file| (file, number)));
        }
        Self { groups, replaced, places }
    }

    /// Reads a whole list.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(bytes: &Bytes) -> Result<Self, String> {
        let (whole, sum) = bytes.split_last_chunk().ok_or("it is cut short")?;
        if u32::from_le_bytes(*sum) != crc32fast::hash(whole) {
            return Err("it has not the checksum that it says".to_owned());
        }
        let mut left = Cursor(whole);
        if left.take()? != *MAGIC {
            return Err("it is no list of groups".to_owned());
        }
        let version = left.u32()?;
        if version != VERSION {
            return Err(format!("version {version} of the list of groups, known is {VERSION}"));
        }
        let mut groups = Vec::new();
        for _ in 0..left.u32()? {
            let (id, length) = (left.id()?, left.u32()?);
            groups.push(IndexGroup::decode(id, bytes.slice_ref(left.bytes(length)?))?);
        }
        let replaced = (0..left.u32()?).map(|_| left.id()).collect::<Result<_, _>>()?;
        Ok(Self::new(groups, replaced))
    }

    pub(crate) fn encode(&self) -> Bytes {
        let mut bytes = MAGIC.to_vec();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&number(self.groups.len()));
        for group in &self.groups {
            bytes.extend_from_slice(&group.id.0.to_le_bytes());
            bytes.extend_from_slice(&number(group.head.len()));
            bytes.extend_from_slice(&group.head);
        }
        bytes.extend_from_slice(&number(self.replaced.len()));
        self.replaced.iter().for_each(|id| bytes.extend_from_slice(&id.0.to_le_bytes()));
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        Bytes::from(bytes)
    }

    /// The group that covers a file.
    #[must_use]
    pub fn of(&self, file: FileKey) -> Option<&IndexGroup> {
        self.groups.get(*self.places.get(&file)?)
    }

    /// The files that are in a group.
    #[must_use]
    pub fn files(&self) -> usize {
        self.places.len()
    }

    /// The file names of all objects that a reader of this list or the one before may ask for.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.groups.iter().map(|group| group.id).chain(self.replaced.iter().copied()).map(index_name)
    }
}

impl IndexGroup {
    fn decode(id: UniqueId, head: Bytes) -> Result<Self, String> {
        Ok(Self { id, directory: IndexDirectory::decode(&head)?, head })
    }

    /// Of these files, with the object's bytes.
    pub(crate) fn of_filters(id: UniqueId, filters: Filters) -> Result<(Self, Bytes), String> {
        let sections = filters.into_sections();
        let head = Bytes::from(encode_head(&sections));
        Ok((Self::decode(id, head)?, Bytes::from(super::directory::encode(&sections))))
    }

    /// Where its object is, in the table's place.
    #[must_use]
    pub fn path(&self, root: &Root) -> Path {
        root.path("index").join(index_name(self.id))
    }

    /// Its object's head.
    #[must_use]
    pub const fn directory(&self) -> &IndexDirectory {
        &self.directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{IdHash, IndexObject, Look};

    fn group(id: u128, files: u32) -> (IndexGroup, Bytes) {
        let mut filters = Filters::default();
        for number in 0..files {
            let ids: Vec<_> = (0..100 * number).map(|row| IdHash::of(&(id, row).0.to_be_bytes())).collect();
            filters.add(FileKey::new(UniqueId(id), number), &ids);
        }
        IndexGroup::of_filters(UniqueId(1_000 + id), filters).unwrap()
    }

    #[test]
    fn a_list_reads_back_as_it_was_written() {
        let (one, object) = group(1, 3);
        let (other, _) = group(2, 5);
        let list = IndexGroups::new(vec![one, other], vec![UniqueId(99)]);
        let read = IndexGroups::decode(&list.encode()).unwrap();
        assert_eq!((read.files(), &read.replaced), (8, &vec![UniqueId(99)]));
        assert_eq!(read.of(FileKey::new(UniqueId(2), 4)).unwrap().id, UniqueId(1_002));
        assert!(read.of(FileKey::new(UniqueId(2), 5)).is_none());
        assert_eq!(read.names().collect::<Vec<_>>(), ["3e9", "3ea", "063"].map(|id| format!("{:0>32}.bloom", id)));
        // The head tells the same of the object's rows as the object does.
        let (file, whole) = (FileKey::new(UniqueId(1), 2), IndexObject::decode(object.clone()).unwrap());
        let directory = read.of(file).unwrap().directory();
        assert_eq!(directory.object_bytes(), object.len() as u64);
        for id in (0..1_000_u32).map(|id| IdHash::of(&id.to_be_bytes())) {
            let Some(Look::At(row, column)) = directory.look(file, id) else { panic!("it is covered and has ids") };
            let range = directory.range(row);
            let bytes = object.slice(range.start as usize..range.end as usize);
            directory.check(row, &bytes).unwrap();
            assert_eq!(Some(crate::index::RowPlace::may_hold(&bytes, column, id)), whole.may_hold(file, id));
        }
    }

    #[test]
    fn no_changed_byte_and_no_cut_of_a_list_goes_unnoticed() {
        let whole = IndexGroups::new(vec![group(1, 2).0], vec![UniqueId(9)]).encode();
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x40;
            assert!(IndexGroups::decode(&bytes.into()).is_err(), "byte {at}");
            assert!(IndexGroups::decode(&whole.slice(..at)).is_err(), "cut at {at}");
        }
    }
}
