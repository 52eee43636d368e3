//! Messages of remote write in, rows out. The messages are written by hand from the specifications of both protocols.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use icegate_model::Table;
use icegate_otlp::{Limits, OtlpError, WriteVersion, Written, remote_write};
use icegate_schema::columns;
use icegate_testkit::{Dice, Protobuf};

use crate::support::{batch, bytes, int, long, map, origin, pairs, text, time};

/// 2024-01-01T00:00:00Z.
const T: i64 = 1_704_067_200_000;
/// The same in microseconds.
const MICROS: i64 = T * 1_000;

fn message() -> Protobuf {
    Protobuf::new()
}

fn read(version: WriteVersion, body: Protobuf) -> Result<Written, OtlpError> {
    remote_write(version, &body.bytes(), &origin(), &Limits::default())
}

fn v1(series: impl IntoIterator<Item = Protobuf>) -> Written {
    read(WriteVersion::V1, message().messages(1, series)).unwrap()
}

fn v2(symbols: &[&str], series: impl IntoIterator<Item = Protobuf>) -> Written {
    let symbols = symbols.iter().fold(message(), |request, symbol| request.text(4, symbol));
    read(WriteVersion::V2, symbols.messages(5, series)).unwrap()
}

fn labels(labels: &[(&str, &str)]) -> Protobuf {
    message().messages(1, labels.iter().map(|(name, value)| message().text(1, name).text(2, value)))
}

fn sample(value: f64, at: i64) -> Protobuf {
    message().double(1, value).int(2, at)
}

fn written(rows: &Written) -> &RecordBatch {
    batch(&rows.rows, Table::Metrics)
}

fn double(batch: &RecordBatch, column: &str) -> Option<f64> {
    let column = batch.column_by_name(column).unwrap().as_primitive::<Float64Type>();
    column.is_valid(0).then(|| column.value(0))
}

/// The list of the first row, whole numbers as doubles.
fn list(batch: &RecordBatch, column: &str) -> Option<Vec<f64>> {
    let column = batch.column_by_name(column).unwrap().as_list::<i32>();
    if column.is_null(0) {
        return None;
    }
    let items = column.value(0);
    Some(match items.data_type() {
        DataType::Int64 => items.as_primitive::<Int64Type>().values().iter().map(|item| *item as f64).collect(),
        _ => items.as_primitive::<Float64Type>().values().to_vec(),
    })
}

fn reasons(written: &Written) -> Vec<&str> {
    written.rows.rejected.reasons.iter().map(String::as_str).collect()
}

#[test]
fn a_sample_is_a_row_with_the_name_and_the_labels_that_were_written() {
    let given = [("job", "node/a"), ("__name__", "up.total"), ("a.b", "c d"), ("empty", ""), ("_x", "é")];
    let rows = v1([labels(&given).message(2, &sample(f64::from_bits(0x7ff0_0000_0000_0002), T))]);
    assert_eq!((rows.samples, rows.histograms, rows.exemplars, reasons(&rows).len()), (1, 0, 0, 0));
    let row = written(&rows);
    for (column, expected) in [
        (columns::METRIC_NAME, Some("up.total")),
        (columns::METRIC_TYPE, Some("gauge")),
        (columns::SERVICE_NAME, Some("node/a")),
        (columns::PROMETHEUS_TYPE, Some("unknown")),
        (columns::TENANT_ID, Some("acme")),
        (columns::UNIT, None),
    ] {
        assert_eq!(text(row, column), expected, "{column}");
    }
    let expected = pairs(&[("_x", "é"), ("a.b", "c d"), ("job", "node/a")]);
    assert_eq!((map(row, columns::ATTRIBUTES), map(row, columns::RECORD_ATTRIBUTES)), (expected.clone(), expected));
    assert_eq!(map(row, columns::RESOURCE_ATTRIBUTES), None);
    assert_eq!(time(row, columns::TIMESTAMP), (MICROS, 0));
    // The bits of a stale marker, which are those of a number that is none.
    assert_eq!(double(row, columns::VALUE_DOUBLE).map(f64::to_bits), Some(0x7ff0_0000_0000_0002));
}

#[test]
fn version_2_has_its_texts_once_and_says_type_unit_and_start() {
    let symbols = ["", "__name__", "jobs_total", "job", "a", "Jobs done.", "jobs"];
    let metadata = message().uint(1, 1).uint(3, 5).uint(4, 6);
    let series = message()
        .uints(1, &[1, 2, 3, 4])
        .message(2, &sample(1.5, T).int(3, T - 1_000))
        .message(2, &sample(2.5, T + 1))
        .message(5, &metadata)
        .int(6, T - 2_000);
    // Symbols may follow what refers to them.
    let request = symbols.iter().fold(message().message(5, &series), |request, symbol| request.text(4, symbol));
    let rows = read(WriteVersion::V2, request).unwrap();
    assert_eq!((rows.samples, reasons(&rows).len()), (2, 0));
    let row = written(&rows);
    for (column, expected) in [
        (columns::METRIC_TYPE, Some("sum")),
        (columns::AGGREGATION_TEMPORALITY, Some("cumulative")),
        (columns::PROMETHEUS_TYPE, Some("counter")),
        (columns::DESCRIPTION, Some("Jobs done.")),
        (columns::UNIT, Some("jobs")),
    ] {
        assert_eq!(text(row, column), expected, "{column}");
    }
    assert_eq!(time(row, columns::START_TIMESTAMP), (MICROS - 1_000_000, 0));
    // The second sample has no start of its own and takes that of its series.
    assert_eq!(time(&row.slice(1, 1), columns::START_TIMESTAMP), (MICROS - 2_000_000, 0));
}

/// Schema 1, buckets 0 and 1, then 4, below zero -1: 1, 3, 2 and 1 observations, 2 near zero.
fn native() -> Protobuf {
    let span = |offset: i64, length: u64| message().sint(1, offset).uint(2, length);
    message()
        .uint(1, 9)
        .double(3, 18.4)
        .sint(4, 1)
        .double(5, 0.001)
        .uint(6, 2)
        .message(8, &span(-1, 1))
        .sints(9, &[1])
        .message(11, &span(0, 2))
        .message(11, &span(2, 1))
        .sints(12, &[1, 2, -1])
        .uint(14, 1)
        .int(15, T)
}

#[test]
fn a_native_histogram_is_an_exponential_one_with_buckets_side_by_side() {
    let name = [("__name__", "latency")];
    let one = v1([labels(&name).message(4, &native())]);
    let same = v2(&["", "__name__", "latency"], [message().uints(1, &[1, 2]).message(3, &native().int(17, T - 5))]);
    assert_eq!((one.histograms, same.histograms, one.samples), (1, 1, 0));
    for rows in [&one, &same] {
        let row = written(rows);
        assert_eq!(text(row, columns::METRIC_TYPE), Some("exponential_histogram"));
        assert_eq!((long(row, columns::COUNT), double(row, columns::SUM)), (Some(9), Some(18.4)));
        assert_eq!((int(row, columns::SCALE), double(row, columns::ZERO_THRESHOLD)), (Some(1), Some(0.001)));
        assert_eq!((long(row, columns::ZERO_COUNT), int(row, columns::RESET_HINT)), (Some(2), Some(1)));
        // OTLP's index of a bucket is one less than Prometheus'.
        assert_eq!((int(row, columns::POSITIVE_OFFSET), int(row, columns::NEGATIVE_OFFSET)), (Some(-1), Some(-2)));
        assert_eq!(list(row, columns::POSITIVE_BUCKET_COUNTS), Some(vec![1.0, 3.0, 0.0, 0.0, 2.0]));
        assert_eq!(list(row, columns::NEGATIVE_BUCKET_COUNTS), Some(vec![1.0]));
        assert_eq!(list(row, columns::POSITIVE_BUCKET_COUNTS_DOUBLE), None);
    }
    assert_eq!(time(written(&same), columns::START_TIMESTAMP), (MICROS - 5_000, 0));
}

#[test]
fn histograms_of_fractions_and_of_own_bounds_keep_what_they_say() {
    let name = [("__name__", "latency")];
    let span = |offset: i64, length: u64| message().sint(1, offset).uint(2, length);
    let fractions = message().double(2, 1.75).double(3, 3.0).double(7, 0.25).message(11, &span(3, 2)).doubles(13, &[0.5, 1.0]);
    let rows = v1([labels(&name).message(4, &fractions.int(15, T).uint(14, 3))]);
    let row = written(&rows);
    assert_eq!((long(row, columns::COUNT), double(row, columns::COUNT_DOUBLE)), (None, Some(1.75)));
    assert_eq!((long(row, columns::ZERO_COUNT), double(row, columns::ZERO_COUNT_DOUBLE)), (None, Some(0.25)));
    assert_eq!((int(row, columns::POSITIVE_OFFSET), int(row, columns::RESET_HINT)), (Some(2), Some(3)));
    assert_eq!(list(row, columns::POSITIVE_BUCKET_COUNTS_DOUBLE), Some(vec![0.5, 1.0]));
    assert_eq!(text(row, columns::AGGREGATION_TEMPORALITY), Some("unspecified"));

    let own = message().uint(1, 5).double(3, 7.0).sint(4, -53).message(11, &span(1, 2)).sints(12, &[2, 1]).int(15, T);
    let rows = v1([labels(&name).message(4, &own.clone().doubles(16, &[0.5, 1.0]))]);
    let row = written(&rows);
    assert_eq!(text(row, columns::METRIC_TYPE), Some("histogram"));
    assert_eq!(list(row, columns::EXPLICIT_BOUNDS), Some(vec![0.5, 1.0]));
    assert_eq!(list(row, columns::BUCKET_COUNTS), Some(vec![0.0, 2.0, 3.0]));
    assert_eq!((int(row, columns::SCALE), int(row, columns::POSITIVE_OFFSET)), (None, None));
    // One bound makes two buckets, not three.
    let rows = v1([labels(&name).message(4, &own.doubles(16, &[0.5]))]);
    assert_eq!(reasons(&rows), ["timeseries[0].histograms[0]: the histogram's buckets go beyond its bounds"]);
}

#[test]
fn exemplars_and_descriptions_are_rows_without_a_value() {
    let trace = "0102030405060708090a0b0c0d0e0f10";
    let exemplar = message()
        .messages(1, [message().text(1, "trace_id").text(2, trace), message().text(1, "user").text(2, "u1")])
        .double(2, 0.7)
        .int(3, T + 5);
    let rows = v1([labels(&[("__name__", "a_total"), ("job", "j")]).message(3, &exemplar)]);
    assert_eq!((rows.exemplars, rows.samples, rows.rows.accepted), (1, 0, 1));
    let row = written(&rows);
    assert_eq!((double(row, columns::VALUE_DOUBLE), time(row, columns::TIMESTAMP)), (None, (MICROS + 5_000, 0)));
    let exemplars = row.column_by_name(columns::EXEMPLARS).unwrap().as_list::<i32>().value(0);
    let exemplars = RecordBatch::from(exemplars.as_struct().clone());
    assert_eq!(
        (double(&exemplars, columns::VALUE_DOUBLE), bytes(&exemplars, columns::TRACE_ID).map(<[u8]>::len)),
        (Some(0.7), Some(16))
    );
    assert_eq!(map(&exemplars, columns::ATTRIBUTES), pairs(&[("user", "u1")]));

    // Of version 2 one without a time of its own has that of the sample beside it.
    let series = message().uints(1, &[1, 2]).message(2, &sample(1.0, T)).message(4, &message().uints(1, &[3, 4]).double(2, 2.0));
    let rows = v2(&["", "__name__", "a", "k", "v"], [series]);
    assert_eq!((rows.exemplars, rows.samples), (1, 1));
    assert_eq!(time(&written(&rows).slice(1, 1), columns::TIMESTAMP), (MICROS, 0));

    let metadata = message().uint(1, 3).text(2, "rpc_seconds").text(4, "Latency.").text(5, "seconds");
    let rows = read(WriteVersion::V1, message().message(3, &metadata)).unwrap();
    let row = written(&rows);
    assert_eq!((text(row, columns::METRIC_NAME), text(row, columns::PROMETHEUS_TYPE)), (Some("rpc_seconds"), Some("histogram")));
    assert_eq!((text(row, columns::DESCRIPTION), text(row, columns::UNIT)), (Some("Latency."), Some("seconds")));
    assert_eq!(double(row, columns::VALUE_DOUBLE), None);
}

#[test]
fn what_is_refused_is_named_and_its_neighbours_are_kept() {
    let good = || sample(1.0, T);
    let named = |name: &str| labels(&[("__name__", name)]);
    let rows = v1([
        named("good").message(2, &good()),
        labels(&[("job", "j")]).messages(2, [good(), good()]),
        labels(&[("__name__", "a"), ("b", "1"), ("b", "2")]).message(2, &good()),
        message().message(1, &message().text(1, "__name__").blob(2, &[0xff])).message(2, &good()),
        named("late").messages(2, [good(), sample(1.0, i64::MAX), sample(1.0, -1)]),
        named("no sample"),
        labels(&[("__name__", "a"), ("", "1")]).message(2, &good()),
    ]);
    assert_eq!((rows.samples, rows.rows.rejected.count), (2, 7));
    assert_eq!(
        reasons(&rows),
        [
            "timeseries[1]: it has no metric name: the label __name__ is missing or empty",
            "timeseries[2]: label \"b\" is there twice",
            "timeseries[3]: name or value of a label is not UTF-8",
            "timeseries[4].samples[1]: the timestamp 9223372036854775807 is not between 0 and 9223372036854 milliseconds since 1970-01-01T00:00:00Z",
            "timeseries[4].samples[2]: the timestamp -1 is not between 0 and 9223372036854 milliseconds since 1970-01-01T00:00:00Z",
        ]
    );
    let rows = v2(
        &["", "__name__", "a"],
        [
            message().uints(1, &[1, 2]).message(2, &good()),
            message().uints(1, &[1, 99]).message(2, &good()),
            message().uints(1, &[1, 2, 1]).message(2, &good()),
            message().uints(1, &[1, 2]),
            message().uints(1, &[1, 2]).message(2, &good()).message(5, &message().uint(3, 7)),
        ],
    );
    assert_eq!(rows.samples, 1);
    assert_eq!(
        reasons(&rows),
        [
            "timeseries[1]: the reference 99 points behind the 3 symbols",
            "timeseries[2]: it has 3 references for labels: they come in pairs of name and value",
            "timeseries[3]: it has neither a sample nor a histogram nor an exemplar",
            "timeseries[4]: the reference 7 points behind the 3 symbols",
        ]
    );
}

#[test]
fn histograms_that_cannot_be_are_named() {
    let series = |histogram: Protobuf| labels(&[("__name__", "h")]).message(4, &histogram.int(15, T));
    let span = |offset: i64, length: u64| message().sint(1, offset).uint(2, length);
    for (histogram, reason) in [
        (message().sint(4, 53), "the histogram's schema is 53, allowed are -53 and -4 to 52"),
        (message().sint(4, -5), "the histogram's schema is -5, allowed are -53 and -4 to 52"),
        (message().uint(1, 3), "the histogram's buckets have 0 observations, it says that it has 3"),
        (
            message().uint(1, 1).message(11, &span(0, 1)).sints(12, &[-1]),
            "the histogram's buckets have numbers of observations below zero or beyond 63 bits",
        ),
        (
            message().uint(1, 1).message(11, &span(0, 2)).sints(12, &[1]),
            "the histogram's spans name another number of buckets than it has",
        ),
        (
            message().double(2, 1.0).message(11, &span(0, 1)).doubles(13, &[-1.0]),
            "the histogram's buckets have less than no observation",
        ),
        (message().sint(4, -53).doubles(16, &[1.0, 1.0]), "the histogram's bounds don't ascend"),
        (message().sint(4, -53).doubles(16, &[1.0, f64::INFINITY]), "the histogram's last bound is +Inf, which is always there"),
        (message().doubles(16, &[1.0]), "the histogram's bounds are of its own, which only schema -53 has"),
        (
            message().sint(4, -53).uint(6, 1),
            "the histogram's bounds are of its own, so that it has no zero bucket and none below zero",
        ),
        // A span that is far away would make more buckets than a record may have.
        (
            message().uint(1, 2).message(11, &span(0, 1)).message(11, &span(2_000_000_000, 1)).sints(12, &[1, 0]),
            "record has about 32000000032 bytes, allowed are 4194304",
        ),
    ] {
        let rows = v1([series(histogram)]);
        assert_eq!(reasons(&rows), [format!("timeseries[0].histograms[0]: {reason}")]);
        assert_eq!((rows.histograms, rows.rows.rejected.count), (0, 1));
    }
    // One whose sum is no number may have observations that are in no bucket, and one that ends its series has none.
    let stale = message().double(3, f64::from_bits(0x7ff0_0000_0000_0002));
    assert_eq!(v1([series(message().uint(1, 3).double(3, f64::NAN)), series(stale)]).histograms, 2);
}

#[test]
fn bodies_that_are_no_message_and_those_beyond_a_bound_are_refused_whole() {
    let refused = |version, body: &[u8], limits: &Limits| remote_write(version, body, &origin(), limits).unwrap_err().to_string();
    let limits = Limits::default();
    for (version, body, error) in [
        (
            WriteVersion::V1,
            &[0x0a, 0xff][..],
            "request is no valid protobuf of prometheus.WriteRequest: the bytes end inside a field",
        ),
        (
            WriteVersion::V1,
            &[0x08, 0x01],
            "request is no valid protobuf of prometheus.WriteRequest: field 1 of prometheus.WriteRequest has another type",
        ),
        (
            WriteVersion::V1,
            // The label __name__="a", and a number where a sample should be.
            b"\x0a\x11\x0a\x0d\x0a\x08__name__\x12\x01a\x10\x01",
            "request is no valid protobuf of prometheus.WriteRequest: field 2 of TimeSeries has another type",
        ),
        (WriteVersion::V2, &[0x2b], "request is no valid protobuf of io.prometheus.write.v2.Request: 43 is no key of a field"),
    ] {
        assert_eq!(refused(version, body, &limits), error, "{body:?}");
    }
    // Each symbol costs two bytes on the wire.
    let symbols = [0x22, 0x00].repeat((1 << 20) + 1);
    assert_eq!(refused(WriteVersion::V2, &symbols, &limits), "request has more than 1048576 symbols, send smaller requests");
    let many = message().message(1, &labels(&[("__name__", "a")]).messages(2, (0..100).map(|at| sample(1.0, T + at))));
    let few = Limits { rows_bytes: 10_000, ..limits };
    assert_eq!(
        refused(WriteVersion::V1, &many.bytes(), &few),
        "request makes more than 10000 bytes of rows, send smaller requests"
    );
    // What both versions have under other numbers is nothing to the other: an empty request.
    let other = message().text(4, "").message(5, &message().uints(1, &[0, 0]));
    assert_eq!(read(WriteVersion::V1, other).unwrap().rows.accepted, 0);
}

/// Whole requests of both versions with everything in them, to be broken.
fn whole() -> [(WriteVersion, Vec<u8>); 2] {
    let exemplar = |refs: bool| {
        let labels = if refs { message().uints(1, &[1, 2]) } else { labels(&[("trace_id", "x")]) };
        labels.double(2, 1.0).int(3, T)
    };
    let first =
        labels(&[("__name__", "a"), ("job", "j")]).message(2, &sample(1.0, T)).message(3, &exemplar(false)).message(4, &native());
    let first = message().message(1, &first).message(3, &message().uint(1, 1).text(2, "a").text(4, "h").text(5, "u"));
    let second = message().uints(1, &[1, 2]).message(2, &sample(1.0, T)).message(3, &native()).message(4, &exemplar(true));
    let second = second.message(5, &message().uint(1, 1).uint(3, 2)).int(6, T);
    let second = message().text(4, "").text(4, "__name__").text(4, "a").message(5, &second);
    [(WriteVersion::V1, first.bytes()), (WriteVersion::V2, second.bytes())]
}

#[test]
fn broken_messages_neither_panic_nor_make_more_rows_than_their_bound() {
    const SEED: u64 = 7;
    const ROUNDS: usize = 30_000;
    let limits = Limits { rows_bytes: 1 << 20, record_bytes: 64 << 10, ..Limits::default() };
    let (mut dice, whole) = (Dice::new(SEED), whole());
    let (mut read, mut refused) = (0_u32, 0_u32);
    for _ in 0..ROUNDS {
        let (version, bytes) = dice.pick(&whole);
        let mut bytes = bytes.clone();
        for _ in 0..dice.between(1, 6) {
            let at = usize::try_from(dice.between(0, bytes.len() as u64 - 1)).unwrap();
            let byte = u8::try_from(dice.between(0, 255)).unwrap();
            match dice.between(0, 3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => bytes.truncate(at + 1),
                _ => bytes.extend_from_within(at..),
            }
        }
        // Either version may be told of either body.
        let version = if dice.chance(100) { WriteVersion::V1 } else { *version };
        match remote_write(version, &bytes, &origin(), &limits) {
            Ok(written) => {
                read += 1;
                let held: usize = written.rows.batches.iter().map(|(_, batch)| batch.get_array_memory_size()).sum();
                // Capacities grow by doubling, and each of some seventy columns has a few bytes for each row.
                assert!(held < 16 << 20, "{held} bytes for {bytes:?}");
            }
            Err(_) => refused += 1,
        }
    }
    // Both ways were tried often.
    assert!(read > 1_000 && refused > 1_000, "{read} {refused}");
}
