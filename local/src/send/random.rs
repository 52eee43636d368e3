/// What a stream of numbers is for; streams of one seed don't resemble each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Resource = 1,
    Record,
    TraceId,
    SpanId,
    Tree,
    Invalid,
    Tenant,
    Backoff,
}

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of one thing: the same for the same seed, stream and number.
    pub(crate) fn of(seed: u64, stream: Stream, number: u64) -> Self {
        let seed = Self(seed).next();
        let stream = Self(seed ^ stream as u64).next();
        Self(Self(stream ^ number).next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        #[allow(clippy::cast_possible_truncation, reason = "the high half of a product is 64 bits")]
        let scaled = ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64;
        scaled
    }

    /// A number from `low` up to and without `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low))
    }

    /// A fraction from 0 up to and without 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
        let mantissa = (self.next() >> 11) as f64;
        mantissa / 9_007_199_254_740_992.0
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: f64) -> bool {
        self.fraction() * 100.0 < percent
    }

    /// One of the choices, which must not be empty.
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, choices: &[T; N]) -> T {
        const { assert!(N > 0) };
        choices[index(self.below(N as u64))]
    }

    /// `N` bytes that aren't all zero.
    pub(crate) fn id<const N: usize>(&mut self) -> Vec<u8> {
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| self.next().to_be_bytes()).flatten().take(N).collect();
        if let Some(last) = bytes.last_mut() {
            *last |= 1;
        }
        bytes
    }
}

/// A number below a length, as an index.
pub(crate) fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // The published sequence for the state 1234567.
        let mut random = Random(1_234_567);
        let numbers: Vec<u64> = std::iter::repeat_with(|| random.next()).take(3).collect();
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_its_ends() {
        let mut random = Random::of(1, Stream::Record, 0);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[index(random.below(5))] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_chance_comes_about_as_often_as_it_says() {
        let mut random = Random::of(7, Stream::Invalid, 0);
        let hits = (0..10_000).filter(|_| random.chance(10.0)).count();
        assert!((850..1_150).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| random.chance(100.0) && !random.chance(0.0)));
    }

    #[test]
    fn seed_stream_and_number_each_change_the_numbers() {
        let first = |seed, stream, number| Random::of(seed, stream, number).next();
        let one = first(1, Stream::Record, 1);
        assert_eq!(one, first(1, Stream::Record, 1));
        for other in [first(2, Stream::Record, 1), first(1, Stream::Tenant, 1), first(1, Stream::Record, 2)] {
            assert_ne!(one, other);
        }
    }
}
