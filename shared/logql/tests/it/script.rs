//! The language of `tests/eval`: `load` and `eval` blocks, read and run.
//!
//! `eval instant T QUERY`, `eval range START END STEP QUERY`, `eval logs START END LIMIT DIRECTION QUERY`,
//! `eval spaced INTERVAL LIMIT DIRECTION QUERY` (lines at least an interval apart, from 0s to 10m), `eval labels`,
//! `eval values NAME`; the lines after it, indented, are the answer.

use std::path::Path;
use std::time::Duration;

use icegate_logql::{
    Answer, Direction, Limits, LogqlError, OpenRows, QueryParams, evaluate, label_names, label_values, parse, parse_selector,
};
use icegate_model::{TimeRange, Timestamp};
use icegate_syntax::{duration, number};
use serde_json::{Map, Value};

/// Rows, and the queries over them with their answers.
pub(crate) struct Block {
    pub(crate) file: String,
    pub(crate) rows: Vec<Map<String, Value>>,
    pub(crate) evals: Vec<Eval>,
}

pub(crate) struct Eval {
    pub(crate) command: String,
    pub(crate) answer: Vec<String>,
}

impl Eval {
    /// Runs the command; what was found instead of the answer.
    pub(crate) async fn failure(&self, rows: &dyn OpenRows) -> Option<String> {
        let found = run(&self.command, rows).await.unwrap_or_else(|error| vec![format!("error {error}")]);
        let (command, answer) = (&self.command, &self.answer);
        (found != *answer).then(|| format!("{command}\n  expected {answer:#?}\n  found {found:#?}"))
    }
}

/// The blocks of all scripts.
pub(crate) fn blocks() -> Vec<Block> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../logql/tests/eval");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Block> {
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let inner: Vec<_> = std::iter::from_fn(|| lines.next_if(|next| next.starts_with("  "))).map(str::trim).collect();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => {}
            ("load", _) => {
                let rows = inner.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
                blocks.push(Block { file: file.clone(), rows, evals: Vec::new() });
            }
            ("eval", command) => {
                let answer = inner.into_iter().map(str::to_owned).collect();
                blocks.last_mut().unwrap().evals.push(Eval { command: command.to_owned(), answer });
            }
            _ => panic!("{file}: unknown verb in {line:?}"),
        }
    }
    blocks
}

pub(crate) fn time(text: &str) -> i64 {
    duration::go(text).or_else(|| duration::prometheus(text)).unwrap_or_else(|| panic!("no time: {text}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_nanos(time(text))
}

/// The query of a command; none for those that have a selector alone.
pub(crate) fn query_of(command: &str) -> Option<String> {
    let words = match command.split(' ').next().unwrap_or_default() {
        "instant" => 3,
        "range" | "spaced" => 5,
        "logs" => 6,
        _ => return None,
    };
    command.splitn(words, ' ').nth(words - 1).map(str::to_owned)
}

async fn run(command: &str, rows: &dyn OpenRows) -> Result<Vec<String>, LogqlError> {
    let mut words = command.splitn(6, ' ');
    let mut params = QueryParams {
        start: at("0s"),
        end: at("0s"),
        step: Duration::ZERO,
        interval: Duration::ZERO,
        limit: 100,
        direction: Direction::Backward,
        now: Timestamp::from_secs(1_700_000_000),
        limits: Limits { series: 20, cells: 5_000, ..Limits::default() },
    };
    let mut word = || words.next().unwrap_or_default();
    let query = match word() {
        "instant" => {
            params.end = at(word());
            params.start = params.end;
            query_of(command)
        }
        "range" => {
            (params.start, params.end) = (at(word()), at(word()));
            params.step = Duration::from_nanos(time(word()).unsigned_abs());
            query_of(command)
        }
        "logs" => {
            (params.start, params.end) = (at(word()), at(word()));
            params.step = Duration::from_secs(60);
            params.limit = word().parse().unwrap();
            if word() == "forward" {
                params.direction = Direction::Forward;
            }
            query_of(command)
        }
        "spaced" => {
            params.interval = Duration::from_nanos(time(word()).unsigned_abs());
            (params.start, params.end, params.step) = (at("0s"), at("10m"), Duration::from_secs(60));
            params.limit = word().parse().unwrap();
            if word() == "forward" {
                params.direction = Direction::Forward;
            }
            query_of(command)
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
    let expr = parse(&query.unwrap())?;
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
