use icegate_shift::{Round, RoundEnd};
use serde_json::{Value, json};

/// Some tables were not shifted; whoever asked has to ask again.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct Unfinished(Vec<String>);

impl Unfinished {
    pub(crate) fn of(rounds: &[Round]) -> Self {
        Self(rounds.iter().filter(|round| round.is_failure()).map(|round| format!("{}: {round}", round.table)).collect())
    }
}

/// What a round did, for whoever invoked it.
pub(crate) fn report(rounds: &[Round]) -> Value {
    let tables: Vec<_> = rounds.iter().map(of_table).collect();
    json!({ "tables": tables })
}

fn of_table(round: &Round) -> Value {
    let end = match &round.end {
        RoundEnd::Done => "done",
        RoundEnd::Others => "others",
        RoundEnd::TimeUp => "time is up",
        RoundEnd::Failed(_) => "failed",
    };
    json!({
        "table": round.table.name(), "segments": round.segments, "rows": round.rows, "passes": round.passes, "left": round.left,
        "end": end,
    })
}
