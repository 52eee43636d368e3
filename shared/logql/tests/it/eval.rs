//! Scripts of `load` and `eval`: what a query answers over rows given as JSON lines, in every layout of the rows.
//!
//! `eval instant T QUERY`, `eval range START END STEP QUERY`, `eval logs START END LIMIT DIRECTION QUERY`,
//! `eval spaced INTERVAL LIMIT DIRECTION QUERY` (lines at least an interval apart, from 0s to 10m), `eval labels`,
//! `eval values NAME`; the lines after it, indented, are the answer.

use std::time::Duration;

use icegate_logql::{
    Answer, Direction, Limits, LogqlError, QueryParams, evaluate, label_names, label_values, parse, parse_selector,
};
use icegate_model::{TimeRange, Timestamp};
use icegate_syntax::{duration, number};

use super::rows::{LAYOUTS, Loaded, load};

pub(crate) fn time(text: &str) -> i64 {
    duration::go(text).or_else(|| duration::prometheus(text)).unwrap_or_else(|| panic!("no time: {text}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_nanos(time(text))
}

#[tokio::test]
async fn scripts_give_the_answers_that_they_state_in_every_layout() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/eval");
    let mut failures = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        script(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap(), &mut failures).await;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

async fn script(name: &str, text: &str, failures: &mut Vec<String>) {
    let mut rows = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let block: Vec<_> = std::iter::from_fn(|| lines.next_if(|next| next.starts_with("  "))).map(str::trim).collect();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => {}
            ("load", _) => rows = block.iter().map(|row| serde_json::from_str(row).unwrap()).collect(),
            ("eval", command) => {
                for layout in LAYOUTS {
                    let found = run(command, &load(&rows, layout)).await.unwrap_or_else(|error| vec![format!("error {error}")]);
                    if found != block {
                        failures.push(format!("{name}: {command} {layout:?}\n  expected {block:#?}\n  found {found:#?}"));
                    }
                }
            }
            _ => panic!("{name}: unknown verb in {line:?}"),
        }
    }
}

async fn run(command: &str, rows: &Loaded) -> Result<Vec<String>, LogqlError> {
    let mut words = command.splitn(6, ' ');
    let mut params = QueryParams {
        start: at("0s"),
        end: at("0s"),
        step: Duration::ZERO,
        interval: Duration::ZERO,
        limit: 100,
        direction: Direction::Backward,
        now: Timestamp::from_secs(1_700_000_000),
        limits: Limits { series: 20, ..Limits::default() },
    };
    let mut word = || words.next().unwrap_or_default();
    let query = match word() {
        "instant" => {
            params.end = at(word());
            params.start = params.end;
            command.splitn(3, ' ').nth(2)
        }
        "range" => {
            (params.start, params.end) = (at(word()), at(word()));
            params.step = Duration::from_nanos(time(word()).unsigned_abs());
            command.splitn(5, ' ').nth(4)
        }
        "logs" => {
            (params.start, params.end) = (at(word()), at(word()));
            params.step = Duration::from_secs(60);
            params.limit = word().parse().unwrap();
            if word() == "forward" {
                params.direction = Direction::Forward;
            }
            command.splitn(6, ' ').nth(5)
        }
        "spaced" => {
            params.interval = Duration::from_nanos(time(word()).unsigned_abs());
            (params.start, params.end, params.step) = (at("0s"), at("10m"), Duration::from_secs(60));
            params.limit = word().parse().unwrap();
            if word() == "forward" {
                params.direction = Direction::Forward;
            }
            command.splitn(5, ' ').nth(4)
        }
        "labels" => {
            let selector = parse_selector(command.split_once(' ').unwrap().1)?;
            return label_names(TimeRange::ALL, &selector, &params.limits, rows).await;
        }
        "values" => {
            let name = word();
            let selector = parse_selector(command.splitn(3, ' ').nth(2).unwrap())?;
            return label_values(name, TimeRange::ALL, &selector, &params.limits, rows).await;
        }
        other => panic!("unknown kind of query {other:?}"),
    };
    let expr = parse(query.unwrap())?;
    assert_eq!(parse(&expr.to_string())?, expr, "a printed tree reads back equal");
    Ok(print(evaluate(&expr, &params, rows).await?))
}

fn print(answer: Answer) -> Vec<String> {
    let point = |(at, value): &(i64, f64)| format!("{}@{}", number::print(*value), duration::print(*at));
    match answer {
        Answer::Scalar(value) => vec![format!("scalar {}", number::print(value))],
        Answer::Vector(samples) => samples.iter().map(|one| format!("{} {}", one.labels, number::print(one.value))).collect(),
        Answer::Matrix(series) => series
            .iter()
            .map(|one| format!("{} {}", one.labels, one.points.iter().map(point).collect::<Vec<_>>().join(" ")))
            .collect(),
        Answer::Streams(streams) => streams
            .iter()
            .flat_map(|stream| {
                let labels = stream.labels.clone();
                stream.entries.iter().map(move |entry| {
                    let at = duration::print(entry.timestamp.nanos());
                    format!("{labels} {at} {:?} {} {}", entry.line, entry.metadata, entry.parsed)
                })
            })
            .collect(),
    }
}
