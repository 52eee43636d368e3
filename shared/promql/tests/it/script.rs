//! Scripts that load series, evaluate queries and say what is expected, as the real system's own tests are written.

mod compare;
mod eval;
mod histogram;
mod items;
mod load;
mod run;
mod start;

pub(crate) use run::run;

/// Milliseconds of a duration or of seconds.
fn time(text: &str) -> i64 {
    let (sign, bare) = text.strip_prefix('-').map_or((1, text), |bare| (-1, bare));
    if let Ok(seconds) = bare.parse::<f64>() {
        return sign * (seconds * 1000.0).round() as i64;
    }
    let nanos = icegate_syntax::duration::prometheus(bare).unwrap_or_else(|| panic!("{text:?} is not a time"));
    sign * nanos / 1_000_000
}
