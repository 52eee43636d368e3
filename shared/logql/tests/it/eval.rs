//! `tests/eval`: what queries answer over rows, in every layout of these.

use super::layouts::{LAYOUTS, load};
use super::script::blocks;

#[tokio::test]
async fn scripts_give_the_answers_that_they_state_in_every_layout() {
    let mut failures = Vec::new();
    for block in blocks() {
        for layout in LAYOUTS {
            let rows = load(&block.rows, layout);
            for eval in &block.evals {
                failures.extend(eval.failure(&rows).await.map(|failure| format!("{} {layout:?}: {failure}", block.file)));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
