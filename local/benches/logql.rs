//! Queries over a million generated rows in the tables: CPU seconds, time and bytes read, as a table.
//!
//! `ICEGATE_BENCH_ROWS` asks for another number of rows, `ICEGATE_BENCH_SHORT=1` for so few that the figures mean nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and fails by panicking")]

mod server;

use server::{RECORDS_PER_REQUEST, Server, number};

const ROWS: u64 = 1_000_000;
const SHORT_ROWS: u64 = 20_000;

/// Names, queries and parameters.
const QUERIES: [(&str, &str, &str); 11] = [
    ("newest", r#"{service_name=~".+"}"#, "&limit=100"),
    ("word", r#"{service_name="checkout"} |= "reset by peer""#, "&limit=100"),
    ("absent-word", r#"{service_name=~".+"} |= "no such text""#, "&limit=100"),
    ("regex", r#"{service_name=~".+"} |~ "status=5[0-9]{2} .*user=[0-9]+7 ""#, "&limit=100"),
    ("absent-regex", r#"{service_name=~".+"} |~ "status=9[0-9]{2}""#, "&limit=100"),
    ("json-filter", r#"{service_name=~".+"} | json | status >= 500 | __error__="""#, "&limit=100"),
    ("json-filter-absent", r#"{service_name=~".+"} | json | status > 900 | __error__="""#, "&limit=100"),
    ("sum-by-level", r#"sum by (detected_level) (count_over_time({service_name=~".+"}[1m]))"#, "&step=60"),
    ("sum-by-parsed", r#"sum by (method) (count_over_time({service_name=~".+"} |= "{" | json | __error__="" [1m]))"#, "&step=60"),
    (
        "quantile-unwrap",
        r#"quantile_over_time(0.99, {service_name=~".+"} |= "duration=" | logfmt | unwrap duration(duration) | __error__="" [1m]) by (service_name)"#,
        "&step=60",
    ),
    ("topk", r#"topk(3, sum by (service_name) (rate({service_name=~".+"} |= "status=5" [1m])))"#, "&step=60"),
];

fn main() {
    let short = std::env::var_os("ICEGATE_BENCH_SHORT").is_some();
    let rows = std::env::var("ICEGATE_BENCH_ROWS").map(|rows| rows.parse().unwrap());
    let rows = if short { SHORT_ROWS } else { rows.unwrap_or(ROWS) };
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), 200, 1_000);
    let summary = server.send(rows.div_ceil(RECORDS_PER_REQUEST), "5");
    server.wait_until_shifted();
    println!("over {:.0} rows, {:.0} MB of OTLP", number(&summary, "rows_accepted"), number(&summary, "raw_bytes") / 1e6);
    println!("| query | CPU-seconds | ms | MB read |\n|---|---|---|---|");
    for (name, query, parameters) in QUERIES {
        let measured = server.measure(query, parameters);
        println!(
            "| logql/{name} | {:.3} | {:.0} | {:.1} |",
            measured.cpu_seconds, measured.milliseconds, measured.megabytes_read
        );
    }
    println!("{:.0} MB resident at most", server.peak_resident_mb());
}
