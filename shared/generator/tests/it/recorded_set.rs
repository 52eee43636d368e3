//! The data set of a recording, and the series that Tempo's generator made of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::series::Series;

/// What was sent, one request after the other as OTLP/JSON, and what came of it.
pub(crate) struct Recorded {
    pub(crate) requests: Vec<String>,
    pub(crate) series: Series,
}

/// `None`, with a line that says so, where there is no recording or no Python that makes its data.
#[allow(clippy::print_stdout, reason = "says what is skipped")]
pub(crate) fn recorded() -> Option<Recorded> {
    let (Some(directory), Some(python)) = (std::env::var_os("ICEGATE_CONFORMANCE"), std::env::var_os("ICEGATE_PYTHON")) else {
        println!("skipped: ICEGATE_CONFORMANCE or ICEGATE_PYTHON isn't set");
        return None;
    };
    let directory = PathBuf::from(directory).join("traceql");
    let made = std::env::temp_dir().join(format!("icegate-generator-{}.ndjson", std::process::id()));
    let run = Command::new(python).arg(directory.join("gen_traces.py")).arg("--out").arg(&made).status();
    assert!(run.unwrap().success(), "the data can't be made");
    let requests = std::fs::read_to_string(&made).unwrap().lines().map(str::to_owned).collect();
    std::fs::remove_file(&made).unwrap();
    let text = std::fs::read_to_string(directory.join("generator_series.json")).unwrap();
    let series = serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap();
    let read = series.iter().map(|series| {
        let mut labels: BTreeMap<String, String> = serde_json::from_value(series["labels"].clone()).unwrap();
        // Names the machine that ran it.
        labels.remove("__metrics_gen_instance");
        (labels, series["value"].as_f64().unwrap())
    });
    Some(Recorded { requests, series: read.collect() })
}
