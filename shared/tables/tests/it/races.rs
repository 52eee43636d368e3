//! Writers that commit to one table at the same time.

use std::io::Write;
use std::sync::Arc;

use icegate_model::Table;
use icegate_tables::{Tables, TablesError};

use crate::backends::Bench;
use crate::conformance::{ledger, on_every_backend, write_and_commit};
use crate::rows::{NEW_YEAR, log};

const WRITERS: u64 = 4;
const COMMITS: i64 = 25;

on_every_backend!(no_commit_of_four_writers_is_lost);

/// What a writer was told of its commits.
#[derive(Default)]
struct Acknowledged {
    segments: Vec<String>,
    rows: u64,
    conflicts: u32,
}

async fn write(tables: Arc<Tables>, writer: u64) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    for commit in 0..COMMITS {
        // One to three rows, so that a commit that is lost can't be made up for by another.
        let rows: Vec<_> =
            (0..=commit % 3).map(|row| log("a", "s", NEW_YEAR + row, &format!("{writer}/{commit}/{row}"))).collect();
        let segment = format!("w{writer}c{commit}");
        let committed = loop {
            match write_and_commit(&tables, &rows, ledger(&[&segment], &[])).await {
                Ok(committed) => break committed,
                Err(TablesError::Contended { attempts, .. }) => acknowledged.conflicts += attempts,
                Err(error) => panic!("{segment}: {error}"),
            }
        };
        acknowledged.segments.push(segment);
        acknowledged.rows += committed.rows_added;
        acknowledged.conflicts += committed.attempts - 1;
    }
    acknowledged
}

async fn no_commit_of_four_writers_is_lost(bench: Bench) {
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push(tokio::spawn(write(bench.another(writer + 10).await, writer)));
    }
    let mut all = Acknowledged::default();
    for writer in writers {
        let Acknowledged { segments, rows, conflicts } = writer.await.unwrap();
        all.segments.extend(segments);
        all.rows += rows;
        all.conflicts += conflicts;
    }
    let snapshot = bench.another(99).await.snapshot(Table::Logs).await.unwrap();
    let figures = format!(
        "{} commits acknowledged with {} rows after {} conflicts; the table has {} rows in {} files",
        all.segments.len(),
        all.rows,
        all.conflicts,
        snapshot.total_rows(),
        snapshot.files().len(),
    );
    let _ = writeln!(std::io::stderr(), "{figures}");
    // Nine times 1, eight times 2 and eight times 3 rows a writer.
    assert_eq!(all.rows, 4 * 49, "{figures}");
    assert_eq!(snapshot.total_rows(), all.rows, "{figures}");
    assert_eq!(snapshot.files().len(), all.segments.len(), "{figures}");
    assert_eq!(snapshot.shifted().segments().count(), all.segments.len(), "{figures}");
    assert!(all.segments.iter().all(|segment| snapshot.shifted().contains(segment)), "{figures}");
}
