//! What is said of queries that fail.

use icegate_traceql::{Metrics, MetricsLimits, MetricsOptions, Search, SearchOptions, TraceqlError, parse};

use super::{corpus, directory, recorded};

#[test]
fn errors_read_as_recorded() {
    let Some(directory) = directory("errors") else { return };
    let Some(traces) = corpus::traces(&directory) else { return };
    let search = |query: &str| -> Result<(), TraceqlError> {
        let mut search = Search::new(&parse(query)?, SearchOptions { limit: 20, spans: 3, window: None })?;
        traces.iter().try_for_each(|trace| search.add(trace).map(|_| ()))
    };
    let metrics = |query: &str, start, end| -> Result<(), TraceqlError> {
        let options = MetricsOptions { start, end, step: Some(1), exemplars: 0, limits: MetricsLimits::default() };
        Metrics::new(&parse(query)?, &options).map(|_| ())
    };
    let cases = recorded(&directory);
    for (id, found) in [
        ("r001", search("{ foo }")),
        ("r009", metrics("{}", 0, 1)),
        ("r011", metrics("{} | rate()", 1, 0)),
        ("r020", search("{ parent.foo = 1 }")),
        ("r023", metrics("{} | rate() by (name,kind,status,span.a,span.b,span.c)", 0, 1)),
        ("r024", search("{ span.db.rows / 0 > 1 }")),
        ("r025", search("{ !span.db.rows }")),
    ] {
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let body = case["answer"]["body"].as_str().unwrap().trim_end();
        let error = found.unwrap_err();
        assert_eq!(error.to_string(), body.trim_start_matches("invalid TraceQL query: "), "{id}");
        assert_eq!(error.is_of_evaluation(), case["answer"]["status"] == 500, "{id}");
    }
}
