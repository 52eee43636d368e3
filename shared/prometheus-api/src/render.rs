//! Answers as Prometheus writes them.

use std::fmt::Write;

use icegate_promql::{Answer, CUSTOM_BOUNDS, Histogram, Value};
use icegate_series::Labels;

/// A number in its shortest form, without an exponent.
pub(crate) fn shortest(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

/// A sample's number: with an exponent where it is very small or large.
pub(crate) fn sample(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() || magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return shortest(value);
    }
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// Seconds, with three digits of a fraction where there is one.
pub(crate) fn time(millis: i64) -> String {
    let (seconds, rest) = (millis.unsigned_abs() / 1_000, millis.unsigned_abs() % 1_000);
    let sign = if millis < 0 { "-" } else { "" };
    if rest == 0 { format!("{sign}{seconds}") } else { format!("{sign}{seconds}.{rest:03}") }
}

/// A JSON object.
pub(crate) fn labels(labels: &Labels) -> String {
    let members: Vec<String> = labels.iter().map(|label| format!("{}:{}", quoted(&label.name), quoted(&label.value))).collect();
    format!("{{{}}}", members.join(","))
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `resultType` and `result` of an answer, without the braces around them.
pub(crate) fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Scalar { at, value } => format!(r#""resultType":"scalar","result":[{},"{}"]"#, time(*at), shortest(*value)),
        Answer::String { at, text } => format!(r#""resultType":"string","result":[{},{}]"#, time(*at), quoted(text)),
        Answer::Vector(samples) => {
            let sample = |out: &mut String, at: usize| {
                let Some(found) = samples.get(at) else { return };
                let (name, value) = match &found.value {
                    Value::Float(value) => ("value", format!("\"{}\"", sample(*value))),
                    Value::Histogram(value) => ("histogram", histogram(value)),
                };
                put(out, format_args!(r#"{{"metric":{},"{name}":[{},{value}]}}"#, labels(&found.labels), time(found.at)));
            };
            format!(r#""resultType":"vector","result":{}"#, list(samples.len(), sample))
        }
        Answer::Matrix(series) => {
            let series = |out: &mut String, at: usize| {
                let Some(found) = series.get(at) else { return };
                put(out, format_args!(r#"{{"metric":{}"#, labels(&found.labels)));
                if !found.floats.is_empty() {
                    let floats = found.floats.iter().map(|(at, value)| (*at, format!("\"{}\"", sample(*value))));
                    put(out, format_args!(r#","values":{}"#, pairs(floats)));
                }
                if !found.histograms.is_empty() {
                    let histograms = found.histograms.iter().map(|(at, value)| (*at, histogram(value)));
                    put(out, format_args!(r#","histograms":{}"#, pairs(histograms)));
                }
                out.push('}');
            };
            format!(r#""resultType":"matrix","result":{}"#, list(series_len(answer), series))
        }
    }
}

fn series_len(answer: &Answer) -> usize {
    match answer {
        Answer::Matrix(series) => series.len(),
        Answer::Vector(samples) => samples.len(),
        Answer::Scalar { .. } | Answer::String { .. } => 1,
    }
}

fn pairs(points: impl Iterator<Item = (i64, String)>) -> String {
    let points: Vec<String> = points.map(|(at, value)| format!("[{},{value}]", time(at))).collect();
    format!("[{}]", points.join(","))
}

fn list(length: usize, mut write: impl FnMut(&mut String, usize)) -> String {
    let mut out = String::from("[");
    for at in 0..length {
        if at > 0 {
            out.push(',');
        }
        write(&mut out, at);
    }
    out.push(']');
    out
}

/// Which bounds are in a bucket: 0 the upper one, 1 the lower one, 3 both.
fn histogram(histogram: &Histogram) -> String {
    let mut out = format!(r#"{{"count":"{}","sum":"{}""#, sample(histogram.count), sample(histogram.sum));
    let ranges = histogram.ranges();
    if !ranges.is_empty() {
        let bucket = |range: &icegate_promql::BucketRange| {
            let is_first = histogram.schema == CUSTOM_BOUNDS && range.lower == f64::NEG_INFINITY;
            let bounds = match (range.is_zero || is_first, range.is_negative) {
                (true, _) => 3,
                (false, true) => 1,
                (false, false) => 0,
            };
            format!(r#"[{bounds},"{}","{}","{}"]"#, sample(range.lower), sample(range.upper), sample(range.count))
        };
        put(&mut out, format_args!(r#","buckets":[{}]"#, ranges.iter().map(bucket).collect::<Vec<_>>().join(",")));
    }
    out.push('}');
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_promql::Bucket;

    #[test]
    fn numbers_are_as_go_prints_them() {
        for (value, as_sample, as_scalar) in [
            (37.0, "37", "37"),
            (1e-7, "1e-07", "0.0000001"),
            (1.5e300, "1.5e+300", ""),
            (1e20, "100000000000000000000", "100000000000000000000"),
            (1e21, "1e+21", "1000000000000000000000"),
            (-0.0, "-0", "-0"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NAN, "NaN", "NaN"),
        ] {
            assert_eq!(sample(value), as_sample);
            if !as_scalar.is_empty() {
                assert_eq!(shortest(value), as_scalar);
            }
        }
        assert_eq!(shortest(1.5e300).len(), 301);
    }

    #[test]
    fn times_have_milliseconds_where_they_need_them() {
        for (millis, text) in [(1_704_071_250_500, "1704071250.500"), (5_000, "5"), (-1_001, "-1.001"), (7, "0.007")] {
            assert_eq!(time(millis), text);
        }
    }

    #[test]
    fn buckets_say_which_of_their_bounds_are_in_them() {
        let native = Histogram {
            count: 6.0,
            sum: 2.5,
            zero_count: 1.0,
            zero_threshold: 0.5,
            positive: vec![Bucket { index: 1, count: 2.0 }],
            negative: vec![Bucket { index: 2, count: 3.0 }],
            ..Histogram::default()
        };
        let expected = r#"{"count":"6","sum":"2.5","buckets":[[1,"-4","-2","3"],[3,"-0.5","0.5","1"],[0,"1","2","2"]]}"#;
        assert_eq!(histogram(&native), expected);
        let custom = Histogram {
            schema: CUSTOM_BOUNDS,
            count: 3.0,
            sum: 1.0,
            positive: vec![Bucket { index: 0, count: 1.0 }, Bucket { index: 1, count: 2.0 }],
            custom_values: vec![5.0].into(),
            ..Histogram::default()
        };
        let expected = r#"{"count":"3","sum":"1","buckets":[[3,"-Inf","5","1"],[0,"5","+Inf","2"]]}"#;
        assert_eq!(histogram(&custom), expected);
    }
}
