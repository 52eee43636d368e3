//! Queries that want too much, and texts that are none.

use std::sync::atomic::{AtomicUsize, Ordering};

use icegate_model::ErrorKind;
use icegate_promql::{
    EvalOptions, Evaluated, Expr, FloatPoint, Limits, MemoryStorage, ParseOptions, PromqlError, Query, Samples, Steps, evaluate,
    format_query, parse, parse_tree,
};
use icegate_series::Labels;
use proptest::prelude::*;

fn storage(series: i64, samples: i64) -> MemoryStorage {
    let mut storage = MemoryStorage::default();
    for index in 0..series {
        let labels = Labels::from_pairs([("__name__", "a".to_owned()), ("i", index.to_string()), ("le", "1".to_owned())]);
        let floats = (0..samples).map(|at| FloatPoint { at: at * 1_000, start: 0, value: 1.0 }).collect();
        storage.append(labels, Samples { floats, histograms: Vec::new() });
    }
    storage
}

fn query<'a>(text: &'a str, expr: &'a Expr, limits: Limits) -> Query<'a> {
    let steps = Steps::Range { start: 0, end: 60_000, step: 10_000 };
    Query { text, expr, steps, options: EvalOptions::default(), limits, is_canceled: None }
}

fn answer(text: &str, limits: Limits) -> Result<Evaluated, PromqlError> {
    let expr = parse(text, ParseOptions::all())?;
    evaluate(&query(text, &expr, limits), &storage(20, 60))
}

#[test]
fn deep_nesting_is_refused_with_the_limit_whatever_it_is_made_of() {
    for text in [
        "(".repeat(10_000) + "1" + &")".repeat(10_000),
        "-".repeat(10_000) + "a",
        "a+".repeat(10_000) + "a",
        "a^".repeat(10_000) + "a",
        "abs(".repeat(10_000) + "a" + &")".repeat(10_000),
        "sum(".repeat(10_000) + "a" + &")".repeat(10_000),
        "a".to_owned() + &"[1m:1m]".repeat(10_000),
        "a[".to_owned() + &"(".repeat(10_000) + "1" + &")".repeat(10_000) + "]",
        "a[".to_owned() + &"1+".repeat(10_000) + "1]",
        "a[".to_owned() + &"-".repeat(10_000) + "1]",
        "a offset ".to_owned() + &"min_of(1,".repeat(10_000) + "1" + &")".repeat(10_000),
    ] {
        let error = parse(&text, ParseOptions::all()).unwrap_err();
        assert!(error.to_string().ends_with("levels deep") && error.to_string().contains("query is nested more than"), "{error}");
    }
}

#[test]
fn nesting_just_below_the_limit_is_read_printed_and_evaluated() {
    let chain = "a+".repeat(100) + "a";
    for text in [
        "(".repeat(98) + "a" + &")".repeat(98),
        "-".repeat(98) + "a",
        "max_over_time(".repeat(98) + "a" + &"[1m:10s])".repeat(98),
        "sum(".repeat(98) + &chain + &")".repeat(98),
        "max_over_time((".repeat(48) + &chain + &")[1m:10s])".repeat(48),
        chain,
    ] {
        let expr = parse(&text, ParseOptions::all()).unwrap();
        assert_eq!(parse(&expr.to_string(), ParseOptions::all()).unwrap(), expr);
        assert!(!format_query(&expr).is_empty());
        assert!(parse_tree(&expr).is_ok());
        let answer = evaluate(&query(&text, &expr, Limits::default()), &storage(1, 60));
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_with_the_limit() {
    let error = parse(&" ".repeat((1 << 20) + 1), ParseOptions::all()).unwrap_err();
    assert_eq!(error.to_string(), "query of 1048577 bytes is too long, allowed are 1048576");
    let error = parse(&"a ".repeat(300_000), ParseOptions::all()).unwrap_err();
    assert!(error.to_string().contains("unexpected identifier") || error.to_string().contains("tokens"), "{error}");
}

#[test]
fn a_huge_regular_expression_is_refused_with_the_limit() {
    for pattern in ["(((x{1,900}){1,900}){1,900})", &"(a|b){1000}".repeat(200)] {
        let error = parse(&format!("a{{b=~\"{pattern}\"}}"), ParseOptions::all()).unwrap_err();
        assert!(error.to_string().contains("error parsing regexp: expression needs more than 4194304 bytes"), "{error}");
    }
}

#[test]
fn what_holds_too_much_is_refused_with_the_limit() {
    let small = Limits { samples: 100, ..Limits::default() };
    assert_eq!(
        answer("a", small).unwrap_err().to_string(),
        "query processing would load too many samples into memory in query execution"
    );
    assert_eq!(answer("sum(a)", Limits { samples: 200, ..small }).unwrap().warnings, Vec::<String>::new());
    let bytes = Limits { bytes: 6_000, ..Limits::default() };
    assert_eq!(
        answer("a and a", bytes).unwrap_err().to_string(),
        "query holds more than 6000 bytes of series, windows and results at once"
    );
    for text in ["max_over_time(a[100y:1ms])", "sum_over_time(vector(1)[9e9:1ms])", "count_over_time(a[290y:1s])"] {
        assert_eq!(answer(text, Limits::default()).unwrap_err().kind(), ErrorKind::LimitExceeded, "{text}");
    }
    assert!(answer("a", Limits { points: 6, ..Limits::default() }).is_ok());
    let points = Limits { points: 5, ..Limits::default() };
    let error = answer("a", points).unwrap_err();
    assert!(error.to_string().starts_with("exceeded maximum resolution of 5 points per timeseries."), "{error}");
}

#[test]
fn a_query_gives_up_when_it_is_canceled() {
    let text = "sum(a)";
    let expr = parse(text, ParseOptions::all()).unwrap();
    let asked = AtomicUsize::new(0);
    let is_canceled = || {
        asked.fetch_add(1, Ordering::Relaxed);
        true
    };
    let canceled = Query { is_canceled: Some(&is_canceled), ..query(text, &expr, Limits::default()) };
    let error = evaluate(&canceled, &storage(200, 10)).unwrap_err();
    assert_eq!(error.to_string(), "query was canceled in expression evaluation");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Parts of queries, right and wrong ones.
const PARTS: [&str; 64] = [
    "a",
    "b:c",
    "1",
    "0x1f",
    "1e3",
    "1h",
    "5m",
    "inf",
    "\"x\"",
    "'\\xff'",
    "`r`",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "=",
    "=~",
    "!=",
    "!~",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "bool",
    "<",
    ">=",
    "</",
    ">/",
    "and",
    "or",
    "unless",
    "atan2",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "fill",
    "offset",
    "@",
    "start()",
    "end()",
    "step()",
    "range()",
    "min_of",
    "sum",
    "topk",
    "count_values",
    "rate",
    "abs",
    "histogram_quantile",
    "label_replace",
    "anchored",
    "smoothed",
    "info",
    "#",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        if let Ok(expr) = parse(&text, ParseOptions::all()) {
            prop_assert_eq!(parse(&expr.to_string(), ParseOptions::all()).unwrap(), expr);
        }
    }

    #[test]
    fn any_order_of_parts_is_read_or_refused_and_what_is_read_reads_back(
        parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..14), blank in prop::sample::select(vec!["", " ", "\n"])
    ) {
        let text = parts.join(blank);
        match parse(&text, ParseOptions::all()) {
            Ok(expr) => {
                prop_assert_eq!(&parse(&expr.to_string(), ParseOptions::all()).unwrap(), &expr);
                prop_assert_eq!(&parse(&format_query(&expr), ParseOptions::all()).unwrap(), &expr);
                let _ = answer(&text, Limits::default());
            }
            Err(error) => prop_assert!(error.span().is_none_or(|span| span.start <= text.len())),
        }
    }
}
