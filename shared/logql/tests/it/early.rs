//! Log queries read no further than they need, whatever is estimated of the rows, and answer as if they had read all.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::datasource::{TableProvider, TableType};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use icegate_logql::{Answer, Direction, Limits, LogqlError, OpenRows, QueryParams, Source, evaluate, parse};
use icegate_model::{TimeRange, Timestamp};
use icegate_schema::columns::TIMESTAMP;
use serde_json::{Map, Value, json};

use super::layouts::{LAYOUTS, Loaded, load};

/// Rows with an estimate of their own, that remembers from which time on each scan reads.
#[derive(Debug)]
struct Estimated {
    inner: Arc<dyn TableProvider>,
    rows: usize,
    /// In microseconds.
    span: (i64, i64),
    starts: Arc<Mutex<Vec<i64>>>,
}

#[async_trait]
impl TableProvider for Estimated {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        self.inner.table_type()
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        let bound = |micros| Precision::Inexact(ScalarValue::TimestampMicrosecond(Some(micros), None));
        let of_column = |name: &str| match name {
            TIMESTAMP => ColumnStatistics::new_unknown().with_min_value(bound(self.span.0)).with_max_value(bound(self.span.1)),
            _ => ColumnStatistics::new_unknown(),
        };
        let column_statistics = self.schema().fields().iter().map(|field| of_column(field.name())).collect();
        Some(Statistics { num_rows: Precision::Inexact(self.rows), total_byte_size: Precision::Absent, column_statistics })
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.starts.lock().unwrap().push(filters.iter().filter_map(start).max().unwrap());
        self.inner.scan(state, projection, &[], None).await
    }
}

/// The microsecond that a filter asks for as the first one.
fn start(filter: &Expr) -> Option<i64> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::GtEq, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(ScalarValue::TimestampMicrosecond(micros, _), _))
                if column.name == TIMESTAMP =>
            {
                *micros
            }
            _ => None,
        },
        _ => None,
    }
}

struct Rows {
    inner: Loaded,
    rows: usize,
    span: (i64, i64),
    starts: Arc<Mutex<Vec<i64>>>,
}

#[async_trait]
impl OpenRows for Rows {
    async fn open(&self, range: TimeRange) -> std::result::Result<Source, LogqlError> {
        let Source { session, provider: inner } = self.inner.open(range).await?;
        let provider = Estimated { inner, rows: self.rows, span: self.span, starts: Arc::clone(&self.starts) };
        Ok(Source { session, provider: Arc::new(provider) })
    }
}

fn row(micros: i64, number: i64) -> Map<String, Value> {
    json!({"t": format!("{micros}us"), "service": "a", "body": format!("n={number}")}).as_object().unwrap().clone()
}

async fn lines(query: &str, limit: usize, direction: Direction, rows: &Rows) -> Vec<String> {
    let params = QueryParams {
        start: Timestamp::from_secs(0),
        end: Timestamp::from_secs(1_000),
        step: Duration::from_secs(1),
        interval: Duration::ZERO,
        limit,
        direction,
        now: Timestamp::from_secs(0),
        limits: Limits { points: 1_000, ..Limits::default() },
    };
    match evaluate(&parse(query).unwrap(), &params, rows).await.unwrap() {
        Answer::Streams(streams) => streams.into_iter().flat_map(|stream| stream.entries).map(|entry| entry.line).collect(),
        other => panic!("{other:?}"),
    }
}

const QUERY: &str = r#"{service_name="a"} | logfmt | n >= 0 | keep service_name"#;

/// A row a millisecond, numbered, from 0 s to 20 s.
fn many() -> Rows {
    let rows: Vec<_> = (0..20_000).map(|number| row(number * 1_000, number)).collect();
    Rows { inner: load(&rows, LAYOUTS[0]), rows: rows.len(), span: (0, 19_999_000), starts: Arc::default() }
}

#[tokio::test]
async fn lines_that_are_among_the_newest_are_found_without_reading_the_others() {
    let rows = many();
    assert_eq!(lines(QUERY, 3, Direction::Backward, &rows).await, ["n=19999", "n=19998", "n=19997"]);
    let starts = rows.starts.lock().unwrap().clone();
    // Eight times as many rows as are asked for take 24 ms.
    assert!(starts.len() == 1 && starts[0] > 19_970_000, "{starts:?}");
    assert_eq!(lines(QUERY, 3, Direction::Forward, &rows).await, ["n=0", "n=1", "n=2"]);
    assert_eq!(rows.starts.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn lines_that_are_far_away_take_few_scans_more() {
    for (query, expected, scans) in [
        (r#"{service_name="a"} | logfmt | n < 2 | keep service_name"#, vec!["n=1", "n=0"], 5),
        (r#"{service_name="a"} | logfmt | n < 0"#, vec![], 5),
        (r#"{service_name="a"} | logfmt | n < 19000 | keep service_name"#, vec!["n=18999", "n=18998", "n=18997"], 4),
    ] {
        let rows = many();
        assert_eq!(lines(query, 3, Direction::Backward, &rows).await, expected, "{query}");
        let starts = rows.starts.lock().unwrap().clone();
        assert!(starts.len() <= scans, "{query}: {starts:?}");
    }
}

#[tokio::test]
async fn no_answer_rests_on_what_is_estimated() {
    // Two hundred rows, many of them at equal times.
    let times: Vec<i64> = (0..200_i64).map(|number| number * number * 7_919 % 500 * 1_000_000 + number % 3).collect();
    let rows: Vec<_> = times.iter().zip(0..).map(|(at, number)| row(*at, number)).collect();
    for (estimated, span) in [
        (0, (0, 0)),
        (200, (0, 499_000_002)),
        (1_000_000, (0, 499_000_002)),
        (1_000_000_000, (400_000_000, 400_000_001)),
        (1_000_000, (-5_000_000_000, -4_000_000_000)),
        (1_000_000, (5_000_000_000, 6_000_000_000)),
        (usize::MAX, (i64::MIN, i64::MAX)),
    ] {
        for (layout, limit) in LAYOUTS.into_iter().zip([1, 7, 150]) {
            let rows = Rows { inner: load(&rows, layout), rows: estimated, span, starts: Arc::default() };
            let mut expected: Vec<(i64, String)> =
                times.iter().zip(0..).map(|(at, number)| (*at, format!("n={number}"))).collect();
            expected.sort();
            let text = |pairs: &[(i64, String)]| pairs.iter().map(|(_, line)| line.clone()).collect::<Vec<_>>();
            let found = lines(QUERY, limit, Direction::Forward, &rows).await;
            assert_eq!(found, text(&expected[..limit]), "{estimated} {span:?} {layout:?}");
            expected.reverse();
            let found = lines(QUERY, limit, Direction::Backward, &rows).await;
            assert_eq!(found, text(&expected[..limit]), "{estimated} {span:?} {layout:?}");
        }
    }
}
