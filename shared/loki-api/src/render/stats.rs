use std::sync::Arc;
use std::time::Duration;

use icegate_engine::{ReadFigures, ScanReport};
use icegate_logql::Answer;
use serde::Serialize;

/// What a query took: Loki's summary as far as it is measured here, and what was read.
///
/// Bytes are those fetched from storage, compressed; lines are those decoded, at least in the columns that filters look at. What
/// bounds and bloom filters leave out counts for neither.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    summary: Summary,
    icegate: Total,
    /// For the answer, beside its data.
    #[serde(skip)]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    bytes_processed_per_second: u64,
    lines_processed_per_second: u64,
    total_bytes_processed: u64,
    total_lines_processed: u64,
    exec_time: f64,
    total_entries_returned: u64,
}

/// All scans of a query together.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    scans: u64,
    files: u64,
    files_outside_range: u64,
    segments: u64,
    segments_outside_range: u64,
    segments_shifted: u64,
    /// Lines and bytes, compressed, of the planned files and segments.
    planned_lines: u64,
    planned_bytes: u64,
    /// What of them wasn't read, and by what that was known.
    lines_filtered: u64,
    lines_outside_page_bounds: u64,
    row_groups_outside_bounds: u64,
    row_groups_outside_bloom_filters: u64,
    files_outside_index: u64,
    index_bytes: u64,
}

impl Stats {
    pub(crate) fn new(scans: &[(Arc<ScanReport>, ReadFigures)], took: Duration, answer: &Answer) -> Self {
        let (mut read, mut bytes, mut lines) = (Total::default(), 0, 0);
        for (report, figures) in scans {
            read.add(report, figures);
            bytes += figures.bytes;
            lines += figures.rows;
        }
        let summary = Summary {
            bytes_processed_per_second: per_second(bytes, took),
            lines_processed_per_second: per_second(lines, took),
            total_bytes_processed: bytes,
            total_lines_processed: lines,
            exec_time: took.as_secs_f64(),
            total_entries_returned: returned(answer),
        };
        Self { summary, icegate: read, warnings: crate::rows::warnings(scans.iter().map(|(report, _)| report)) }
    }

    /// Adds a warning of its own.
    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Total {
    fn add(&mut self, report: &ScanReport, figures: &ReadFigures) {
        self.scans += 1;
        self.files += report.files.planned;
        self.files_outside_range += report.files.outside_range;
        self.segments += report.segments.planned;
        self.segments_outside_range += report.segments.outside_range;
        self.segments_shifted += report.segments.shifted;
        self.planned_lines += report.files.rows + report.segments.rows;
        self.planned_bytes += report.files.bytes + report.segments.bytes;
        self.lines_filtered += figures.rows_filtered;
        self.lines_outside_page_bounds += figures.rows_outside_page_bounds;
        self.row_groups_outside_bounds += figures.row_groups_outside_bounds;
        self.row_groups_outside_bloom_filters += figures.row_groups_outside_bloom_filters;
        self.files_outside_index += figures.files_outside_index;
        self.index_bytes += figures.index_bytes;
    }
}

fn per_second(amount: u64, took: Duration) -> u64 {
    let rate = u128::from(amount) * 1_000_000_000 / took.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// Lines, points or samples.
fn returned(answer: &Answer) -> u64 {
    let count: usize = match answer {
        Answer::Streams(streams) => streams.iter().map(|stream| stream.entries.len()).sum(),
        Answer::Matrix(series) => series.iter().map(|series| series.points.len()).sum(),
        Answer::Vector(samples) => samples.len(),
        Answer::Scalar(_) => 1,
    };
    count as u64
}

/// What one scan reads, as `explain` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Read {
    table: &'static str,
    snapshot: Option<i64>,
    files: Files,
    segments: Segments,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Files {
    planned: u64,
    outside_range: u64,
    rows: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Segments {
    planned: u64,
    outside_range: u64,
    shifted: u64,
    repeated_requests: u64,
    rows: u64,
    bytes: u64,
}

impl Read {
    pub(crate) fn of(report: &ScanReport) -> Self {
        let (files, segments) = (&report.files, &report.segments);
        Self {
            table: report.table.name(),
            snapshot: report.snapshot,
            files: Files { planned: files.planned, outside_range: files.outside_range, rows: files.rows, bytes: files.bytes },
            segments: Segments {
                planned: segments.planned,
                outside_range: segments.outside_range,
                shifted: segments.shifted,
                repeated_requests: segments.repeated_requests,
                rows: segments.rows,
                bytes: segments.bytes,
            },
        }
    }
}
