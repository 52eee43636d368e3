use twox_hash::XxHash3_128;

/// Bytes of a block.
pub(super) const BLOCK: usize = 32;
/// At 10.5 bits an id, one other id in a hundred seems to be in a filter.
const IDS_PER_BLOCK: usize = 24;
/// A filter of 32 MiB, for 25 million ids.
const MAX_BLOCKS: usize = 1 << 20;
/// The salts of Parquet's split-block bloom filters.
const SALTS: [u32; 8] = [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// All that an index knows of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdHash(u64);

impl IdHash {
    /// Of an id's bytes as they are in the column.
    #[must_use]
    pub fn of(id: &[u8]) -> Self {
        Self((XxHash3_128::oneshot(id) & u128::from(u64::MAX)) as u64)
    }

    /// Which of a filter's blocks it is in.
    pub(super) fn block(self, blocks: u32) -> u32 {
        (((self.0 >> 32) * u64::from(blocks)) >> 32) as u32
    }

    /// The byte and the bit in it that it sets in each word of its block.
    fn bits(self) -> impl Iterator<Item = (usize, u8)> {
        let low = (self.0 & u64::from(u32::MAX)) as u32;
        SALTS.iter().enumerate().map(move |(word, salt)| {
            let bit = low.wrapping_mul(*salt) >> 27;
            (word * 4 + (bit / 8) as usize, 1 << (bit % 8))
        })
    }

    pub(super) fn is_in(self, block: &[u8]) -> bool {
        self.bits().all(|(byte, bit)| block[byte] & bit != 0)
    }
}

/// A filter for these ids; empty for none.
pub(super) fn filter(ids: &[IdHash]) -> Vec<u8> {
    if ids.is_empty() {
        return Vec::new();
    }
    let blocks = ids.len().div_ceil(IDS_PER_BLOCK).next_power_of_two().min(MAX_BLOCKS);
    let mut filter = vec![0; blocks * BLOCK];
    for id in ids {
        let start = id.block(blocks as u32) as usize * BLOCK;
        id.bits().for_each(|(byte, bit)| filter[start + byte] |= bit);
    }
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(from: u64, count: u64) -> Vec<IdHash> {
        (from..from + count).map(|number| IdHash::of(&u128::from(number).to_be_bytes())).collect()
    }

    fn holds(filter: &[u8], id: IdHash) -> bool {
        let start = id.block((filter.len() / BLOCK) as u32) as usize * BLOCK;
        id.is_in(&filter[start..start + BLOCK])
    }

    #[test]
    fn a_filter_has_a_power_of_two_of_blocks_for_at_most_24_ids_each() {
        for (count, blocks) in [(0, 0), (1, 1), (24, 1), (25, 2), (48, 2), (49, 4), (500, 32), (768, 32), (769, 64)] {
            assert_eq!(filter(&ids(0, count)).len(), blocks * BLOCK, "{count}");
        }
    }

    #[test]
    fn every_id_is_found_and_one_other_in_a_hundred_at_most_where_the_filter_is_as_full_as_it_may_be() {
        const PROBES: u64 = 100_000;
        for count in [24, 768, 24_576] {
            let inside = ids(0, count);
            let filter = filter(&inside);
            assert!(inside.iter().all(|id| holds(&filter, *id)), "{count}");
            let found = ids(1 << 40, PROBES).into_iter().filter(|id| holds(&filter, *id)).count();
            assert!(found <= 1_100, "{count}: {found} of {PROBES}");
        }
    }

    #[test]
    fn an_id_sets_one_bit_of_each_word() {
        let filter = filter(&[IdHash(0x8000_0000_0000_0001)]);
        let words: Vec<_> = filter.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        // With the low half 1, the bit is the upper five bits of the salt.
        assert_eq!(words, SALTS.map(|salt| 1 << (salt >> 27)));
    }

    #[test]
    fn the_upper_half_chooses_the_block() {
        for (hash, blocks, block) in
            [(0, 8, 0), (0x1fff_ffff_ffff_ffff, 8, 0), (0x2000_0000_0000_0000, 8, 1), (u64::MAX, 8, 7), (u64::MAX, 1, 0)]
        {
            assert_eq!(IdHash(hash).block(blocks), block, "{hash:x}");
        }
    }

    #[test]
    fn a_hash_is_the_low_half_of_xxh3_128() {
        // The published hash of no bytes is 99aa06d3014798d86001c324468d497f.
        assert_eq!(IdHash::of(b""), IdHash(0x6001_c324_468d_497f));
    }
}
