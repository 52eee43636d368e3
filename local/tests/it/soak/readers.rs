use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};

use super::auditor::{NoAnswer, ask};
use super::place::{Place, Version};
use super::replica::Replica;
use crate::process::script;

/// DuckDB and PyIceberg in one process that counts rows of the versions it is told.
pub(super) struct Readers {
    child: Child,
    answers: BufReader<ChildStdout>,
    options: Value,
}

/// What both readers say of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Tenant -> rows.
    pub(super) rows: BTreeMap<String, u64>,
    /// Different rows by their `send.id`, of all tenants.
    pub(super) different: u64,
}

impl Readers {
    pub(super) fn start(python: &str, place: &Place) -> Self {
        let mut command = Command::new(python);
        command.arg(script("readers.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers, options: place.reader_options.clone() }
    }

    /// Both readers' counts; they have to agree.
    pub(super) fn count(&mut self, location: &str) -> Counted {
        tokio::task::block_in_place(|| {
            let request = json!({ "metadata": location, "options": self.options });
            writeln!(self.child.stdin.as_ref().unwrap(), "{request}").unwrap();
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{location}: {line:?}"));
            let [duckdb, pyiceberg] = ["duckdb", "pyiceberg"].map(|reader| {
                assert!(answer[reader]["error"].is_null(), "{reader} can't read {location}: {}", answer[reader]["error"]);
                counted(&answer[reader])
            });
            assert_eq!(duckdb, pyiceberg, "DuckDB (left) and PyIceberg on {location}");
            duckdb
        })
    }
}

fn counted(answer: &Value) -> Counted {
    let rows = answer["rows"].as_object().unwrap().iter().map(|(tenant, rows)| (tenant.clone(), rows.as_u64().unwrap()));
    Counted { rows: rows.collect(), different: answer["different"].as_u64().unwrap() }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A version of the table, and the tenant's rows in it by our own query of the tables alone.
pub(super) async fn own_count(
    process: &Replica,
    tenant: &str,
    place: &Arc<Place>,
    newest: impl Fn() -> u64,
) -> Result<(Version, u64), NoAnswer> {
    /// The process may turn to a newer snapshot between the two looks at it.
    const ATTEMPTS: usize = 20;
    const QUERY: &str = "sum(count_over_time({service_name=~\".+\"}[100y]))";
    let parameters = [("query", QUERY), ("time", "4102444800")];
    for _ in 0..ATTEMPTS {
        let before = snapshot(process, tenant, &parameters).await?;
        let answer = ask(process, tenant, "query", &parameters).await?;
        if snapshot(process, tenant, &parameters).await? == before {
            let sample = answer["data"]["result"].as_array().unwrap().first();
            let rows = sample.map_or(0, |sample| sample["value"][1].as_str().unwrap().parse().unwrap());
            let version = place.version_of(before, newest()).await;
            return Ok((version.unwrap_or_else(|| panic!("no version has snapshot {before:?}")), rows));
        }
    }
    panic!("the snapshot never stayed for a query:\n{}", process.log());
}

/// The snapshot that a query reads, by `explain`.
async fn snapshot(process: &Replica, tenant: &str, parameters: &[(&str, &str)]) -> Result<Option<i64>, NoAnswer> {
    let answer = ask(process, tenant, "explain", parameters).await?;
    let text = answer["data"]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let after = text.split_once(", snapshot ").map(|(_, after)| after);
    Ok(after.map(|after| after.split_whitespace().next().unwrap().parse().unwrap()))
}
