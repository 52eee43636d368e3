//! Made-up expressions: they never panic, and a range of steps has at each of them what an instant has.

use std::collections::BTreeMap;
use std::sync::Arc;

use icegate_promql::{
    Answer, Bucket, EvalOptions, FloatPoint, Histogram, HistogramPoint, Limits, MemoryStorage, ParseOptions, Query, STALE_BITS,
    Samples, Steps, Value, evaluate, parse,
};
use icegate_series::Labels;
use proptest::prelude::*;

/// A counter with a reset, a gauge with a hole and its end marked, numbers that aren't, histograms.
fn storage() -> MemoryStorage {
    let mut storage = MemoryStorage::default();
    let floats: [fn(i64) -> Option<f64>; 3] = [
        |step| Some(if step < 17 { step as f64 * 3.0 } else { (step - 17) as f64 }),
        |step| match step {
            8..14 => None,
            30 => Some(f64::from_bits(STALE_BITS)),
            31.. => None,
            _ => Some((step * 7 % 11) as f64 - 5.0),
        },
        |step| Some([f64::NAN, f64::INFINITY, -0.0, 1e10][usize::try_from(step % 4).unwrap()]),
    ];
    for (index, value) in floats.iter().enumerate() {
        let point = |step: i64| value(step).map(|value| FloatPoint { at: step * 2_000, start: 0, value });
        let floats = (0..40).filter_map(point).collect();
        storage.append(labels(index), Samples { floats, histograms: Vec::new() });
    }
    let histogram = |step: i64| {
        let count = step as f64;
        let bucket = |index, count| Bucket { index, count };
        let positive = vec![bucket(1, count * 0.5 + 1.0), bucket(3, count * 0.5 + 1.0)];
        Arc::new(Histogram { schema: 1, count: count + 2.0, sum: count * 2.0, positive, ..Histogram::default() })
    };
    let histograms = (0..40).map(|step| HistogramPoint { at: step * 2_000, start: 0, value: histogram(step) }).collect();
    storage.append(labels(3), Samples { floats: Vec::new(), histograms });
    storage
}

fn labels(index: usize) -> Labels {
    Labels::from_pairs([("__name__", "a".to_owned()), ("i", index.to_string()), ("le", ["1", "+Inf"][index % 2].to_owned())])
}

/// The values of each series at each time; of a histogram its text.
fn values(answer: &Answer) -> BTreeMap<(String, i64), Result<f64, String>> {
    match answer {
        Answer::Scalar { at, value } => BTreeMap::from([(("{}".to_owned(), *at), Ok(*value))]),
        Answer::String { .. } => BTreeMap::new(),
        Answer::Vector(samples) => {
            let value = |value: &Value| match value {
                Value::Float(value) => Ok(*value),
                Value::Histogram(histogram) => Err(histogram.to_string()),
            };
            samples.iter().map(|sample| ((sample.labels.to_string(), sample.at), value(&sample.value))).collect()
        }
        Answer::Matrix(matrix) => {
            let of_series = |series: &icegate_promql::MatrixSeries| {
                let name = series.labels.to_string();
                let floats = series.floats.iter().map(|(at, value)| (*at, Ok(*value)));
                let histograms = series.histograms.iter().map(|(at, value)| (*at, Err(value.to_string())));
                floats.chain(histograms).map(|(at, value)| ((name.clone(), at), value)).collect::<Vec<_>>()
            };
            matrix.iter().flat_map(of_series).collect()
        }
    }
}

/// Equal up to what another order of additions rounds.
fn is_same(a: &Result<f64, String>, b: &Result<f64, String>) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * (a.abs() + b.abs()).max(1e-9),
        (a, b) => a == b,
    }
}

/// Expressions, most of them well typed.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("a{i=~\"[12].*\"}".to_owned()),
        Just("a offset 30s".to_owned()),
        Just("a @ 20".to_owned()),
        Just("2".to_owned()),
        Just("time()".to_owned()),
        Just("nothing".to_owned()),
    ];
    let inner = leaf.prop_recursive(5, 40, 3, |inner| {
        let functions = prop::sample::select(vec![
            "rate",
            "increase",
            "delta",
            "irate",
            "changes",
            "resets",
            "sum_over_time",
            "avg_over_time",
            "stddev_over_time",
            "deriv",
            "last_over_time",
            "absent_over_time",
            "ts_of_max_over_time",
            "mad_over_time",
        ]);
        let aggregations = prop::sample::select(vec![
            "sum",
            "avg by (i)",
            "count without (i)",
            "quantile(0.5,",
            "count_values(\"v\",",
            "stdvar",
        ]);
        let operators = prop::sample::select(vec![
            "+",
            "-",
            "/",
            "%",
            "^",
            "> bool",
            "<",
            "==",
            "and",
            "or",
            "unless",
            "* on (i) group_left ()",
            "+ ignoring (le) fill (1)",
            "</",
        ]);
        let maps = prop::sample::select(vec!["abs", "round", "year", "absent", "timestamp", "histogram_count", "info", "scalar"]);
        prop_oneof![
            (functions, inner.clone()).prop_map(|(name, inner)| format!("{name}(({inner})[40s:10s])")),
            (aggregations, inner.clone()).prop_map(|(name, inner)| match name.strip_suffix(',') {
                Some(_) => format!("{name} {inner})"),
                None => format!("{name} ({inner})"),
            }),
            (operators, inner.clone(), inner.clone()).prop_map(|(op, left, right)| format!("({left}) {op} ({right})")),
            (maps, inner.clone()).prop_map(|(name, inner)| format!("{name}({inner})")),
            inner.clone().prop_map(|inner| format!("histogram_quantile(0.9, {inner})")),
            inner.prop_map(|inner| format!("-({inner})")),
        ]
    });
    // An instant has an order and a range has not; what rests on it, like `limitk`, isn't compared.
    prop_oneof![3 => inner.clone(), 1 => inner.prop_map(|inner| format!("sort({inner})"))]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_range_has_at_each_step_what_an_instant_has(text in expression(), delayed_name_removal in any::<bool>()) {
        let Ok(expr) = parse(&text, ParseOptions::all()) else { return Ok(()) };
        prop_assert_eq!(&parse(&expr.to_string(), ParseOptions::all()).unwrap(), &expr);
        let storage = storage();
        let options = EvalOptions { delayed_name_removal, lookback: 5_000, ..EvalOptions::default() };
        let query = |steps| Query { text: &text, expr: &expr, steps, options, limits: Limits::default(), is_canceled: None };
        let Ok(range) = evaluate(&query(Steps::Range { start: 10_000, end: 80_000, step: 7_000 }), &storage) else { return Ok(()) };
        let mut instants = BTreeMap::new();
        for at in (10_000..=80_000).step_by(7_000) {
            let instant = evaluate(&query(Steps::Instant(at)), &storage);
            prop_assert!(instant.is_ok(), "{text} at {at}: {instant:?}");
            instants.extend(values(&instant.unwrap().answer));
        }
        let range = values(&range.answer);
        prop_assert!(range.keys().eq(instants.keys()), "{text}: {range:?} {instants:?}");
        for ((series, value), other) in range.iter().zip(instants.values()) {
            prop_assert!(is_same(value, other), "{text}: {series:?} {value:?} {other:?}");
        }
    }
}
