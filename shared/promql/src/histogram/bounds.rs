/// Finer than any index can tell apart; Prometheus' finest is 8.
const FINEST: i32 = 30;

/// The upper bound of an exponential bucket, to the last digit as Prometheus has it: it is compared with and printed.
pub(super) fn upper(index: i32, schema: i32) -> f64 {
    let index = i64::from(index);
    if schema < 0 {
        let exponent = index.checked_shl(schema.unsigned_abs()).unwrap_or(i64::MAX);
        return if exponent == 1024 { f64::MAX } else { power_of_two(exponent) };
    }
    let schema = schema.min(FINEST);
    let (octave, part) = (index >> schema, index & ((1 << schema) - 1));
    // What would be the first power of two beyond is the largest number instead.
    match octave {
        1024 if part == 0 => f64::MAX,
        1024.. => f64::INFINITY,
        _ => within_octave(part, schema) * power_of_two(octave),
    }
}

/// Two to the power of `part / 2^schema`: the roots of two, from the square root on, that the bits of `part` stand for. Prometheus'
/// square root of two is one below the nearest number.
fn within_octave(part: i64, schema: i32) -> f64 {
    let (mut product, mut root) = (1.0, 2_f64);
    for bit in (0..schema).rev() {
        let is_first = bit == schema - 1;
        root = root.sqrt();
        if (part >> bit) & 1 == 1 {
            product *= if is_first { root.next_down() } else { root };
        }
    }
    product
}

fn power_of_two(exponent: i64) -> f64 {
    match i32::try_from(exponent) {
        Ok(exponent) if exponent < -1022 => 2_f64.powi(-1022) * 2_f64.powi((exponent + 1022).max(-1100)),
        Ok(exponent) if exponent <= 1023 => 2_f64.powi(exponent),
        _ if exponent < 0 => 0.0,
        _ => f64::INFINITY,
    }
}

/// The bucket of a coarser schema that holds a bucket.
pub(super) const fn coarser(index: i32, from: i32, to: i32) -> i32 {
    let shift = if from > to { from - to } else { 0 };
    if shift > 30 {
        return if index > 0 { 1 } else { 0 };
    }
    ((index - 1) >> shift) + 1
}

/// The bounds that two lists have in common.
pub(super) fn common(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().copied().filter(|bound| b.contains(bound)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_grow_by_the_root_of_two_that_the_schema_names() {
        assert_eq!(upper(0, 0), 1.0);
        assert_eq!(upper(3, 0), 8.0);
        assert_eq!(upper(-1, 0), 0.5);
        assert_eq!(upper(2, 1), 2.0);
        assert_eq!(upper(1, 1).to_string(), "1.414213562373095");
        assert_eq!(upper(1, -1), 4.0);
        assert_eq!(upper(1, -4), 65_536.0);
        assert_eq!(upper(1024, 0), f64::MAX);
        assert_eq!(upper(1025, 0), f64::INFINITY);
        assert_eq!(upper(-1074, 0), f64::from_bits(1));
    }

    #[test]
    fn bounds_are_those_of_prometheus_to_the_last_digit() {
        // Halved, the fractions that Prometheus multiplies with powers of two.
        let halves: Vec<String> = (0..8).map(|part| (upper(part, 3) / 2.0).to_string()).collect();
        let expected = "0.5 0.5452538663326288 0.5946035575013605 0.6484197773255048 \
                        0.7071067811865475 0.7711054127039704 0.8408964152537144 0.9170040432046711";
        assert_eq!(halves.join(" "), expected);
        assert_eq!((upper(15, 4) / 2.0).to_string(), "0.9576032806985735");
        assert_eq!((upper(-1, 8)).to_string(), "0.9972960560854698");
    }

    #[test]
    fn a_coarser_bucket_holds_the_finer_ones_below_its_bound() {
        assert_eq!([-1, 0, 1, 2, 3, 4].map(|index| coarser(index, 1, 0)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(coarser(5, 0, 0), 5);
    }
}
