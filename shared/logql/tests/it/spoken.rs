//! Every word of the language, every function of templates and every error has a script.

use std::collections::BTreeSet;

use icegate_logql::{LogqlError, Vocabulary, parse};

use super::script::{blocks, query_of};

/// Words that only brackets and lists are made of, or that stand in brackets of their own kind.
const RANGES: [&str; 2] = ["[", "]"];
/// What stages are made of; plans differ by these.
const STAGES: [&str; 19] = [
    "json",
    "regexp",
    "logfmt",
    "unpack",
    "pattern",
    "label_format",
    "line_format",
    "decolorize",
    "drop",
    "keep",
    "unwrap",
    "|=",
    "!=",
    "|~",
    "!~",
    "|>",
    "!>",
    "by",
    "without",
];

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// Queries that are answered, of all scripts of evaluation.
fn evaluated() -> Vec<String> {
    let evals = blocks().into_iter().flat_map(|block| block.evals);
    let answered = evals.filter(|eval| !eval.answer.iter().any(|line| line.starts_with("error ")));
    answered.filter_map(|eval| query_of(&eval.command)).collect()
}

fn words<'a>(queries: impl Iterator<Item = &'a str>) -> BTreeSet<&'static str> {
    queries.flat_map(|query| Vocabulary::words_of(query).unwrap()).collect()
}

#[test]
fn every_word_of_the_language_is_read_and_evaluated_in_a_script() {
    let vocabulary = Vocabulary::new();
    let all = [vocabulary.keywords, vocabulary.functions, vocabulary.symbols, vocabulary.flags].concat();
    assert!(all.len() > 80);
    let evaluated = evaluated();
    for (scripts, spoken) in [
        ("parse/valid.test", words(lines(include_str!("../parse/valid.test")))),
        ("eval", words(evaluated.iter().map(String::as_str))),
    ] {
        let silent: Vec<_> = all.iter().filter(|word| !RANGES.contains(word) && !spoken.contains(*word)).collect();
        assert!(silent.is_empty(), "no script of {scripts} has {silent:?}");
    }
    let planned = words(lines(include_str!("../plan/pushdown.test")).filter_map(|line| line.strip_prefix("plan ")));
    let silent: Vec<_> = STAGES.iter().filter(|word| !planned.contains(*word)).collect();
    assert!(silent.is_empty(), "no script of plan has {silent:?}");
}

#[test]
fn every_function_of_templates_is_called_in_a_script() {
    let templates: Vec<_> = blocks()
        .into_iter()
        .flat_map(|block| block.evals)
        .filter(|eval| eval.command.contains("_format"))
        .map(|eval| eval.command)
        .collect();
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let called: BTreeSet<&str> =
        templates.iter().flat_map(|command| command.split("{{").skip(1)).flat_map(|part| part.split(|c| !is_part(c))).collect();
    let silent: Vec<_> = Vocabulary::new().template_functions.into_iter().filter(|function| !called.contains(function)).collect();
    assert!(silent.is_empty(), "no script of eval calls {silent:?}");
}

/// What is part of the text of each error that a query can have.
const ERRORS: [&str; 17] = [
    "is too long",
    "are not supported as an instant query type",
    "is only supported on instant queries",
    "only label matchers are supported, not a pipeline",
    "only label matchers are supported, not a metric query",
    "invalid range: start",
    "exceeded maximum resolution of",
    "maximum number of series",
    "query holds more than",
    "max_entries_limit_per_query",
    "limit must be a positive value",
    "pipeline error: 'JSONParserErr'",
    "pipeline error: 'LogfmtParserErr'",
    "pipeline error: 'LabelFilterErr'",
    "pipeline error: 'SampleExtractionErr'",
    "pipeline error: 'TemplateFormatErr'",
    "multiple matches for labels",
];

/// Fails to compile when an error is added, so that the list above is thought of.
const fn is_of_rows(error: &LogqlError) -> bool {
    match error {
        LogqlError::Open { .. } | LogqlError::Column { .. } | LogqlError::Read(_) => true,
        LogqlError::Syntax { .. }
        | LogqlError::Meaning(_)
        | LogqlError::QueryTooLong { .. }
        | LogqlError::InstantLogQuery
        | LogqlError::InstantOnly { .. }
        | LogqlError::NotASelector { .. }
        | LogqlError::InvalidRange { .. }
        | LogqlError::TooManySeries { .. }
        | LogqlError::TooManyPoints { .. }
        | LogqlError::TooManyCells { .. }
        | LogqlError::TooManyEntries { .. }
        | LogqlError::NoEntries
        | LogqlError::Pipeline { .. }
        | LogqlError::Matching(_) => false,
    }
}

#[test]
fn every_error_of_a_query_is_rendered_in_a_script() {
    let evals = blocks().into_iter().flat_map(|block| block.evals).flat_map(|eval| eval.answer);
    let mut rendered: Vec<String> = evals.filter(|line| line.starts_with("error ")).collect();
    // What is longer than a line of a script can be.
    let long = parse(&"x".repeat(200_000)).unwrap_err();
    assert!(!is_of_rows(&long));
    rendered.push(long.to_string());
    let silent: Vec<_> = ERRORS.iter().filter(|error| !rendered.iter().any(|line| line.contains(**error))).collect();
    assert!(silent.is_empty(), "no script of eval ends with {silent:?}");
}

/// The texts with which the parser and the checks refuse a query, as they stand in their sources.
#[test]
fn every_refusal_is_rendered_in_a_script() {
    let rendered = blocks().into_iter().flat_map(|block| block.evals).flat_map(|eval| eval.answer);
    let invalid = lines(include_str!("../parse/invalid.test")).map(str::to_owned);
    let refused: Vec<String> = rendered.chain(invalid).collect();
    let mut silent = Vec::new();
    for (file, source) in [
        ("lexer.rs", include_str!("../../src/lexer.rs")),
        ("parse.rs", include_str!("../../src/parse.rs")),
        ("parse/metric.rs", include_str!("../../src/parse/metric.rs")),
        ("check.rs", include_str!("../../src/check.rs")),
        ("check/stages.rs", include_str!("../../src/check/stages.rs")),
        ("stage/line_filter.rs", include_str!("../../src/stage/line_filter.rs")),
        ("stage/pattern.rs", include_str!("../../src/stage/pattern.rs")),
        ("stage/regexp.rs", include_str!("../../src/stage/regexp.rs")),
    ] {
        for text in texts(source) {
            // The longest part between the places where values go in.
            let part =
                text.trim_start_matches("syntax error: ").split(['{', '}']).max_by_key(|part| part.len()).unwrap_or_default();
            if !refused.iter().any(|line| line.contains(part)) {
                silent.push(format!("{file}: {text}"));
            }
        }
    }
    assert!(silent.is_empty(), "no script of parse/invalid.test ends with {silent:#?}");
}

/// Texts of a source that read as messages: of several words, in what isn't a test, a comment or the message of an expectation.
fn texts(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains("reason ="));
    let code = code.collect::<Vec<_>>().join("\n").replace("\\\"", "\u{1}");
    // Marks between apostrophes are no ends of texts.
    let code = code.replace("'\"'", "''");
    let texts = code.split('"').skip(1).step_by(2).map(|text| text.replace('\u{1}', "\""));
    texts.filter(|text| text.split_whitespace().count() > 2).collect()
}
