use crate::{Call, Dice, Fate, Operation, Trouble, When};

/// How often what goes wrong, in requests of a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// A request fails, before or after its effect.
    pub trouble: u32,
    /// A conditional write is answered 409 or 412 whatever is there; half of them after the effect.
    pub refused: u32,
    /// A body breaks off.
    pub truncated: u32,
    /// A request or its reply takes seconds instead of milliseconds.
    pub stalled: u32,
}

impl Odds {
    /// A request's fate, by dice of its own.
    #[must_use]
    pub fn fate(&self, call: &Call, dice: &mut Dice) -> Fate {
        let when = if dice.chance(500) { When::Before } else { When::After };
        let trouble = *dice.pick(&[Trouble::Reset, Trouble::Internal, Trouble::SlowDown]);
        let refusal = *dice.pick(&[Trouble::Conflict, Trouble::Precondition]);
        let refused = dice.chance(self.refused) && call.operation.is_conditional();
        let troubled = dice.chance(self.trouble);
        let truncated = dice.chance(self.truncated) && matches!(call.operation, Operation::Get | Operation::GetRange);
        let trouble = match (refused, troubled) {
            (true, _) => Some((when, refusal)),
            (_, true) => Some((when, trouble)),
            _ => None,
        };
        Fate { trouble, truncated: truncated && trouble.is_none() }
    }
}
