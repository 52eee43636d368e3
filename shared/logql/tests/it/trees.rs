//! Any tree prints as text that reads back equal.

use icegate_logql::ast::{
    Aggregation, BinaryOp, Comparison, Expr, Grouping, LabelFilter, LineFilter, LineOp, LineTerm, LogRange, MatchOp, Matcher,
    Matching, MetricExpr, MetricKind, Modifier, RangeAggregation, RangeOp, Selector, Stage, StageKind, VectorAggregation,
};
use icegate_logql::parse;
use icegate_syntax::Place;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    "[a-z_]{1,3}".prop_map(|name| format!("{name}_x"))
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let op = prop_oneof![Just(MatchOp::Equal), Just(MatchOp::NotEqual)];
    (name(), op, "\\PC{0,6}").prop_map(|(name, op, value)| Matcher { name, op, value, place: Place::default() })
}

fn label_filter() -> impl Strategy<Value = LabelFilter> {
    let comparison = prop_oneof![
        Just(Comparison::Equal),
        Just(Comparison::NotEqual),
        Just(Comparison::Less),
        Just(Comparison::GreaterOrEqual)
    ];
    let place = Place::default();
    let leaf = prop_oneof![
        matcher().prop_map(LabelFilter::Text),
        (name(), comparison.clone(), -1e9..1e9_f64).prop_map(move |(name, op, value)| LabelFilter::Number {
            name,
            op,
            value,
            place
        }),
        (name(), comparison.clone(), any::<i32>()).prop_map(move |(name, op, nanos)| LabelFilter::Duration {
            name,
            op,
            nanos: i64::from(nanos) * 1_003,
            place
        }),
        (name(), comparison, any::<u32>()).prop_map(move |(name, op, size)| LabelFilter::Bytes {
            name,
            op,
            size: u64::from(size),
            place
        }),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| LabelFilter::And(Box::new(left), Box::new(right))),
            (inner.clone(), inner).prop_map(|(left, right)| LabelFilter::Or(Box::new(left), Box::new(right))),
        ]
    })
}

fn stage() -> impl Strategy<Value = Stage> {
    let op = prop_oneof![Just(LineOp::Contains), Just(LineOp::NotContains)];
    let terms = proptest::collection::vec("\\PC{0,6}".prop_map(LineTerm::Text), 1..3);
    let kind = prop_oneof![
        (op, terms).prop_map(|(op, terms)| StageKind::Line(LineFilter { op, terms })),
        label_filter().prop_map(StageKind::Label),
        Just(StageKind::Unpack),
        // What opens an action would have to be a whole one.
        "[\\PC--{]{0,6}".prop_map(StageKind::LineFormat),
    ];
    kind.prop_map(|kind| Stage { kind, place: Place::default() })
}

fn range() -> impl Strategy<Value = LogRange> {
    let matchers = proptest::collection::vec(matcher(), 1..3);
    (matchers, proptest::collection::vec(stage(), 0..3), 1..100_000_i64, -5_000..5_000_i64).prop_map(
        |(matchers, stages, millis, offset)| LogRange {
            selector: Selector { matchers, place: Place::default() },
            stages,
            unwrap: None,
            nanos: millis * 1_000_000,
            offset: offset * 1_000_000,
        },
    )
}

fn metric() -> impl Strategy<Value = MetricExpr> {
    let node = |kind| MetricExpr { kind, place: Place::default() };
    let leaf = prop_oneof![
        (0.0..1e6_f64).prop_map(MetricKind::Vector),
        range().prop_map(|range| MetricKind::Range(RangeAggregation { op: RangeOp::Rate, param: None, range, grouping: None })),
    ]
    .prop_map(node);
    let grouping = proptest::option::of(
        (any::<bool>(), proptest::collection::vec(name(), 0..3)).prop_map(|(without, labels)| Grouping { without, labels }),
    )
    .boxed();
    let matching =
        proptest::option::of((any::<bool>(), proptest::collection::vec(name(), 0..3)).prop_map(|(on, labels)| Matching {
            on,
            labels,
            group: None,
        }))
        .boxed();
    leaf.prop_recursive(3, 8, 2, move |inner| {
        let op = proptest::sample::select(BinaryOp::ALL);
        prop_oneof![
            (grouping.clone(), inner.clone()).prop_map(|(grouping, inner)| {
                MetricKind::Vectors(VectorAggregation { op: Aggregation::Sum, param: None, grouping, inner: Box::new(inner) })
            }),
            (op, any::<bool>(), matching.clone(), inner.clone(), inner).prop_map(|(op, bool, matching, left, right)| {
                let modifier = Modifier { bool, matching };
                MetricKind::Binary { op, modifier, left: Box::new(left), right: Box::new(right) }
            }),
        ]
        .prop_map(node)
    })
}

proptest! {
    #[test]
    fn a_printed_tree_reads_back_equal(metric in metric()) {
        let tree = Expr::Metric(metric);
        let printed = tree.to_string();
        let read = parse(&printed);
        prop_assert_eq!(read.unwrap_or_else(|error| panic!("{printed}: {error}")), tree);
    }

    #[test]
    fn reading_any_text_never_panics(text in "[{}()\\[\\]a-z=~!|<>\"`5.,^+*/ #\\\\-]{0,40}") {
        let _ = parse(&text);
    }
}
