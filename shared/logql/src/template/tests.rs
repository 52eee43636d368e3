use std::sync::Arc;

use icegate_series::Labels;

use super::*;

fn run(template: &str) -> Result<String, String> {
    let mut labels = RowLabels::new(Labels::from_pairs([("app", "api"), ("n", "7"), ("f", "2.5")]));
    labels.set_parsed(&Arc::from("its"), Arc::from(r#"[{"a":1,"b":"x"},{"a":2}]"#));
    let context = Context { line: "the line", at: 1_700_000_000_123_456_789, now: 1_700_000_001_000_000_000, labels: &labels };
    Template::new("line", template)?.run(context)
}

#[test]
fn actions_do_what_go_says() {
    for (template, expected) in [
        ("a{{.app}}b{{ .missing }}c", "aapibc"),
        ("a {{- .app -}} b", "aapib"),
        ("x{{/* a {{ comment */}}y {{- /* z */ -}} w", "xyw"),
        (r#"{{ if eq .app "api" }}A{{ else if .n }}B{{ else }}C{{ end }}"#, "A"),
        (r#"{{ if eq .app "x" "y" }}A{{ else if .n }}B{{ else }}C{{ end }}"#, "B"),
        ("{{ with .missing }}A{{ . }}{{ else with .app }}B{{ . }}{{ end }}", "Bapi"),
        ("{{ range $i, $x := fromJson .its }}{{ $i }}={{ $x.a }}{{ $x.b }};{{ end }}", "0=1x;1=2<no value>;"),
        ("{{ range fromJson .its }}{{ .a }}{{ else }}none{{ end }}", "12"),
        ("{{ range fromJson \"[]\" }}{{ .a }}{{ else }}none{{ end }}", "none"),
        (
            "{{ range $x := fromJson \"[1,2,3,4]\" }}{{ if eq $x 2.0 }}{{ continue }}{{ end }}{{ if eq $x 4.0 }}{{ break }}{{ end }}{{ $x }}{{ end }}",
            "13",
        ),
        ("{{ $x := .app }}{{ $x = .n }}{{ $x }}{{ $.f }}", "72.5"),
        ("{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" .app }}{{ block \"u\" .n }}[{{ . }}]{{ end }}", "<api>[7]"),
        ("{{ (index (fromJson .its) 0).b }} {{ index (fromJson .its) 1 \"a\" }}", "x 2"),
        ("{{ and .app .missing }}|{{ or .missing .n }}|{{ not .app }}", "|7|false"),
        ("{{ print 1 2 \"a\" 3 }} {{ println 1 \"a\" }}{{ len .app }} {{ slice .app 1 2 }}", "1 2a3 1 a\n3 p"),
        ("{{ lt 1 2 }}{{ ge \"a\" \"b\" }}{{ ne 1.5 1.5 }}{{ 'a' }}{{ 0x1F }}", "truefalsefalse9731"),
        (r#"{{ html "<a&b>" }} {{ js "it's" }} {{ urlquery "a b" "&" }}"#, r"&lt;a&amp;b&gt; it\'s a+b%26"),
        (
            "{{ __line__ | upper }} {{ __timestamp__ | unixEpochNanos }} {{ __timestamp__.UTC.Year }} {{ now | unixEpoch }}",
            "THE LINE 1700000000123456789 2023 1700000001",
        ),
    ] {
        assert_eq!(run(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn functions_do_what_their_names_say() {
    for (template, expected) in [
        (
            r#"{{ lower "ÀB" }} {{ title "ab cd-e" }} {{ trunc 2 "héllo" }} {{ trunc -2 "héllo" }} {{ substr 1 3 "héllo" }} {{ substr 1 -1 "héllo" }}"#,
            "àb Ab Cd-E hé lo él éllo",
        ),
        (r#"{{ contains "b" "abc" }} {{ hasPrefix "a" "abc" }} {{ hasSuffix "c" "abd" }}"#, "true true false"),
        (r#"{{ indent 2 "a\nb" }}|{{ nindent 1 "a" }}"#, "  a\n  b|\n a"),
        (r#"{{ replace "a" "b" "aaa" }} {{ Replace "aaa" "a" "b" 2 }} {{ repeat 3 "ab" }}"#, "bbb bba ababab"),
        (r#"{{ trim " a " }} {{ trimAll "x" "xaxx" }} {{ trimPrefix "x" "xxa" }} {{ trimSuffix "a" "xa" }}"#, "a a xa x"),
        (
            r#"{{ Trim "xax" "x" }} {{ TrimLeft "xax" "x" }} {{ TrimRight "xax" "x" }} {{ TrimPrefix "ab" "a" }} {{ TrimSuffix "ab" "b" }} {{ TrimSpace " a " }}"#,
            "a ax xa b a a",
        ),
        (
            r#"{{ ToLower "A" }}{{ ToUpper "a" }}|{{ alignLeft 5 "héé" }}|{{ alignRight 5 "héé" }}|{{ alignLeft 2 "abc" }}|{{ alignRight 2 "abc" }}"#,
            "aA|héé  |  héé|ab|bc",
        ),
        (r#"{{ b64enc "héllo" }} {{ b64dec "aMOpbGxv" }} {{ b64dec "Zm9vYg" }}"#, "aMOpbGxv héllo foob"),
        (r#"{{ urlencode "a b&ü~" }} {{ urldecode "a+b%26%C3%BC" }}"#, "a+b%26%C3%BC~ a b&ü"),
        (r#"{{ .missing | default "-" }} {{ default 5 .n }} {{ count "[a-c]" "abcd" }}"#, "- 7 3"),
        (r#"{{ regexReplaceAll "(a)(b)" "xaby" "$2${1}z" }} {{ regexReplaceAllLiteral "a" "ba" "$1" }}"#, "xbazy b$1"),
        (
            "{{ add .n 1 2 }} {{ sub .n 1 }} {{ mul .n 2 3 }} {{ div .n 2 }} {{ mod .n 4 }} {{ max 1 .n 3 }} {{ min 4 .n }} {{ int \"12.0\" }} {{ int \"x\" }}",
            "10 6 42 3 3 7 4 12 0",
        ),
        (
            "{{ addf .f 0.1 }} {{ subf .f 0.1 0.2 }} {{ mulf .f 2 }} {{ divf .f 4 }} {{ maxf 1 .f }} {{ minf 3.5 .f }}",
            "2.6 2.2 5 0.625 2.5 2.5",
        ),
        ("{{ ceil .f }} {{ floor .f }} {{ round 3.14159 2 }} {{ round 2.3 0 .2 }} {{ float64 .f }}", "3 2 3.14 3 2.5"),
        (r#"{{ duration "1m30s" }} {{ duration_seconds "5ms" }} {{ bytes "3MB" }} {{ bytes "2 KiB" }}"#, "90 0.005 3e+06 2048"),
        (
            r#"{{ unixToTime "19503" | date "2006-01-02" }} {{ unixToTime "1257894000000" | unixEpoch }} {{ toDate "2006-01-02" "bad" | unixEpoch }}"#,
            "2023-05-26 1257894000 -62135596800",
        ),
        (r#"{{ toDateInZone "2006-01-02" "Europe/Berlin" "2021-11-02" | unixEpochMillis }}"#, "1635807600000"),
        (r#"{{ printf "%-6s|%03d" .app 7 }}"#, "api   |007"),
    ] {
        assert_eq!(run(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn templates_that_mean_nothing_are_refused() {
    for (template, message) in [
        ("{{ .a", "template: line:1: unclosed action"),
        ("a\n{{ nope .a }}", "template: line:2: function \"nope\" not defined"),
        ("{{ if .a }}", "template: line:1: unexpected EOF"),
        ("{{ end }}", "template: line:1: unexpected {{end}} or {{else}}"),
        ("{{ $x }}", "template: line:1: undefined variable \"$x\""),
        ("{{ }}", "template: line:1: missing value for command"),
        ("{{ \"a\" .b }}", "template: line:1: can't give argument to non-function"),
        ("{{ break }}", "template: line:1: {{break}} outside {{range}}"),
        ("{{ ( .a }}", "template: line:1: unclosed left paren"),
        ("{{/* x }}", "template: line:1: unclosed comment"),
        ("{{ if .a }}{{ else }}{{ else }}{{ end }}", "template: line:1: unexpected {{else}}"),
    ] {
        assert_eq!(run(template), Err(message.to_owned()), "{template}");
    }
}

#[test]
fn runs_that_fail_say_where_and_why() {
    for (template, message) in [
        (
            "{{ .app | duration }}",
            r#"template: line:1:10: executing "line" at <duration>: error calling duration: time: invalid duration "api""#,
        ),
        ("{{ .app | now }}", r#"template: line:1:10: executing "line" at <now>: wrong number of args for now: want 0 got 1"#),
        ("{{ .app 1 }}", r#"template: line:1:3: executing "line" at <.app>: app is not a method but has arguments"#),
        (
            "{{ div 1 0 }}",
            r#"template: line:1:3: executing "line" at <div>: error calling div: runtime error: integer divide by zero"#,
        ),
        (
            "{{ lt 1 \"a\" }}",
            r#"template: line:1:3: executing "line" at <lt>: error calling lt: incompatible types for comparison"#,
        ),
        ("{{ .app.x }}", r#"template: line:1:3: executing "line" at <.x>: can't evaluate field x in type string"#),
        ("{{ template \"t\" }}", r#"template: line:1:0: executing "line" template "t" not defined"#),
    ] {
        assert_eq!(run(template), Err(message.to_owned()), "{template}");
    }
}

#[test]
fn what_a_template_may_do_is_bounded() {
    for (template, part) in [
        ("{{ repeat 9999999 \"abc\" }}".to_owned(), "makes more than 1048576 bytes"),
        ("{{ indent 99999999 \"abc\" }}".to_owned(), "makes more than"),
        ("{{ range 99999 }}{{ repeat 1000 \"a\" }}{{ end }}".to_owned(), "more than"),
        ("{{ range 999999999 }}{{ end }}".to_owned(), "takes more than 100000 steps"),
        ("{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}".to_owned(), "nests more than 64 deep"),
        ("{{ if .a }}".repeat(5_000), "nests too deep"),
        (format!("{{{{ {} }}}}", "(".repeat(50_000)), "nests too deep"),
        (format!("{{{{ range 9 }}}}{}{{{{ end }}}}", "{{ $x := repeat 1000000 \"a\" }}".repeat(100)), "functions make more than"),
    ] {
        let error = run(&template).unwrap_err();
        assert!(error.contains(part), "{}: {error}", &template[..template.len().min(60)]);
    }
}

#[test]
fn labels_that_a_template_can_see_are_known_unless_it_takes_all() {
    let of = |text: &str| Template::new("line", text).unwrap().labels().map(|names| names.join(","));
    assert_eq!(of("{{ .a }}{{ if .b.c }}{{ $.d }}{{ end }}{{ (printf \"%s\" .e) }}").as_deref(), Some("a,b,d,e"));
    assert_eq!(of("{{ . }}"), None);
    assert_eq!(of("{{ range $k, $v := . }}{{ $k }}{{ end }}"), None);
}

proptest::proptest! {
    #[test]
    fn no_template_panics_or_writes_without_bound(
        text in "(\\{\\{-? ?(if|range|with|end|else|define \"t\"|template \"t\"|\\$x :=|\\.its|fromJson|\\.|\\$|\\||\\(|\\)|index|printf \"%5s\"|1|\"a\"| )* ?-?\\}\\}|a){0,6}"
    ) {
        if let Ok(output) = run(&text) {
            proptest::prop_assert!(output.len() <= MAX_OUTPUT);
        }
    }
}
