//! What queries mean: `tests/eval/*.test`.

use super::script;

#[test]
fn scripts_answer_as_they_say() {
    let mut failures = Vec::new();
    for (name, text) in [
        ("fields", include_str!("../eval/fields.test")),
        ("operators", include_str!("../eval/operators.test")),
        ("parts", include_str!("../eval/parts.test")),
        ("structure", include_str!("../eval/structure.test")),
        ("pipelines", include_str!("../eval/pipelines.test")),
        ("metrics", include_str!("../eval/metrics.test")),
        ("math", include_str!("../eval/math.test")),
        ("compare", include_str!("../eval/compare.test")),
    ] {
        failures.extend(script::run(name, text));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
