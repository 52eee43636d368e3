//! Any tree prints as text that reads back equal, and any text is read or refused.

use icegate_syntax::Place;
use icegate_traceql::ast::{
    Aggregate, AggregateOp, BinaryOp, Comparison, Expr, Field, FieldExpr, FieldKind, Intrinsic, MathOp, MetricsExpr,
    MetricsFunction, MetricsQuery, Pipeline, Query, Scope, SecondStage, SpansetExpr, SpansetOp, Stage, UnaryOp,
};
use icegate_traceql::{Kind, Search, SearchOptions, Status, Value, parse, plan};
use proptest::prelude::*;

fn node(kind: FieldKind) -> FieldExpr {
    FieldExpr { kind, place: Place::default() }
}

fn attribute() -> impl Strategy<Value = Field> {
    let scope = proptest::option::of(proptest::sample::select(Scope::ALL.to_vec()));
    (scope, "[a-z.]{1,4}|\\PC{1,6}|[\"\\\\ {}|-]{1,3}").prop_map(|(scope, name)| Field::attribute(scope, name))
}

fn number() -> impl Strategy<Value = FieldExpr> {
    let intrinsics = Intrinsic::all().filter(|intrinsic| intrinsic.is_of_trace() && !intrinsic.name(false).starts_with("root"));
    let leaf = prop_oneof![
        (0..i64::MAX).prop_map(|value| node(FieldKind::Value(Value::Int(value)))),
        Just(node(FieldKind::Value(Value::Int(i64::MIN)))),
        (0.0..1e30_f64).prop_map(|value| node(FieldKind::Value(Value::Float(value)))),
        (0..i64::MAX).prop_map(|value| node(FieldKind::Value(Value::Duration(value)))),
        attribute().prop_map(|field| node(FieldKind::Field(field))),
        (proptest::sample::select(intrinsics.collect::<Vec<_>>()), any::<bool>()).prop_map(|(intrinsic, scoped)| {
            // What has one form is written in it.
            let scoped = if scoped { intrinsic.name(true) } else { intrinsic.name(false) }.contains(':');
            node(FieldKind::Field(Field::Intrinsic(intrinsic, scoped)))
        }),
    ];
    let ops = vec![BinaryOp::Add, BinaryOp::Subtract, BinaryOp::Multiply, BinaryOp::Divide, BinaryOp::Modulo, BinaryOp::Power];
    leaf.prop_recursive(4, 16, 2, move |inner| {
        prop_oneof![
            (proptest::sample::select(ops.clone()), inner.clone(), inner.clone())
                .prop_map(|(op, left, right)| node(FieldKind::Binary(op, Box::new(left), Box::new(right)))),
            inner.prop_map(|inner| node(FieldKind::Unary(UnaryOp::Negate, Box::new(inner)))),
        ]
    })
}

fn condition() -> impl Strategy<Value = FieldExpr> {
    let comparisons = || proptest::sample::select(Comparison::ALL.to_vec());
    let binary = |op, left, right| node(FieldKind::Binary(op, Box::new(left), Box::new(right)));
    let value = |value| node(FieldKind::Value(value));
    let leaf = prop_oneof![
        any::<bool>().prop_map(move |truth| value(Value::Bool(truth))),
        (comparisons(), number(), number()).prop_map(move |(op, left, right)| binary(op.operator(), left, right)),
        (comparisons(), attribute(), "\\PC{0,6}").prop_map(move |(op, field, text)| binary(
            op.operator(),
            node(FieldKind::Field(field)),
            value(Value::text(text))
        )),
        (any::<bool>(), attribute(), "[a-z.*|]{0,6}").prop_filter_map(
            "an expression that isn't one",
            move |(not, field, text)| {
                let op = if not { BinaryOp::NotMatches } else { BinaryOp::Matches };
                let expr = binary(op, node(FieldKind::Field(field)), value(Value::text(text)));
                parse(&format!("{{ {expr} }}")).is_ok().then_some(expr)
            }
        ),
        attribute().prop_map(move |field| binary(BinaryOp::Equal, node(FieldKind::Field(field)), value(Value::Nil))),
        proptest::sample::select(Status::ALL.to_vec()).prop_map(move |status| binary(
            BinaryOp::NotEqual,
            value(Value::Status(status)),
            node(FieldKind::Field(Field::Intrinsic(Intrinsic::Status, true)))
        )),
        proptest::sample::select(Kind::ALL.to_vec()).prop_map(move |kind| binary(
            BinaryOp::Equal,
            node(FieldKind::Field(Field::Intrinsic(Intrinsic::Kind, false))),
            value(Value::Kind(kind))
        )),
    ];
    leaf.prop_recursive(3, 12, 2, move |inner| {
        prop_oneof![
            (any::<bool>(), inner.clone(), inner.clone()).prop_map(move |(and, left, right)| binary(
                if and { BinaryOp::And } else { BinaryOp::Or },
                left,
                right
            )),
            inner.prop_map(|inner| node(FieldKind::Unary(UnaryOp::Not, Box::new(inner)))),
        ]
    })
}

fn aggregate() -> impl Strategy<Value = Stage> {
    (
        proptest::sample::select(AggregateOp::ALL.to_vec()),
        attribute(),
        proptest::sample::select(Comparison::ALL.to_vec()),
        any::<i32>(),
    )
        .prop_map(|(op, field, comparison, value)| {
            let field = (op != AggregateOp::Count).then(|| node(FieldKind::Field(field)));
            Stage::Aggregate(Aggregate { op, field, comparison, value: Value::Int(value.into()) })
        })
}

fn spanset() -> impl Strategy<Value = SpansetExpr> {
    let wrapped = (condition(), aggregate())
        .prop_map(|(filter, aggregate)| Pipeline { stages: vec![Stage::Spanset(SpansetExpr::Filter(filter)), aggregate] });
    let leaf = prop_oneof![
        4 => condition().prop_map(SpansetExpr::Filter),
        1 => wrapped.prop_map(|pipeline| SpansetExpr::Wrapped(Box::new(pipeline))),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        (proptest::sample::select(SpansetOp::ALL.to_vec()), inner.clone(), inner)
            .prop_map(|(op, left, right)| SpansetExpr::Binary(op, Box::new(left), Box::new(right)))
    })
}

fn pipeline() -> impl Strategy<Value = Pipeline> {
    let stage = prop_oneof![
        spanset().prop_map(Stage::Spanset),
        aggregate(),
        attribute().prop_map(|field| Stage::By(node(FieldKind::Field(field)))),
        Just(Stage::Coalesce),
        proptest::collection::vec(attribute(), 1..4).prop_map(Stage::Select),
    ];
    (spanset(), proptest::collection::vec(stage, 0..4))
        .prop_map(|(first, rest)| Pipeline { stages: std::iter::once(Stage::Spanset(first)).chain(rest).collect() })
}

fn metrics() -> impl Strategy<Value = MetricsExpr> {
    let function = prop_oneof![
        Just(MetricsFunction::Rate),
        attribute().prop_map(MetricsFunction::MaxOverTime),
        (attribute(), proptest::collection::vec(0.0..1.0_f64, 1..3))
            .prop_map(|(field, quantiles)| MetricsFunction::QuantileOverTime(field, quantiles)),
    ];
    let leaf = (pipeline(), function, proptest::collection::vec(attribute(), 0..3))
        .prop_map(|(pipeline, function, by)| MetricsExpr::Leaf(Box::new(MetricsQuery { pipeline, function, by })));
    let stage = prop_oneof![
        (1..9_usize).prop_map(SecondStage::TopK),
        (1..9_usize).prop_map(SecondStage::BottomK),
        (proptest::sample::select(Comparison::ALL.to_vec()), any::<i32>())
            .prop_map(|(op, value)| SecondStage::Filter(op, Value::Int(value.into()))),
    ];
    let op = proptest::sample::select(vec![MathOp::Add, MathOp::Subtract, MathOp::Multiply, MathOp::Divide]);
    leaf.prop_recursive(3, 6, 2, move |inner| {
        let stages = proptest::collection::vec(stage.clone(), 1..3);
        prop_oneof![
            (op.clone(), inner.clone(), inner.clone()).prop_map(|(op, left, right)| MetricsExpr::Binary(
                op,
                Box::new(left),
                Box::new(right)
            )),
            (op.clone(), inner.clone(), any::<i32>(), any::<bool>()).prop_map(|(op, inner, number, swapped)| {
                let number = Box::new(MetricsExpr::Scalar(Value::Int(number.into())));
                let inner = Box::new(inner);
                if swapped { MetricsExpr::Binary(op, number, inner) } else { MetricsExpr::Binary(op, inner, number) }
            }),
            (inner, stages).prop_map(|(inner, mut stages)| match inner {
                MetricsExpr::Staged(inner, mut earlier) => {
                    earlier.append(&mut stages);
                    MetricsExpr::Staged(inner, earlier)
                }
                inner => MetricsExpr::Staged(Box::new(inner), stages),
            }),
        ]
    })
}

fn hints() -> impl Strategy<Value = Vec<(String, Value)>> {
    proptest::collection::vec(("[a-z_]{1,8}", any::<i32>().prop_map(|value| Value::Int(value.into()))), 0..2)
}

fn reads_back(query: &Query) -> Result<(), TestCaseError> {
    let printed = query.to_string();
    match parse(&printed) {
        Ok(tree) => prop_assert_eq!(&tree, query, "{}", printed),
        // What no text says otherwise can still be refused for its length or meaning.
        Err(error) => prop_assert!(error.to_string().contains("allowed are"), "{}: {}", printed, error),
    }
    prop_assert_eq!(plan(query).len(), query.pipelines().len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_search_reads_back_equal(pipeline in pipeline(), hints in hints()) {
        let query = Query { expr: Expr::Search(pipeline), hints };
        reads_back(&query)?;
        Search::new(&query, SearchOptions { limit: 1, spans: 1, window: None }).unwrap();
    }

    #[test]
    fn any_metrics_query_reads_back_equal(metrics in metrics(), hints in hints()) {
        reads_back(&Query { expr: Expr::Metrics(metrics), hints })?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_words_of_the_language_are_read_or_refused(words in proptest::collection::vec(proptest::sample::select(vec![
        "{", "}", "(", ")", "|", "||", "&&", "=", "!=", "=~", "!~", ">", ">>", "&>>", "!<", "~", "!", "-", "+", "*", "/", "%", "^", ",", "1", "1.5",
        "1h", "\"x\"", "true", "nil", "error", "server", ".a", "span.a", "span:name", "name", "duration", "count(", "avg(", "by(", "select(",
        "coalesce(", "rate(", "quantile_over_time(", "compare(", "topk(", "with(", "sample", "parent",
    ]), 0..30)) {
        let text = words.join(" ");
        if let Ok(tree) = parse(&text) {
            let printed = tree.to_string();
            prop_assert_eq!(parse(&printed), Ok(tree), "{} prints as {}", text, printed);
        }
    }
}
