use icegate_shift::{SweepEnd, Swept};
use serde_json::{Value, json};

/// Some tables were not shifted; whoever asked has to ask again.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct Unfinished(Vec<String>);

impl Unfinished {
    pub(crate) fn of(swept: &[Swept]) -> Self {
        Self(swept.iter().filter(|swept| swept.is_failure()).map(|swept| format!("{}: {swept}", swept.table)).collect())
    }
}

/// What a sweep did, for whoever invoked it.
pub(crate) fn report(swept: &[Swept]) -> Value {
    let tables: Vec<_> = swept.iter().map(of_table).collect();
    json!({ "tables": tables })
}

fn of_table(swept: &Swept) -> Value {
    let end = match &swept.end {
        SweepEnd::Done => "done",
        SweepEnd::Others => "others",
        SweepEnd::TimeUp => "time is up",
        SweepEnd::Failed(_) => "failed",
    };
    json!({
        "table": swept.table.name(), "segments": swept.segments, "rows": swept.rows, "passes": swept.passes, "left": swept.left,
        "end": end,
    })
}
