//! What 10 kB that are made to hurt cost: the parser, and each stage's decoder over one line. None may take 50 ms.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "a benchmark fails by panicking")]

use std::sync::Arc;

use arrow::array::{ArrayRef, MapArray, RecordBatch, StringArray, TimestampMicrosecondArray, new_empty_array, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use icegate_logql::ast::Expr;
use icegate_logql::{Limits, Source, lines, parse};
use icegate_model::{Table, Timestamp};
use icegate_schema::columns;
use tokio::runtime::Runtime;

const BYTES: usize = 10_000;

fn main() {
    divan::main();
}

fn repeated(piece: &str) -> String {
    piece.repeat(BYTES / piece.len())
}

/// A table whose only row is the line.
fn source(line: &str) -> Source {
    let schema = icegate_schema::arrow_schema(Table::Logs);
    let mut fields = Vec::new();
    let columns = schema.fields().iter().map(|field| {
        fields.push(Field::new(field.name(), field.data_type().clone(), true));
        column(field, line)
    });
    let columns: Vec<ArrayRef> = columns.collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
    Source { session: SessionContext::new(), provider: Arc::new(table) }
}

fn column(field: &Field, line: &str) -> ArrayRef {
    match field.name().as_str() {
        columns::BODY => Arc::new(StringArray::from(vec![line])),
        columns::SERVICE_NAME => Arc::new(StringArray::from(vec!["s"])),
        columns::STREAM_LABELS => Arc::new(StringArray::from(vec![r#"{"service_name":"s"}"#])),
        columns::TIMESTAMP => Arc::new(TimestampMicrosecondArray::from(vec![1]).with_timezone("+00:00")),
        _ => match field.data_type() {
            DataType::Map(entries, sorted) => {
                let none = new_empty_array(entries.data_type());
                let offsets = arrow::buffer::OffsetBuffer::from_lengths([0]);
                let DataType::Struct(_) = entries.data_type() else { panic!("a map has entries") };
                let entries_array = arrow::array::AsArray::as_struct(&none).clone();
                Arc::new(MapArray::try_new(Arc::clone(entries), offsets, entries_array, None, *sorted).unwrap())
            }
            other => new_null_array(other, 1),
        },
    }
}

#[divan::bench(name = "logql/parse/10kB", args = ["(", "{", "a=~\"(a|a)*$\",", "| json ", "| a=\"b\" or ", "`", "\\", "#", "rate("])]
fn parse_hostile(bencher: divan::Bencher<'_, '_>, piece: &str) {
    let query = format!("{{a=\"b\"}} {}", repeated(piece));
    bencher.bench(|| parse(&query).is_ok());
}

#[divan::bench(name = "logql/alternation/10kB")]
fn alternation(bencher: divan::Bencher<'_, '_>) {
    let words = (0..1_400).map(|word| format!("word{word}")).collect::<Vec<_>>().join("|");
    let query = format!("{{a=\"b\"}} |~ \"{words}\"");
    bencher.bench(|| parse(&query).is_ok());
}

const STAGES: [&str; 12] = [
    "| json",
    "| json a=\"a.a.a\"",
    "| logfmt",
    "| logfmt --strict --keep-empty",
    "| unpack",
    "| pattern `<_>a<a>a<_>`",
    "| regexp `(?P<a>(a|a)*)$`",
    "| decolorize",
    "| line_format `{{ __line__ | upper | urlencode }}{{ regexReplaceAll \"(a|a)*$\" __line__ \"${0}${0}\" }}`",
    "|> \"<_>a<_>a<_>a<_>b\"",
    "|= ip(\"10.0.0.0/8\")",
    "|~ \"(a*)*b\"",
];

/// Each stage over all of these lines together.
#[divan::bench(name = "logql/stage/10kB", args = STAGES)]
fn stage(bencher: divan::Bencher<'_, '_>, stage: &str) {
    const PIECES: [&str; 12] =
        ["{", "[", "\"", "\\", "a", "a=", "a=\"\\", "\u{1b}[31m", "{\"a\":", "1.1.1.1.", "::", "k=\"v\\n\" "];
    let runtime = Runtime::new().unwrap();
    let sources: Vec<_> = PIECES.iter().map(|piece| source(&repeated(piece))).collect();
    let Expr::Logs(logs) = parse(&format!("{{service_name=\"s\"}} {stage}")).unwrap() else { panic!("a log query") };
    bencher.bench(|| {
        runtime.block_on(async {
            let mut found = 0;
            for source in &sources {
                let parts = lines(&logs, Timestamp::from_secs(1), &Limits::default(), source).await.unwrap();
                found += parts.try_collect::<Vec<_>>().await.unwrap().len();
            }
            found
        })
    });
}
