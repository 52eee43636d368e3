use crate::mixed;

/// Chance that repeats: a sequence of numbers that a seed fixes.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The dice of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: mixed(seed) }
    }

    /// Dice of their own for a part of what the seed decides, whatever else is thrown meanwhile.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        let folded = name.bytes().fold(self.state, |state, byte| mixed(state ^ u64::from(byte)));
        Self { state: mixed(folded) }
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.state)
    }

    /// A number from `low` to `high`, both possible.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        let width = high.saturating_sub(low).saturating_add(1);
        low + self.next() % width
    }

    /// True `permille` times of a thousand.
    pub const fn chance(&mut self, permille: u32) -> bool {
        self.next() % 1_000 < permille as u64
    }

    /// One of several, all equally likely.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        assert!(!choices.is_empty(), "nothing to pick from");
        let last = choices.len() as u64 - 1;
        &choices[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_numbers_again_and_its_parts_others() {
        let throw = |mut dice: Dice| (0..8).map(|_| dice.next()).collect::<Vec<_>>();
        assert_eq!(throw(Dice::new(7)), throw(Dice::new(7)));
        assert_ne!(throw(Dice::new(7)), throw(Dice::new(8)));
        assert_ne!(throw(Dice::new(7).part("a")), throw(Dice::new(7).part("b")));
        assert_ne!(throw(Dice::new(7).part("a")), throw(Dice::new(7)));
    }

    #[test]
    fn numbers_stay_between_their_ends_and_reach_both() {
        let mut dice = Dice::new(1);
        let thrown: std::collections::BTreeSet<_> = (0..200).map(|_| dice.between(3, 6)).collect();
        assert_eq!(thrown, [3, 4, 5, 6].into());
        assert_eq!(dice.between(5, 5), 5);
    }

    #[test]
    fn a_chance_of_a_quarter_comes_about_that_often() {
        let mut dice = Dice::new(2);
        let hits = (0..4_000).filter(|_| dice.chance(250)).count();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert!(!dice.chance(0) && dice.chance(1_000));
    }
}
