//! For how many spans one stands that was sampled: OpenTelemetry's threshold in the trace state, `ot=th:…`.

/// Hexadecimal digits of a whole threshold.
const DIGITS: usize = 14;

/// How many spans a sampled one stands for; 1 where nothing is said of it.
#[allow(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn of(trace_state: &str) -> f64 {
    let threshold = threshold(trace_state).unwrap_or(0);
    let all = 1_u64 << (4 * DIGITS);
    all as f64 / (all - threshold) as f64
}

/// Of 2^56 how much was thrown away.
fn threshold(trace_state: &str) -> Option<u64> {
    let vendor = trace_state.split(',').find_map(|entry| entry.trim().strip_prefix("ot="))?;
    let digits = vendor.split(';').find_map(|entry| entry.strip_prefix("th:"))?;
    if digits.is_empty() || digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(&format!("{digits:0<DIGITS$}"), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_stands_for_those_that_were_thrown_away_with_it() {
        for (state, weight) in [
            ("ot=th:8", 2.0),
            ("a=b, ot=rv:1;th:c", 4.0),
            ("ot=th:0", 1.0),
            ("", 1.0),
            ("ot=th:xyz", 1.0),
            ("ot=th:", 1.0),
            ("th:8", 1.0),
        ] {
            assert!((of(state) - weight).abs() < 1e-12, "{state}");
        }
        assert!(of("ot=th:ffffffffffffff").is_finite());
    }
}
