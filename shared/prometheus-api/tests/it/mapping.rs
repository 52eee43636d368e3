//! The series that Prometheus makes of the same metrics under each of its options.
#![allow(clippy::print_stdout, reason = "says what is skipped")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use icegate_prometheus_api::{PrometheusConfig, Promotion, Strategy, Translation};
use serde_json::Value;

use crate::api::Store;

fn folder() -> Option<(PathBuf, String)> {
    let (folder, python) = (std::env::var_os("ICEGATE_CONFORMANCE"), std::env::var("ICEGATE_PYTHON"));
    let (Some(folder), Ok(python)) = (folder, python) else {
        println!("skipped the mapping of OTLP: ICEGATE_CONFORMANCE and ICEGATE_PYTHON name no conformance data and no Python");
        return None;
    };
    Some((PathBuf::from(folder).join("promql"), python))
}

fn requests(folder: &std::path::Path, python: &str) -> Vec<Value> {
    // The recordings are of the first half hour, before some series begin.
    let arguments = ["--minutes", "30", "--out", "/dev/stdout"];
    let output = Command::new(python).arg(folder.join("gen_metrics.py")).args(arguments).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(series: &Value) -> BTreeSet<String> {
    series.as_array().unwrap().iter().map(ToString::to_string).collect()
}

fn translations() -> [(&'static str, Translation); 6] {
    let strategy = |strategy| Translation { strategy, ..Translation::default() };
    let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    [
        ("UnderscoreEscapingWithSuffixes", strategy(Strategy::UnderscoreEscapingWithSuffixes)),
        ("UnderscoreEscapingWithoutSuffixes", strategy(Strategy::UnderscoreEscapingWithoutSuffixes)),
        ("NoUTF8EscapingWithSuffixes", strategy(Strategy::NoUtf8EscapingWithSuffixes)),
        ("NoTranslation", strategy(Strategy::NoTranslation)),
        (
            "options",
            Translation {
                promotion: Promotion::Only(owned(&["deployment.environment", "host.name"])),
                keep_identifying: true,
                promote_scope: true,
                histograms_to_nhcb: true,
                ..Translation::default()
            },
        ),
        (
            "promoteall_typeunit",
            Translation {
                promotion: Promotion::AllBut(owned(&["cloud.region"])),
                sanitize_underscores: false,
                preserve_underscores: false,
                type_and_unit_labels: true,
                ..Translation::default()
            },
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_series_are_those_of_prometheus_under_each_of_its_options() {
    let Some((folder, python)) = folder() else { return };
    let store = Store::new().await;
    store.shifted(&requests(&folder, &python)).await;
    let mut differing = Vec::new();
    for (name, translation) in translations() {
        let api = store.api(PrometheusConfig { translation, ..PrometheusConfig::default() });
        let found = texts(&api.get("/api/v1/series?match[]=%7B__name__%3D~%22.%2B%22%7D").await.data());
        let recorded = std::fs::read(folder.join(format!("otlp_mapping/{name}.series.json"))).unwrap();
        let recorded = texts(&serde_json::from_slice(&recorded).unwrap());
        println!("{name}: {} series, recorded {}", found.len(), recorded.len());
        differing.extend(found.difference(&recorded).take(3).map(|series| format!("{name}: too many: {series}")));
        differing.extend(recorded.difference(&found).take(3).map(|series| format!("{name}: missing: {series}")));
    }
    assert!(differing.is_empty(), "{differing:#?}");
}
