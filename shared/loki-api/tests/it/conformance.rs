//! Recorded answers of a real Loki to its endpoints, over the corpus that was recorded with them. Both are read from the directory
//! that `ICEGATE_CONFORMANCE` names; the corpus is written by its generator, which `ICEGATE_PYTHON` runs.
#![allow(clippy::print_stdout, reason = "says what is skipped")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use icegate_loki_api::LokiConfig;
use icegate_model::{RandomIds, Signal, SystemClock, Table, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use icegate_storage::Root;
use icegate_tables::{Append, FileOptions, Ledger, Tables};
use icegate_wal::Wal;
use serde_json::{Value, json};

use crate::api::{Api, TENANT, append_rows};

struct Recordings {
    api: Api,
    cases: BTreeMap<String, Value>,
}

impl Recordings {
    /// The corpus, half of its requests in the table and half in the WAL; none, with a line that says so, where there is no recording.
    async fn load() -> Option<Self> {
        let (Some(directory), Some(python)) = (std::env::var_os("ICEGATE_CONFORMANCE"), std::env::var_os("ICEGATE_PYTHON"))
        else {
            println!("skipped: ICEGATE_CONFORMANCE or ICEGATE_PYTHON isn't set");
            return None;
        };
        let directory = PathBuf::from(directory).join("logql");
        let written = Command::new(python).arg(directory.join("gen_logs.py")).args(["--out", "/dev/stdout"]).output().unwrap();
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        let corpus = String::from_utf8(written.stdout).unwrap();
        let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
        let wal = Arc::new(Wal::new(Root::memory()));
        tables.migrate_create(false).await.unwrap();
        let mut shifted = Vec::new();
        for (index, line) in corpus.lines().enumerate() {
            let origin = Origin { tenant: TENANT.parse().unwrap(), account: None, ingested: Timestamp::from_secs(1_768_474_800) };
            let rows = decode(Signal::Logs, Encoding::Json, line.as_bytes(), &origin, &Limits::default()).unwrap();
            if index % 2 == 0 {
                shifted.extend(rows.batches.into_iter().filter(|(table, _)| *table == Table::Logs).map(|(_, batch)| batch));
            } else {
                append_rows(&wal, TENANT, rows.batches).await;
            }
        }
        let files = tables.write_files(Table::Logs, shifted, FileOptions::default()).await.unwrap();
        tables.commit(Table::Logs, Append { files, ledger: Ledger::default() }).await.unwrap();
        let recorded = std::fs::read_to_string(directory.join("expected.jsonl")).unwrap();
        let cases = recorded.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let cases = cases.map(|case| (case["id"].as_str().unwrap().to_owned(), case)).collect();
        Some(Self { api: Api::over(tables, wal, LokiConfig::default()), cases })
    }

    /// The recorded answer and ours.
    async fn both(&self, id: &str) -> (Value, Value) {
        let case = &self.cases[id];
        let params: Vec<_> = case["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let mut found = self.api.get(case["path"].as_str().unwrap(), &params).await.json();
        if let Some(data) = found.get_mut("data").and_then(Value::as_object_mut) {
            data.remove("stats");
        }
        (case["result"]["doc"].clone(), found)
    }
}

/// Label sets without `severity_text`, which here is a label of streams, sorted and each once.
fn streams(sets: &Value) -> Vec<String> {
    let mut sets: Vec<Value> = sets.as_array().unwrap().clone();
    sets.iter_mut().for_each(|set| _ = set.as_object_mut().unwrap().remove("severity_text"));
    let mut sets: Vec<_> = sets.iter().map(Value::to_string).collect();
    sets.sort();
    sets.dedup();
    sets
}

/// What tells the members of a list apart, sorted.
fn each(list: &Value, tell: impl Fn(&Value) -> Value) -> Vec<String> {
    let mut found: Vec<_> =
        list.as_array().unwrap().iter().map(|one| tell(one).to_string()).filter(|one| !one.contains("severity_text")).collect();
    found.sort();
    found
}

#[tokio::test]
async fn endpoints_answer_as_recorded_but_for_what_is_counted_here() {
    let Some(recordings) = Recordings::load().await else { return };
    for id in ["ep-labels-empty-range", "ep-values", "ep-format"] {
        let (expected, found) = recordings.both(id).await;
        assert_eq!(found, expected, "{id}");
    }
    let (expected, found) = recordings.both("ep-series-all").await;
    assert_eq!(streams(&found["data"]), streams(&expected["data"]));
    // Bytes are counted here and estimated there.
    for id in ["ep-volume", "ep-volume-labels"] {
        let (expected, found) = recordings.both(id).await;
        let tell = |sample: &Value| json!([sample["metric"], sample["value"][0]]);
        assert_eq!(each(&found["data"]["result"], tell), each(&expected["data"]["result"], tell), "{id}");
    }
    let (expected, found) = recordings.both("ep-volume-range").await;
    let times = |series: &Value| -> Value { series["values"].as_array().unwrap().iter().map(|point| point[0].clone()).collect() };
    let tell = |series: &Value| json!([series["metric"], times(series)]);
    assert_eq!(each(&found["data"]["result"], tell), each(&expected["data"]["result"], tell));
    for id in ["ep-detected-labels", "ep-detected-labels-noquery"] {
        let (expected, found) = recordings.both(id).await;
        let tell = |label: &Value| json!([label["label"], label["cardinality"]]);
        assert_eq!(each(&found["detectedLabels"], tell), each(&expected["detectedLabels"], tell), "{id}");
    }
    let (mut expected, mut found) = recordings.both("ep-drilldown").await;
    for document in [&mut expected, &mut found] {
        document["version"].take();
        for ours in ["max_query_series", "volume_max_series"] {
            assert!(document["limits"][ours].take().is_u64(), "{ours}");
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn fields_are_detected_as_recorded() {
    let Some(recordings) = Recordings::load().await else { return };
    for id in ["ep-detected-fields", "ep-detected-fields-logfmt"] {
        let (mut expected, found) = recordings.both(id).await;
        for field in expected["fields"].as_array_mut().unwrap() {
            // Most of their values have a unit, the first one hasn't.
            if field["label"] == "bytes" || field["label"] == "size" {
                field["type"] = json!("bytes");
            }
        }
        let tell =
            |field: &Value| json!([field["label"], field["type"], field["parsers"], field["jsonPath"], field["cardinality"]]);
        assert_eq!(each(&found["fields"], tell), each(&expected["fields"], tell), "{id}");
    }
}
