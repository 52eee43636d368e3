use icegate_promql::{Bucket, Histogram, ResetHint};

/// Reads what stands in `{{…}}`; whether the hint is written.
pub(super) fn histogram(text: &str) -> (Histogram, bool) {
    let mut histogram = Histogram::default();
    let (mut offset, mut negative_offset, mut is_hinted) = (0, 0, false);
    let (mut buckets, mut negative) = (Vec::new(), Vec::new());
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':').unwrap_or_else(|| panic!("{rest:?} has no value"));
        let (value, after) = if let Some(list) = after.strip_prefix('[') {
            list.split_once(']').unwrap_or_else(|| panic!("{rest:?} is not closed"))
        } else {
            after.split_once(char::is_whitespace).unwrap_or((after, ""))
        };
        let number = || value.parse::<f64>().unwrap_or_else(|_| panic!("{value:?} is not a number"));
        let list = || value.split_whitespace().map(|number| number.parse().unwrap()).collect::<Vec<f64>>();
        match key {
            "schema" => histogram.schema = value.parse().unwrap(),
            "sum" => histogram.sum = number(),
            "count" => histogram.count = number(),
            "z_bucket" => histogram.zero_count = number(),
            "z_bucket_w" => histogram.zero_threshold = number(),
            "buckets" => buckets = list(),
            "n_buckets" => negative = list(),
            "offset" => offset = value.parse().unwrap(),
            "n_offset" => negative_offset = value.parse().unwrap(),
            "custom_values" => histogram.custom_values = list().into(),
            "counter_reset_hint" => {
                is_hinted = true;
                histogram.hint = match value {
                    "unknown" => ResetHint::Unknown,
                    "reset" => ResetHint::Reset,
                    "not_reset" => ResetHint::NotReset,
                    "gauge" => ResetHint::Gauge,
                    _ => panic!("{value:?} is not a hint"),
                };
            }
            _ => panic!("{key:?} is not a part of a histogram"),
        }
        rest = after.trim_start();
    }
    histogram.positive = indexed(&buckets, offset);
    histogram.negative = indexed(&negative, negative_offset);
    (histogram, is_hinted)
}

fn indexed(counts: &[f64], offset: i32) -> Vec<Bucket> {
    let bucket = |(index, count): (usize, &f64)| Bucket { index: offset + i32::try_from(index).unwrap(), count: *count };
    counts.iter().enumerate().map(bucket).filter(|bucket| bucket.count != 0.0).collect()
}
