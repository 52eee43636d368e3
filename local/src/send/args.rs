use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use icegate_model::{AccountId, Signal, TenantId, Timestamp};

/// Most workers of one run; each holds a connection and a request.
const MAX_CONCURRENCY: u64 = 1024;
/// Most records of one generated request.
const MAX_RECORDS: u64 = 1_000_000;
/// Most repetitions of a request.
const MAX_RETRIES: u64 = 1_000;

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// OTLP over HTTP/1.1
    Http,
    /// OTLP over gRPC
    Grpc,
}

/// How request bodies are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    /// Not at all
    None,
    /// gzip
    Gzip,
    /// Zstandard
    Zstd,
}

/// What `icegate send` takes from the command line.
#[derive(Clone, Debug, Args)]
pub(crate) struct SendArgs {
    /// Where to send, with or without the signal's path; given several times, replicas: a request that one is too busy for, or
    /// that a broken connection leaves unanswered, goes with the same bytes to the next, and waits only after all were tried
    /// [default: http://localhost:4318, with gRPC http://localhost:4317]
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Vec<String>,
    /// How requests travel
    #[arg(long, value_enum, default_value_t = Transport::Http)]
    pub(crate) transport: Transport,
    /// Protobuf bodies over HTTP instead of JSON; gRPC always has them
    #[arg(long)]
    pub(crate) use_protobuf: bool,
    /// Compress the bodies
    #[arg(long, value_enum, default_value_t = Compression::None)]
    pub(crate) compression: Compression,
    /// What to send: logs, traces or metrics
    #[arg(long, default_value = "logs", value_parser = signal, value_name = "SIGNAL")]
    pub(crate) signal: Signal,
    /// Requests to send [default: 1, with --replay the whole file]
    #[arg(long, conflicts_with = "continuous")]
    pub(crate) count: Option<u64>,
    /// Send until interrupted
    #[arg(long, conflicts_with = "replay")]
    pub(crate) continuous: bool,
    /// Requests under way at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_CONCURRENCY))]
    pub(crate) concurrency: u64,
    /// Pause of each worker between its requests, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) message_interval_ms: u64,
    /// Log records, spans or points in a generated request
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_RECORDS))]
    pub(crate) records_per_message: u64,
    /// Percentage of generated records that the server has to refuse
    #[arg(long, default_value_t = 0.0, value_parser = percent, value_name = "PERCENT")]
    pub(crate) invalid_record_percent: f64,
    /// Tenant to send as
    #[arg(long, default_value = "default", value_name = "TENANT")]
    pub(crate) tenant_id: TenantId,
    /// Send as this many tenants, named TENANT-1 and so on
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tenant_count: u64,
    /// Account to send as
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account_id: Option<AccountId>,
    /// What the generated content is drawn from
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Number of the first generated record, to continue an earlier run
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) start_number: u64,
    /// Time of record 0, RFC 3339 or Unix seconds [default: records have the time at which they are made]
    #[arg(long, value_parser = start_time, value_name = "TIME")]
    pub(crate) start_time: Option<Timestamp>,
    /// Time from a record to the next, in milliseconds
    #[arg(long, default_value_t = 1, requires = "start_time", value_name = "MS")]
    pub(crate) time_step_ms: u64,
    /// Send a file of export requests instead: each a little-endian 32-bit length and so many bytes of protobuf
    #[arg(long, value_name = "FILE", conflicts_with_all = ["records_per_message", "invalid_record_percent", "start_time", "start_number"])]
    pub(crate) replay: Option<PathBuf>,
    /// Join consecutive messages of the file to requests of about so many bytes
    #[arg(long, requires = "replay", value_name = "BYTES")]
    pub(crate) merge_bytes: Option<u64>,
    /// Append `<request number> <rows> acked` to a file for every acknowledged request
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Send a request so many times more, over all endpoints, when a server is unreachable or busy
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=MAX_RETRIES))]
    pub(crate) retries: u64,
    /// Print the summary as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl SendArgs {
    /// How many requests to send; none where only the end of the file or an interrupt ends the run.
    pub(crate) fn requests(&self) -> Option<u64> {
        if self.continuous || (self.replay.is_some() && self.count.is_none()) { None } else { Some(self.count.unwrap_or(1)) }
    }

    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(self.message_interval_ms)
    }
}

fn signal(text: &str) -> Result<Signal, String> {
    Signal::ALL.into_iter().find(|signal| signal.name() == text).ok_or_else(|| "allowed are logs, traces and metrics".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(|| "allowed are 0 to 100".to_owned())
}

fn start_time(text: &str) -> Result<Timestamp, String> {
    // OTLP's times are unsigned.
    icegate_http::time(text)
        .and_then(|time| if time.nanos() < 0 { Err("allowed are times since 1970".to_owned()) } else { Ok(time) })
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SendArgs,
    }

    pub(crate) fn parsed(line: &str) -> SendArgs {
        Line::try_parse_from(std::iter::once("send").chain(line.split_whitespace())).unwrap().args
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let args = parsed("");
        assert_eq!((args.transport, args.use_protobuf, args.compression), (Transport::Http, false, Compression::None));
        assert_eq!((args.requests(), args.concurrency, args.records_per_message), (Some(1), 1, 1));
        assert_eq!((args.interval(), args.continuous), (Duration::ZERO, false));
        assert_eq!((args.tenant_id.as_str(), args.tenant_count), ("default", 1));
        assert!(args.invalid_record_percent.abs() < f64::EPSILON);
        assert_eq!((args.signal, args.seed, args.start_number, args.retries), (Signal::Logs, 1, 0, 5));
    }

    #[test]
    fn a_file_is_replayed_to_its_end_unless_a_count_is_given() {
        assert_eq!(parsed("--replay f").requests(), None);
        assert_eq!(parsed("--replay f --count 3").requests(), Some(3));
        assert_eq!(parsed("--continuous").requests(), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "--continuous --count 2",
            "--continuous --replay f",
            "--merge-bytes 100",
            "--time-step-ms 5",
            "--invalid-record-percent 101",
            "--invalid-record-percent NaN",
            "--concurrency 0",
            "--records-per-message 0",
            "--signal profiles",
            "--tenant-id a/b",
            "--start-time 1969-12-31T23:59:59Z",
        ] {
            assert!(Line::try_parse_from(std::iter::once("send").chain(line.split_whitespace())).is_err(), "{line}");
        }
    }

    #[test]
    fn a_start_time_is_rfc_3339_or_unix_seconds() {
        for line in ["--start-time 2024-01-01T00:00:00Z", "--start-time 1704067200"] {
            assert_eq!(parsed(line).start_time, Some(Timestamp::from_secs(1_704_067_200)), "{line}");
        }
    }
}
