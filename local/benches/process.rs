//! The whole process, measured from outside: OTLP to durable acknowledgement, and queries over what was sent.
//!
//! Starts the release binary on a folder of its own, loads it with `icegate send`, and reads the server's CPU seconds and resident
//! memory from `/proc`.  `ICEGATE_BENCH_SHORT=1` runs the same steps on little data; its figures mean nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and fails by panicking")]

mod server;

use std::path::Path;

use server::{RECORDS_PER_REQUEST, Server, number};

fn ingest(requests: u64) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), 1_000, 30_000);
    server.send(requests / 10 + 1, "1");
    let before = server.cpu_seconds();
    let summary = server.send(requests, "2");
    let cpu = server.cpu_seconds() - before;
    let megabytes = number(&summary, "raw_bytes") / 1e6;
    println!(
        "process/ingest/otlp-protobuf/1MB: {:.1} MB raw per CPU-second, {:.0} rows/s, {:.1} MB/s, ack p50 {:.0} ms p99 {:.0} ms, {:.0} MB resident at most",
        megabytes / cpu,
        number(&summary, "rows_per_second"),
        number(&summary, "mb_per_second"),
        number(&summary["ack_ms"], "p50"),
        number(&summary["ack_ms"], "p99"),
        server.peak_resident_mb()
    );
}

fn query(rows: u64) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), 200, 1_000);
    let summary = server.send(rows.div_ceil(RECORDS_PER_REQUEST), "3");
    let queue = data.path().join("queue/logs");
    server.wait_until_shifted();
    println!(
        "process/stored/logs: {:.1} raw bytes per byte in the tables, {:.1} per byte in the WAL",
        number(&summary, "raw_bytes") / folder_bytes(&data.path().join("warehouse/icegate/logs")) as f64,
        number(&summary, "raw_bytes") / folder_bytes(&queue) as f64
    );
    for (name, query, parameters) in [
        ("process/query/filter-limit-100", r#"{service_name="checkout"} |= "reset by peer""#, "&limit=100"),
        ("process/query/filter-absent", r#"{service_name="checkout"} |= "no such text""#, "&limit=100"),
        ("process/query/count-by-service", "sum by (service_name) (count_over_time({service_name=~\".+\"}[5m]))", "&step=60"),
    ] {
        let measured = server.measure(query, parameters);
        println!(
            "{name}: {:.3} CPU-seconds, {:.0} ms, {:.1} MB read, over {:.0} rows",
            measured.cpu_seconds,
            measured.milliseconds,
            measured.megabytes_read,
            number(&summary, "rows_accepted")
        );
    }
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() { folder_bytes(&entry.path()) } else { entry.metadata().unwrap().len() }
        })
        .sum()
}

fn main() {
    let short = std::env::var_os("ICEGATE_BENCH_SHORT").is_some();
    ingest(if short { 10 } else { 600 });
    query(if short { 20_000 } else { 1_000_000 });
}
