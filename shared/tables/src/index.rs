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
//! ```text
//! index/{write}.bloom, all numbers little-endian
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
//! hash   h = the low 64 bits of XXH3-128 of the id's bytes
//! block  ((h >> 32) * blocks) >> 32
//! bits   of word i: bit ((h & 0xffffffff) * salt[i] mod 2^32) >> 27, with the salts of Parquet's specification
//! ```

mod bloom;
mod directory;
mod key;
mod object;

pub use bloom::IdHash;
pub use directory::{IndexDirectory, Look, RowPlace};
pub use key::FileKey;
pub(crate) use object::IndexBuilder;
pub use object::IndexObject;
