//! Any line through any stage.

use icegate_series::Labels;
use proptest::prelude::*;

use super::*;
use crate::ast::Expr;

fn steps(pipeline: &str) -> Vec<Step> {
    let Expr::Logs(logs) = crate::parse(&format!("{{a=\"b\"}} {pipeline}")).unwrap() else { panic!("{pipeline}") };
    let purpose = Purpose { wanted: &Wanted::All, now: 0 };
    logs.stages.iter().map(|stage| Step::new(stage, purpose).unwrap()).collect()
}

const PIPELINES: [&str; 12] = [
    "| json",
    "| json a=\"x[0].y\", b=\"[1]\", c=\"x\"",
    "| logfmt",
    "| logfmt --strict --keep-empty",
    "| logfmt --strict a, b=\"x\"",
    "| regexp \"(?P<a>[^=]*)=(?P<b>.*)\"",
    "| pattern \"<a>=<b>,<_> <c>\"",
    "| unpack",
    "| decolorize |> \"<_>=<_>\" or \"<_>x\"",
    "| label_format a=\"{{ __line__ | trunc 3 }}\", b=a | drop b=\"x\" | keep a",
    "| line_format \"{{ fromJson __line__ }}{{ urldecode __line__ }}{{ b64dec __line__ }}\"",
    "|= ip(\"10.0.0.0/8\") or ip(\"::/0\") != ip(\"1.2.3.4-1.2.3.9\")",
];

/// Bytes of all labels that a line left, and of the line.
fn size(pipeline: &[Step], line: &str) -> usize {
    let mut row = Row { line: Cow::Borrowed(line), at: 0, labels: RowLabels::new(Labels::from_pairs([("x", "stream")])) };
    _ = pipeline.iter().all(|step| step.run(&mut row, &mut Names::default()));
    let labels = row.labels.parsed_labels();
    row.line.len() + labels.iter().map(|label| label.name.len() + label.value.len()).sum::<usize>()
}

proptest! {
    #[test]
    fn no_line_makes_a_stage_panic_or_grow_without_bound(
        line in "\\PC{0,60}|[{}\\[\\]\",:\\\\u0-9a-f nul]{0,60}|[a-c=\" \\\\\u{1b}\\[;m0-9.:<>é]{0,60}"
    ) {
        for pipeline in PIPELINES {
            prop_assert!(size(&steps(pipeline), &line) < 130 * line.len() + 1_000, "{pipeline}");
        }
    }
}

#[test]
fn long_hostile_lines_leave_no_more_than_their_size_allows() {
    let lines = [
        "{\"a\":".repeat(2_000),
        format!("{}1{}", "{\"a\":{\"x\":1},\"b\":".repeat(500), "}".repeat(500)),
        format!("{{{}}}", (0..1_000).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",")),
        format!("{{\"a\":\"{}\"}}", "\\".repeat(10_001)),
        "[".repeat(10_000),
        "a=".repeat(5_000),
        "a=\"".repeat(3_333),
        (0..1_500).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(" "),
        "\u{1b}[".repeat(5_000),
        "1.".repeat(5_000),
        "::".repeat(5_000),
        "<_>=,".repeat(2_000),
        "%".repeat(10_000),
    ];
    for pipeline in PIPELINES {
        let steps = steps(pipeline);
        for line in &lines {
            assert!(size(&steps, line) < 10 * line.len() + 1_000, "{pipeline}: {}", &line[..20]);
        }
    }
}
