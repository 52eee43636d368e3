//! Every stage's decoder over lines that are made to hurt: no panic, and what it makes stays in proportion to what it was given.

use std::time::Duration;

use icegate_logql::{Answer, Direction, Limits, QueryParams, evaluate, parse};
use icegate_model::Timestamp;

use super::layouts::{LAYOUTS, load};

const STAGES: [&str; 24] = [
    "json",
    "json a=\"a.a.a\", b=\"[\\\"k1\\\"]\", c=\"x[0][1]\"",
    "logfmt",
    "logfmt --strict --keep-empty",
    "logfmt a=\"a\", b=\"k1\"",
    "unpack",
    "pattern `<a> <_> <b>`",
    "pattern `<_>a<a>a<_>`",
    "regexp `(?P<a>\\S*)\\s*(?P<b>.*)`",
    "regexp `(?P<a>(a|a)*)$`",
    "decolorize",
    "line_format `{{ __line__ | trim | upper | urlencode | b64enc }}`",
    "line_format `{{ __line__ | fromJson }}{{ regexReplaceAll \"(a|a)*$\" __line__ \"${0}${0}\" }}`",
    "line_format `{{ range $k, $v := fromJson __line__ }}{{ $k }}{{ $v }}{{ end }}`",
    "line_format `{{ __line__ | replace \"a\" \"aaaa\" | repeat 4 | indent 8 }}`",
    "line_format `{{ printf \"%60000s%q\" __line__ __line__ }}`",
    "label_format a=`{{ __line__ }}{{ __line__ }}`",
    "drop __error__ | keep a",
    "json | logfmt | unpack | drop __error__",
    "json | a > 5 | b > 5s | k1 > 5KB",
    "logfmt | a = ip(\"10.0.0.0/8\") or k1 = ip(\"::1\")",
    "decolorize | logfmt | label_format b=a",
    "json | line_format `{{ .a }}` | json",
    "unpack | json | unpack",
];

const FILTERS: [&str; 7] = [
    "|> \"<_>a<_>a<_>a<_>b\"",
    "!> \"<_> <_>=<_>\"",
    "|= ip(\"10.0.0.0/8\")",
    "!= ip(\"::1\")",
    "|~ \"(a|a)*$\"",
    "!~ \"(a*)*b\"",
    "|~ \"^(?:.*=.*)+$\"",
];

/// A line of about `bytes` bytes of each kind that a decoder may trip over.
fn lines(bytes: usize) -> Vec<String> {
    let repeated = |piece: &str| piece.repeat((bytes / piece.len()).max(1));
    let pieces = [
        "{",
        "[",
        "\"",
        "\\",
        "}",
        "a",
        "=",
        "a=",
        "a=\"",
        "a=\"\\",
        " ",
        "\u{1b}[",
        "\u{1b}[31m",
        "é",
        "\u{0}",
        "a=b ",
        "a=\"b\\\"\" ",
        "{\"a\":",
        "[{\"a\":",
        "{\"a\":1},",
        "1.1.1.1.",
        "::",
        "%",
        "\\u00",
        "{{",
        "<_>",
        "-",
        "9",
        "a b ",
        "\"\\ud800\"",
    ];
    let mut lines: Vec<_> = pieces.iter().map(|piece| repeated(piece)).collect();
    let members = |member: &dyn Fn(usize) -> String, between: &str| {
        let (mut text, mut at) = (String::new(), 0);
        while text.len() < bytes {
            text.push_str(if at == 0 { "" } else { between });
            text.push_str(&member(at));
            at += 1;
        }
        text
    };
    lines.push(format!("{{{}}}", members(&|at| format!("\"k{at}\":\"v\""), ",")));
    lines.push(format!("{{{}}}", members(&|_| "\"a\":\"v\"".to_owned(), ",")));
    lines.push(format!("{{{}}}", members(&|at| format!("\"k{at}\":\"\\u0041\\n\""), ",")));
    lines.push(format!("{{\"_entry\":{:?}}}", repeated("\"")));
    lines.push(format!("{{\"a\":{}}}", repeated("9")));
    lines.push(members(&|at| format!("k{at}=v"), " "));
    lines.push(members(&|at| format!("k{at}=\"v\\n\""), " "));
    lines.push(members(&|at| format!("{at}"), "\t"));
    let depth = bytes / 12;
    lines.push(format!("{}1{}", "{\"k\":1,\"a\":".repeat(depth), "}".repeat(depth)));
    lines.push(format!("{}1{}", "{\"a\":[".repeat(depth), "]}".repeat(depth)));
    lines
}

/// The same bytes for the same seed.
fn random(seed: u64, bytes: usize) -> String {
    const LIKELY: &[u8] = b"{}[]\":,=\\ \x1b<>a1\n";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let bytes: Vec<u8> = (0..bytes)
        .map(|_| match next() {
            any if seed.is_multiple_of(2) => (any >> 24) as u8,
            likely => LIKELY[(likely >> 24) as usize % LIKELY.len()],
        })
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn params() -> QueryParams {
    QueryParams {
        start: Timestamp::from_secs(0),
        end: Timestamp::from_secs(10_000),
        step: Duration::from_secs(1_000),
        interval: Duration::ZERO,
        limit: 5_000,
        direction: Direction::Forward,
        now: Timestamp::from_secs(10_000),
        limits: Limits::default(),
    }
}

/// Bytes of lines and labels, by line in the order of `lines`.
async fn made(query: &str, lines: &[String]) -> Vec<usize> {
    let row = |(at, line): (usize, &String)| {
        serde_json::json!({"t": format!("{at}s"), "service": "s", "body": line}).as_object().unwrap().clone()
    };
    let rows: Vec<_> = lines.iter().enumerate().map(row).collect();
    let answer = evaluate(&parse(query).unwrap(), &params(), &load(&rows, LAYOUTS[0])).await.unwrap();
    let Answer::Streams(streams) = answer else { panic!("lines are answered with lines") };
    let mut made = vec![0; lines.len()];
    for stream in streams {
        for entry in stream.entries {
            let at = usize::try_from(entry.timestamp.nanos() / 1_000_000_000).unwrap();
            let labels = entry.parsed.iter().chain(entry.metadata.iter()).map(|label| label.name.len() + label.value.len());
            made[at] += entry.line.len() + labels.sum::<usize>();
        }
    }
    made
}

fn queries() -> impl Iterator<Item = String> {
    let stages = STAGES.iter().map(|stage| format!("{{service_name=\"s\"}} | {stage}"));
    stages.chain(FILTERS.iter().map(|filter| format!("{{service_name=\"s\"}} {filter}")))
}

#[tokio::test]
async fn ten_kilobytes_of_anything_make_at_most_a_bounded_multiple_in_every_stage() {
    let lines = lines(10_000);
    for query in queries() {
        for (line, made) in lines.iter().zip(made(&query, &lines).await) {
            // Templates may make a MiB of text for each of the line and a label; a decoder makes names of 128 nested keys at most.
            let most = if query.contains("_format") { 3 << 20 } else { 130 * line.len() + 2_000 };
            assert!(made <= most, "{query}: {made} bytes of {} like {:?}", line.len(), line.chars().take(40).collect::<String>());
        }
    }
}

#[tokio::test]
async fn twice_the_line_makes_at_most_about_twice_the_labels() {
    let (once, twice) = (lines(5_000), lines(10_000));
    for query in queries().filter(|query| !query.contains("printf")) {
        let (once_made, twice_made) = (made(&query, &once).await, made(&query, &twice).await);
        for ((line, once), twice) in twice.iter().zip(once_made).zip(twice_made) {
            // A longer number or key is a byte more; a line that a template can't take any more stays as it is.
            assert!(
                twice <= 5 * once / 2 + 2_000,
                "{query}: {once} then {twice} bytes of {:?}",
                line.chars().take(40).collect::<String>()
            );
        }
    }
}

#[tokio::test]
async fn random_bytes_end_every_stage_without_a_panic() {
    let lines: Vec<_> = (0..48).map(|seed| random(seed, 64 + 200 * seed as usize)).collect();
    for query in queries() {
        for (line, made) in lines.iter().zip(made(&query, &lines).await) {
            assert!(made <= 130 * line.len() + (3 << 20), "{query}: {made}");
        }
    }
}

#[test]
fn random_bytes_are_no_query_or_one_that_prints_and_reads_back() {
    for seed in 0..400 {
        let text = random(seed, 32 + 20 * seed as usize);
        for query in [
            text.clone(),
            format!("{{a=\"b\"}} | {text}"),
            format!("sum by (a) (rate({{a=\"b\"}}[{text}"),
            format!("{{a=~`{text}`}}"),
        ] {
            if let Ok(tree) = parse(&query) {
                assert_eq!(parse(&tree.to_string()).as_ref().ok(), Some(&tree), "seed {seed}");
            }
        }
    }
}
