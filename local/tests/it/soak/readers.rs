use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::auditor::{NoAnswer, ask};
use super::replica::Replica;
use crate::backend::Backend;
use crate::process::script;

/// DuckDB and PyIceberg in one process that counts rows of snapshots of the logs table.
pub(super) struct Readers {
    child: Child,
    answers: BufReader<ChildStdout>,
}

/// What both readers say of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) snapshot: Option<i64>,
    /// Tenant -> rows.
    pub(super) rows: BTreeMap<String, u64>,
}

impl Counted {
    pub(super) fn total(&self) -> u64 {
        self.rows.values().sum()
    }
}

impl Readers {
    pub(super) fn start(python: &str, backend: &Backend) -> Self {
        let mut command = Command::new(python);
        command.arg(script("readers.py")).arg(backend.tables().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    /// Counts a snapshot, or the newest. Both readers have to find the same rows, as many as the snapshot's summary says, and each
    /// once.
    pub(super) fn count(&mut self, snapshot: Option<i64>) -> Counted {
        tokio::task::block_in_place(|| {
            writeln!(self.child.stdin.as_ref().unwrap(), "{}", json!(snapshot)).unwrap();
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the readers said {line:?}"));
            assert!(answer["error"].is_null(), "snapshot {snapshot:?} can't be read: {}", answer["error"]);
            let (duckdb, pyiceberg) = (&answer["duckdb"], &answer["pyiceberg"]);
            assert_eq!(duckdb, pyiceberg, "DuckDB (left) and PyIceberg on {}", answer["snapshot"]);
            let rows = duckdb["rows"].as_object().unwrap().iter();
            let rows = rows.map(|(tenant, rows)| (tenant.clone(), rows.as_u64().unwrap())).collect();
            let counted = Counted { snapshot: answer["snapshot"].as_i64(), rows };
            let expected = [&answer["total"], &duckdb["different"]].map(|count| count.as_u64().unwrap());
            assert_eq!(expected, [counted.total(); 2], "rows by the summary and different rows (left), and rows found: {answer}");
            counted
        })
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A snapshot, and the tenant's rows in it by our own query of the tables alone.
pub(super) async fn own_count(process: &Replica, tenant: &str) -> Result<(Option<i64>, u64), NoAnswer> {
    /// The process may turn to a newer snapshot between the two looks at it.
    const ATTEMPTS: usize = 20;
    for _ in 0..ATTEMPTS {
        let before = snapshot(process, tenant).await?;
        let rows = rows(process, tenant).await?;
        if snapshot(process, tenant).await? == before {
            return Ok((before, rows));
        }
    }
    panic!("the snapshot never stayed for a query: {}", process.log());
}

const ALL: [(&str, &str); 2] = [("query", "sum(count_over_time({service_name=~\".+\"}[100y]))"), ("time", "4102444800")];

/// All rows of the tenant.
pub(super) async fn rows(process: &Replica, tenant: &str) -> Result<u64, NoAnswer> {
    let answer = ask(process, tenant, "query", &ALL).await?;
    let sample = answer["data"]["result"].as_array().unwrap().first();
    Ok(sample.map_or(0, |sample| sample["value"][1].as_str().unwrap().parse().unwrap()))
}

/// The snapshot that a query reads, by `explain`.
async fn snapshot(process: &Replica, tenant: &str) -> Result<Option<i64>, NoAnswer> {
    let answer = ask(process, tenant, "explain", &ALL).await?;
    let text = answer["data"]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let after = text.split_once(", snapshot ").map(|(_, after)| after);
    Ok(after.map(|after| after.split_whitespace().next().unwrap().parse().unwrap()))
}
