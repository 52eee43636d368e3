//! Remote write into the process: by a real Prometheus that scrapes a page, and by hand.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use icegate_testkit::free_ports;
use serde_json::Value;

use crate::process::{PATIENCE, Process, Settings, encode, python};

/// So many that no window of a query reaches back to the first.
const SCRAPES: u64 = 20;
/// Seconds of a range that is asked for.
const RANGE: u64 = 6;
/// Leaves everything in the WAL.
const NEVER: u64 = 86_400_000;

const QUERIES: [&str; 17] = [
    "up",
    "load",
    "sometimes",
    "count_over_time(sometimes[6s])",
    "requests_total",
    "rate(requests_total[5s])",
    "sum by (code) (increase(requests_total[5s]))",
    "sum(rate(requests_total[5s])) by (job) / on (job) group_left () load",
    "topk(1, requests_total)",
    r#"{__name__=~"rpc_seconds.*",le!="0.1"}"#,
    "histogram_quantile(0.9, sum by (le) (rate(rpc_seconds_bucket[5s])))",
    "pause_seconds",
    "pause_seconds_sum / pause_seconds_count",
    "max_over_time(load[4s]) - min_over_time(load[4s])",
    "deriv(load[5s])",
    "absent(nothing)",
    r#"build_info * on (instance) group_left (version) load"#,
];

/// A Prometheus, killed when dropped.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Debian's `prometheus`, where it is.
fn prometheus(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("prometheus")).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped {test}: there is no prometheus, Debian's package of that name has it");
    }
    found
}

/// What is scraped: each time something else, and something that is only there every third time.
async fn page(State(scrapes): State<Arc<AtomicU64>>) -> ([(&'static str, &'static str); 1], String) {
    let n = scrapes.fetch_add(1, Ordering::SeqCst) + 1;
    let half = n as f64 * 0.1;
    let sometimes = if n % 3 == 0 { "# TYPE sometimes gauge\nsometimes 1\n" } else { "" };
    let text = format!(
        "# HELP load Load of the machine.\n# TYPE load gauge\nload {half}\n\
         # HELP requests Requests.\n# TYPE requests counter\n\
         requests_total{{code=\"200\",path=\"/a \\\"b\\\"\"}} {} # {{trace_id=\"5b8efff798038103d269b633813fc60c\",user=\"u{n}\"}} 0.{n}\n\
         requests_total{{code=\"500\",path=\"ä\"}} {}\n\
         # HELP rpc_seconds Latency.\n# TYPE rpc_seconds histogram\n# UNIT rpc_seconds seconds\n\
         rpc_seconds_bucket{{le=\"0.1\"}} {n}\nrpc_seconds_bucket{{le=\"1.0\"}} {}\nrpc_seconds_bucket{{le=\"+Inf\"}} {}\n\
         rpc_seconds_count {}\nrpc_seconds_sum {half}\n\
         # TYPE pause_seconds summary\npause_seconds{{quantile=\"0.5\"}} NaN\npause_seconds_count {n}\npause_seconds_sum {half}\n\
         # TYPE build info\nbuild_info{{version=\"1.2.3\"}} 1\n{sometimes}# EOF\n",
        n * 7,
        n % 5,
        n * 3,
        n * 4,
        n * 4,
    );
    ([("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

/// Serves the page; how often it was scraped.
async fn served() -> (u16, Arc<AtomicU64>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, scrapes) = (listener.local_addr().unwrap().port(), Arc::default());
    let router = Router::new().route("/metrics", get(page)).with_state(Arc::clone(&scrapes));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, scrapes)
}

/// Starts a Prometheus that scrapes a page every second and writes it to `to`, for the default tenant: Debian's build sends no header of
/// its configuration.
fn started(binary: &Path, folder: &Path, page: u16, to: u16) -> (u16, Prometheus) {
    let [port] = free_ports();
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\n\
         scrape_configs:\n- job_name: shop/page\n  static_configs: [{{ targets: [\"127.0.0.1:{page}\"], labels: {{ env_dc: eu }} }}]\n\
         remote_write:\n- url: http://127.0.0.1:{to}/api/v1/write\n  send_exemplars: true\n\
         \x20 queue_config: {{ batch_send_deadline: 100ms }}\n  metadata_config: {{ send_interval: 1s }}\n"
    );
    let file = folder.join("prometheus.yaml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(binary);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--enable-feature=exemplar-storage", "--log.level=warn"])
        .stdin(Stdio::null());
    (port, Prometheus(command.spawn().unwrap()))
}

/// The data of an answer, where it is one.
async fn data(port: u16, path: &str, parameters: &[(&str, &str)]) -> Option<Value> {
    let url = format!("http://127.0.0.1:{port}/api/v1/{path}?{}", encode(parameters));
    let answer = reqwest::get(url).await.ok()?;
    let mut json: Value = answer.json().await.ok()?;
    (json["status"] == "success").then(|| sorted(json["data"].take()))
}

/// Lists whose order means nothing in an order.
fn sorted(mut data: Value) -> Value {
    let list = if data.is_array() { Some(&mut data) } else { data.get_mut("result") };
    if let Some(Value::Array(items)) = list {
        items.sort_by_key(ToString::to_string);
    }
    data
}

/// All that is asked, up to a time.
fn requests(end: u64) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let start = end - RANGE;
    let (from, to) = (("start", start.to_string()), ("end", end.to_string()));
    let instant = |query: &&'static str| ("query", vec![("query", (*query).to_owned()), ("time", end.to_string())]);
    let range = |query: &&'static str| {
        ("query_range", vec![("query", (*query).to_owned()), from.clone(), to.clone(), ("step", "1".to_owned())])
    };
    let mut requests: Vec<_> = QUERIES.iter().map(instant).chain(QUERIES.iter().map(range)).collect();
    let named = |name: &str| ("query", name.to_owned());
    requests.push(("query_exemplars", vec![named("requests_total"), from.clone(), to.clone()]));
    requests.push(("labels", vec![from.clone(), to.clone()]));
    requests.push(("label/__name__/values", vec![from.clone(), to.clone()]));
    requests.push(("series", vec![("match[]", r#"{__name__=~".+"}"#.to_owned()), from, to]));
    for metric in ["load", "requests", "rpc_seconds"] {
        requests.push(("metadata", vec![("metric", metric.to_owned())]));
    }
    requests
}

/// Answers of a server to all that is asked.
async fn answers(port: u16, end: u64) -> Vec<(String, Option<Value>)> {
    let mut answers = Vec::new();
    for (path, parameters) in requests(end) {
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        answers.push((format!("{path} {parameters:?}"), data(port, path, &parameters).await));
    }
    answers
}

/// Those of which a server has another answer.
async fn differing(port: u16, end: u64, expected: &[(String, Option<Value>)]) -> Vec<String> {
    let found = answers(port, end).await;
    let pairs = found.into_iter().zip(expected);
    let differing = pairs.filter(|((_, found), (_, expected))| !alike(found.as_ref(), expected.as_ref()));
    differing.map(|((request, found), (_, expected))| format!("{request}\n  {found:?}\n  {expected:?}")).collect()
}

/// Equal, but for the last digits of numbers that both compute.
fn alike(found: Option<&Value>, expected: Option<&Value>) -> bool {
    match (found, expected) {
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(Some(a), Some(b)))
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            a.len() == b.len() && a.iter().all(|(name, a)| alike(Some(a), b.get(name)))
        }
        (Some(Value::String(a)), Some(Value::String(b))) => match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(x), Ok(y)) => a == b || (x - y).abs() <= 1e-12 * x.abs().max(y.abs()),
            _ => a == b,
        },
        _ => found == expected,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_that_writes_to_the_process_and_the_process_answer_alike() {
    let Some(binary) = prometheus("a_real_prometheus_that_writes_to_the_process") else { return };
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: NEVER, variables: &[] }).await;
    let (page, scrapes) = served().await;
    let (port, prometheus) = started(&binary, folder.path(), page, process.prometheus);
    let began = Instant::now();
    while scrapes.load(Ordering::SeqCst) < SCRAPES {
        assert!(began.elapsed() < PATIENCE, "it was not scraped");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The second before that of the last scrape has them all.
    let now = data_of_time(port).await;
    let end = now - 1;
    let expected = answers(port, end).await;
    assert!(expected.iter().all(|(_, answer)| answer.is_some()), "{expected:#?}");
    let sampled =
        expected.iter().filter(|(_, answer)| answer.as_ref().unwrap()["result"].as_array().is_some_and(|all| !all.is_empty()));
    assert!(sampled.count() > QUERIES.len(), "{expected:#?}");
    // What was scraped is on its way for a while.
    let began = Instant::now();
    loop {
        let differing = differing(process.prometheus, end, &expected).await;
        if differing.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{}\n{}", differing.join("\n"), process.log());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    drop(prometheus);
    assert!(process.stop().success());

    // Everything in the table.
    let all = segments(data.path());
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 200, variables: &[] }).await;
    let began = Instant::now();
    while process.metric("icegate_shift_segments_total{table=\"metrics\"}").await < all as f64 {
        assert!(began.elapsed() < PATIENCE, "it was not shifted:\n{}", process.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let differing = differing(process.prometheus, end, &expected).await;
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// The second of the newest sample.
async fn data_of_time(port: u16) -> u64 {
    let answer = data(port, "query", &[("query", "floor(max(timestamp(up)))")]).await.unwrap();
    answer["result"][0]["value"][1].as_str().unwrap().parse().unwrap()
}

/// What each line of the script begins with, and the status of its answer. Prometheus itself differs in four: it skips series without a
/// name and with a label twice in silence (204), and refuses samples that come late or twice, or are far ahead (400). Here the first are
/// named, and no sample is too late for a lake.
const PROBED: [(&str, u16); 26] = [
    ("v1 ok", 204),
    ("v1 no encoding header", 204),
    ("v1 gzip enc", 415),
    ("v1 ctype json", 415),
    ("v1 no ctype", 204),
    ("unknown proto", 415),
    ("v1 not snappy", 400),
    ("v1 bad proto", 400),
    ("v1 empty", 204),
    ("v1 no name", 400),
    ("v1 dup label", 400),
    ("v1 unsorted", 204),
    ("v1 empty label value", 204),
    ("v1 utf8 name", 204),
    ("v1 same ts same val", 204),
    ("v1 same ts other val", 204),
    ("v1 OOO 31d old", 204),
    ("v1 future", 204),
    ("v1 stale NaN", 204),
    ("v2 ok", 204),
    ("v2 partial (1 ok,1 no name)", 400),
    ("v2 bad symbol ref", 400),
    ("v2 no samples", 400),
    ("v2 odd refs", 400),
    ("v2 future", 204),
    ("v2 empty", 204),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_write_has_the_status_of_the_specifications() {
    let test = "each_kind_of_write";
    let (Some(python), Some(conformance)) = (python(test), std::env::var_os("ICEGATE_CONFORMANCE")) else {
        eprintln!("skipped {test}: ICEGATE_PYTHON or ICEGATE_CONFORMANCE is not set");
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: NEVER, variables: &[] }).await;
    for (port, name) in [(process.prometheus, "Prometheus'"), (process.otlp_http, "OTLP's")] {
        let url = format!("http://127.0.0.1:{port}/api/v1/write");
        let output =
            Command::new(&python).arg(Path::new(&conformance).join("promql/prom_rw_probe.py")).arg(url).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), PROBED.len(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        for (line, (begins, status)) in lines.iter().zip(PROBED) {
            assert!(line.starts_with(&format!("{begins} ({status}, ")), "on {name} port, expected {status}: {line}");
            let counts = line.contains("X-Prometheus-Remote-Write-Samples-Written")
                || line.contains("x-prometheus-remote-write-samples-written");
            assert_eq!(counts, begins.starts_with("v2"), "{line}");
        }
    }
}

/// Segments of metrics, those among them that are shifted and wait for their grace to end.
fn segments(data: &Path) -> usize {
    let folder = std::fs::read_dir(data.join("queue/metrics")).into_iter().flatten().flatten();
    folder.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "parquet")).count()
}
