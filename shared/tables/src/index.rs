//! Which ids may be in which data files, said beside the files.
//!
//! Ids are random: the least and the greatest of a file exclude none, and without an index whoever looks for one opens every file. Each
//! write of data files leaves one index object, durable before a commit can name the files. A file's name tells which
//! object covers it, so no metadata refers to the index and other Iceberg readers don't notice it.
//!
//! The index is advisory. A file that no object covers (of an older release, of another writer), and a file whose object is gone or damaged, may
//! hold any id. What an object says of a file is never wrong about an id that is in it, and of an id that isn't, at most once in
//! a hundred. A file never changes, and neither does what is said of it.
//!
//! An object holds one split-block bloom filter a file, as Parquet's specification has them: a filter is a row of blocks of 256 bits, an id
//! is in one block, of which it sets eight bits. Filters of as many blocks form a section, in which they lie block by block: all that a section's files
//! say of one id is one row of bytes, which can be read alone.
//!
//! Maintenance gathers the files of many writes in groups, each an object of the same kind, and lists them with their heads: a scan then reads one
//! row of each group instead of an object of each write. The list is the only object that is overwritten; what it doesn't name yet is
//! covered by the write's own object, which stays as long as the file. A group that a list no longer names stays until the list after that.
//!
//! ```text
//! index/{write}.bloom, index/{group}.bloom, all numbers little-endian
//!
//!   b"ICEBLOOM"                                     8 bytes
//!   version                                         u32, 1
//!   number of sections                              u32
//!   section   blocks of a filter, a power of 2      u32; 0 where the files hold no ids: there are no rows then
//!             number of files                       u32
//!             file    write                         u128, as in its name {write}-{n}.parquet
//!                     n                             u32
//!   checksum of all before                          u32, CRC-32
//!   rows, of each section its first block's to its last block's
//!             block of each file                    32 bytes, eight u32
//!             checksum                              u32, CRC-32 of the section's number, the row's number, the blocks
//!
//! index/groups
//!
//!   b"ICEGROUP"                                     8 bytes
//!   version                                         u32, 1
//!   number of groups                                u32
//!   group     its id                                u128
//!             bytes of its head                     u32
//!             its head, as in its object, with the checksum
//!   number of groups that the list before named and this doesn't   u32
//!             id                                    u128
//!   checksum of all before                          u32, CRC-32
//!
//! hash   h = the low 64 bits of XXH3-128 of the id's bytes
//! block  ((h >> 32) * blocks) >> 32
//! bits   of word i: bit ((h & 0xffffffff) * salt[i] mod 2^32) >> 27, with the salts of Parquet's specification
//! ```

mod bloom;
mod directory;
mod groups;
mod key;
mod merge;
mod object;

pub use bloom::IdHash;
pub use directory::{IndexDirectory, Look, RowPlace};
pub(crate) use groups::GROUPS;
pub use groups::{IndexGroup, IndexGroups};
pub use key::FileKey;
pub use merge::IndexMerge;
pub(crate) use merge::list;
pub(crate) use object::Filters;
pub use object::IndexObject;
