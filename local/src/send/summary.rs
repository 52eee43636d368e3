use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) requests_ok: u64,
    pub(crate) requests_failed: u64,
    pub(crate) retries: u64,
    pub(crate) rows_accepted: u64,
    pub(crate) rows_refused: u64,
    /// Rows of requests that failed.
    pub(crate) rows_failed: u64,
    /// Bytes of the acknowledged requests before compression.
    pub(crate) raw_bytes: u64,
    pub(crate) elapsed: Duration,
    pub(crate) acks: Acks,
    /// The first few different reasons of failures.
    pub(crate) failures: Vec<String>,
    /// The first few different messages about refused rows.
    pub(crate) refusals: Vec<String>,
}

/// Times from sending a request to its acknowledgement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acks {
    pub(crate) p50: Duration,
    pub(crate) p90: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Summary {
    /// For people; several lines.
    pub(crate) fn text(&self) -> String {
        let acks = [("p50", self.acks.p50), ("p90", self.acks.p90), ("p99", self.acks.p99), ("max", self.acks.max)];
        let acks = acks.map(|(name, time)| format!("{name} {:.3} ms", millis(time)));
        let mut text = format!(
            "requests  {} ok, {} failed, {} retries\n\
             rows      {} accepted, {} refused, {} in failed requests\n\
             volume    {:.3} MB raw in {:.3} s\n\
             speed     {:.3} MB/s, {:.1} rows/s, {:.1} requests/s\n\
             ack       {}",
            self.requests_ok,
            self.requests_failed,
            self.retries,
            self.rows_accepted,
            self.rows_refused,
            self.rows_failed,
            float(self.raw_bytes) / 1e6,
            self.elapsed.as_secs_f64(),
            self.per_second(self.raw_bytes) / 1e6,
            self.per_second(self.rows_accepted),
            self.per_second(self.requests_ok),
            acks.join(", "),
        );
        for (what, texts) in [("refused", &self.refusals), ("failed", &self.failures)] {
            for line in texts {
                // Writing to a string has no way to fail.
                let _ = write!(text, "\n{what:<9} {line}");
            }
        }
        text
    }

    /// For programs; one line.
    pub(crate) fn json(&self) -> String {
        json!({
            "requests_ok": self.requests_ok,
            "requests_failed": self.requests_failed,
            "retries": self.retries,
            "rows_accepted": self.rows_accepted,
            "rows_refused": self.rows_refused,
            "rows_failed": self.rows_failed,
            "raw_bytes": self.raw_bytes,
            "seconds": self.elapsed.as_secs_f64(),
            "mb_per_second": self.per_second(self.raw_bytes) / 1e6,
            "rows_per_second": self.per_second(self.rows_accepted),
            "requests_per_second": self.per_second(self.requests_ok),
            "ack_ms": {
                "p50": millis(self.acks.p50),
                "p90": millis(self.acks.p90),
                "p99": millis(self.acks.p99),
                "max": millis(self.acks.max),
            },
            "refusals": self.refusals,
            "failures": self.failures,
        })
        .to_string()
    }

    fn per_second(&self, count: u64) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { float(count) / self.elapsed.as_secs_f64() }
    }
}

fn millis(time: Duration) -> f64 {
    float(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)) / 1e3
}

#[allow(clippy::cast_precision_loss, reason = "shown with a few digits")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            requests_ok: 4,
            rows_accepted: 90,
            rows_refused: 10,
            raw_bytes: 3_000_000,
            elapsed: Duration::from_secs(2),
            acks: Acks { p50: Duration::from_micros(1_500), max: Duration::from_millis(20), ..Acks::default() },
            refusals: vec!["bad id".to_owned()],
            ..Summary::default()
        }
    }

    #[test]
    fn the_text_says_counts_speed_and_latency() {
        assert_eq!(
            summary().text(),
            "requests  4 ok, 0 failed, 0 retries\n\
             rows      90 accepted, 10 refused, 0 in failed requests\n\
             volume    3.000 MB raw in 2.000 s\n\
             speed     1.500 MB/s, 45.0 rows/s, 2.0 requests/s\n\
             ack       p50 1.500 ms, p90 0.000 ms, p99 0.000 ms, max 20.000 ms\n\
             refused   bad id"
        );
    }

    #[test]
    fn the_json_is_one_line_with_the_same_numbers() {
        let line = summary().json();
        assert!(!line.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["rows_accepted"], 90);
        assert_eq!(read["mb_per_second"], 1.5);
        assert_eq!(read["ack_ms"]["max"], 20.0);
        assert_eq!(read["refusals"][0], "bad id");
    }

    #[test]
    fn a_run_without_time_has_no_speed() {
        assert!(Summary::default().text().contains("0.000 MB/s, 0.0 rows/s"));
    }
}
