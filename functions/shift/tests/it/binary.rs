//! The function's binary under Lambda's Runtime API.

use std::time::Duration;

use icegate_model::{Signal, Table};
use icegate_testkit::LambdaFunction;
use serde_json::{Value, json};

use crate::queue::{Queue, event, failed, notification};
use crate::world::{World, log};

const TIME: Duration = Duration::from_secs(60);

fn line<'a>(log: &'a [Value], field: &str, value: &str) -> &'a Value {
    log.iter().find(|line| line[field] == value).unwrap_or_else(|| panic!("no line whose {field} is {value}: {log:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_becomes_rows_a_reply_lines_of_json_and_metrics_for_cloudwatch() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on_files(folder.path()).await;
    world.send(Signal::Logs, &log("by the binary")).await;
    let mut queue = Queue::default();
    queue.send(notification(&world.keys(Table::Logs).await));
    let bad = queue.send("{");
    let batch = serde_json::to_vec(&event(&queue.receive(2))).unwrap();

    let root = folder.path().to_str().unwrap();
    let variables = [
        ("ICEGATE_STORAGE__BACKEND", "filesystem"),
        ("ICEGATE_STORAGE__ROOT_PATH", root),
        ("ICEGATE_TRACING__SERVICE_NAME", "dev"),
    ];
    let function = LambdaFunction::start("function-shift", folder.path(), &variables);
    let invoked = tokio::task::block_in_place(|| function.invoke(&batch, TIME));
    assert!(invoked.ok);
    assert_eq!(failed(&serde_json::from_slice(&invoked.body).unwrap()), [bad]);
    assert_eq!(world.column(Table::Logs, "body").await, ["by the binary"]);
    let round = tokio::task::block_in_place(|| function.invoke(b"{}", TIME));
    let report: Value = serde_json::from_slice(&round.body).unwrap();
    assert_eq!(report["tables"].as_array().unwrap().len(), Table::ALL.len());
    let refused = tokio::task::block_in_place(|| function.invoke(br#"{"source":"aws.ec2"}"#, TIME));
    let refused: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(refused["errorType"], "EventFailed", "{refused}");

    function.wait_until_idle();
    // Every line is JSON, also where the function's own metrics stand between.
    let log: Vec<Value> = function.log().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shifted = line(&log, "message", "segment is in the table");
    assert_eq!(shifted["spans"][0]["request_id"], json!(invoked.request_id), "{shifted}");
    let metrics: Vec<_> = log.iter().filter(|line| line.get("Invocations").is_some()).collect();
    assert_eq!(metrics.len(), 3, "{metrics:?}");
    for (name, values) in [
        ("ColdStarts", [1, 0, 0]),
        ("Failures", [0, 0, 1]),
        ("ShiftSegments", [1, 0, 0]),
        ("ShiftRows", [1, 0, 0]),
        ("ShiftBadMessages", [1, 0, 0]),
        ("ShiftLagSeconds", [0, 0, 0]),
    ] {
        assert_eq!(metrics.iter().map(|line| line[name].clone()).collect::<Vec<_>>(), values.map(|value| json!(value)), "{name}");
    }
    assert!(metrics[0]["ColdStartMilliseconds"].as_f64().unwrap() > 0.0);
    assert!(metrics[0]["StoragePuts"].as_i64().unwrap() >= 3 && metrics[2]["StoragePuts"] == 0, "{metrics:?}");
    assert_eq!((&metrics[0]["service"], &metrics[0]["function"]), (&json!("dev"), &json!("shift")));
}
