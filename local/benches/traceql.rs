//! Traces by their ids, and queries over 300,000 generated spans in the table: CPU seconds, time, bytes and files read, as a table.
//!
//! `ICEGATE_BENCH_SPANS` asks for another number of spans, `ICEGATE_BENCH_SHORT=1` for so few that the figures mean nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and fails by panicking")]

mod server;
mod spans;

use std::path::Path;
use std::time::{Duration, Instant};

use icegate_model::{Clock, SystemClock};
use server::{Measured, Server, encode};
use spans::{SPANS_PER_TRACE, requests, trace_id};

const SPANS: u64 = 300_000;
const SHORT_SPANS: u64 = 2_000;
/// How long shifting may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Names and queries that find all that there is.
const SEARCHES: [(&str, &str); 4] = [
    ("service-and-duration", r#"{ resource.service.name = "checkout" && duration > 400ms }"#),
    ("status-code", "{ span.http.response.status_code = 500 }"),
    ("descendants", "{ kind = server && status = error } >> { kind = client }"),
    ("newest", "{ }"),
];

const METRICS: [(&str, &str); 3] = [
    ("rate-by-service", "{ } | rate() by (resource.service.name)"),
    ("quantile-by-service", "{ } | quantile_over_time(duration, 0.5, 0.9, 0.99) by (resource.service.name)"),
    ("compare", "{ } | compare({ status = error })"),
];

fn main() {
    let short = std::env::var_os("ICEGATE_BENCH_SHORT").is_some();
    let spans = std::env::var("ICEGATE_BENCH_SPANS").map(|spans| spans.parse().unwrap());
    let spans = if short { SHORT_SPANS } else { spans.unwrap_or(SPANS) };
    let traces = spans.div_ceil(SPANS_PER_TRACE);
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), 200, 1_000);
    let now = u64::try_from(SystemClock.now().nanos()).unwrap() / 1_000_000_000;
    let (start, end) = (now - 3_600, now);
    server.send_traces(requests(traces, start, end));
    wait_until_shifted(&server, (traces * SPANS_PER_TRACE) as f64);
    let bytes = bytes_of(&data.path().join("warehouse"));
    println!(
        "over {} spans in {traces} traces, {:.1} bytes each in the table",
        traces * SPANS_PER_TRACE,
        bytes as f64 / (traces * SPANS_PER_TRACE) as f64
    );
    println!("| query | CPU-seconds | ms | MB read | files |\n|---|---|---|---|---|");

    let (hit, text) = server.measure_tempo(&format!("/api/v2/traces/{:032x}", trace_id(traces / 2)));
    assert_eq!(text.matches("\"spanId\"").count() as u64, SPANS_PER_TRACE, "{text}");
    print("by-id/hit", &hit);
    let (miss, text) = server.measure_tempo("/api/v2/traces/00000000000000000000000000000bad");
    assert!(text.contains("\"trace\":{}"), "{text}");
    print("by-id/miss", &miss);
    for (name, query) in SEARCHES {
        let limit = if name == "newest" { 20 } else { 100_000 };
        let (measured, text) =
            server.measure_tempo(&format!("/api/search?start={start}&end={end}&limit={limit}&q={}", encode(query)));
        assert!(text.contains("\"traceID\""), "{name}: {text}");
        print(&format!("search/{name}"), &measured);
    }
    for (name, query) in METRICS {
        let (measured, text) =
            server.measure_tempo(&format!("/api/metrics/query_range?start={start}&end={end}&step=60&q={}", encode(query)));
        assert!(text.contains("\"samples\""), "{name}: {text}");
        print(&format!("metrics/{name}"), &measured);
    }
    println!("{:.0} MB resident at most", server.peak_resident_mb());
}

fn print(name: &str, measured: &Measured) {
    let Measured { cpu_seconds, milliseconds, megabytes_read, files } = measured;
    println!("| traceql/{name} | {cpu_seconds:.3} | {milliseconds:.0} | {megabytes_read:.1} | {files:.0} |");
}

fn wait_until_shifted(server: &Server, spans: f64) {
    let begun = Instant::now();
    while server.metric("icegate_shift_rows_total{table=\"spans\"}") < spans {
        assert!(begun.elapsed() < PATIENCE, "the spans were not shifted");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Bytes of the Parquet files below a folder.
fn bytes_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let bytes = entries.map(|path| match path.extension() {
        _ if path.is_dir() => bytes_of(&path),
        Some(extension) if extension == "parquet" => path.metadata().unwrap().len(),
        _ => 0,
    });
    bytes.sum()
}
