/// The upper bound of an exponential bucket.
#[allow(clippy::cast_precision_loss, reason = "indexes of a schema up to 8 are below 2^53")]
pub(super) fn upper(index: i32, schema: i32) -> f64 {
    let index = i64::from(index);
    if schema < 0 {
        let exponent = index.checked_shl(schema.unsigned_abs()).unwrap_or(i64::MAX);
        return if exponent == 1024 { f64::MAX } else { power_of_two(exponent) };
    }
    let per_octave = 1_i64 << schema.min(30);
    let (octave, part) = (index.div_euclid(per_octave), index.rem_euclid(per_octave));
    // What would be the first power of two beyond is the largest number instead.
    if octave == 1024 && part == 0 {
        return f64::MAX;
    }
    let within = if part == 0 { 1.0 } else { (part as f64 / per_octave as f64).exp2() };
    if octave >= 1024 {
        return f64::INFINITY;
    }
    within * power_of_two(octave)
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
        assert!((upper(1, 1) - std::f64::consts::SQRT_2).abs() < 1e-15);
        assert_eq!(upper(1, -1), 4.0);
        assert_eq!(upper(1, -4), 65_536.0);
        assert_eq!(upper(1024, 0), f64::MAX);
        assert_eq!(upper(1025, 0), f64::INFINITY);
        assert_eq!(upper(-1074, 0), f64::from_bits(1));
    }

    #[test]
    fn a_coarser_bucket_holds_the_finer_ones_below_its_bound() {
        assert_eq!([-1, 0, 1, 2, 3, 4].map(|index| coarser(index, 1, 0)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(coarser(5, 0, 0), 5);
    }
}
