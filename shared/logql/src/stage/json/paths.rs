use super::{MALFORMED, Part, Scanner, Token, parse_path};
use crate::LogqlError;
use crate::ast::Extraction;
use crate::rows::{Names, RowLabels};
use crate::stage::extract::{Extract, Wanted};

/// `| json a="x.y[0]"`, ready to run.
#[derive(Debug)]
pub(crate) struct JsonPaths {
    labels: Vec<String>,
    paths: Vec<Vec<Part>>,
    pub(in crate::stage) wanted: Wanted,
}

impl JsonPaths {
    pub(crate) fn new(extractions: &[Extraction], wanted: Wanted, span: icegate_syntax::Span) -> Result<Self, LogqlError> {
        let invalid = |path: &str, why: String| LogqlError::meaning(format!("cannot parse expression [{path}]: {why}"), span);
        let path = |one: &Extraction| match parse_path(&one.path) {
            Ok(parts) if parts.is_empty() => Err(invalid(&one.path, "it is empty".to_owned())),
            Ok(parts) => Ok(parts),
            Err(why) => Err(invalid(&one.path, why)),
        };
        let paths = extractions.iter().map(path).collect::<Result<_, _>>()?;
        Ok(Self { labels: extractions.iter().map(|one| one.label.clone()).collect(), paths, wanted })
    }

    /// Takes the value of each path; one that leads nowhere gives an empty value.
    pub(crate) fn parse(&self, line: &str, labels: &mut RowLabels, names: &mut Names) {
        if line.is_empty() || self.wanted.is_nothing() {
            return;
        }
        let mut extract = Extract::new(labels, names, &self.wanted);
        let mut scanner = Scanner::new(line);
        if !scanner.is_object() && !scanner.is_array() {
            extract.fail(MALFORMED, String::new);
            return;
        }
        let mut values: Vec<Option<String>> = vec![None; self.paths.len()];
        let all: Vec<usize> = (0..self.paths.len()).collect();
        // What was found before an error is an answer, all else leads nowhere.
        _ = self.walk(&mut scanner, &all, 0, &mut values);
        for (label, value) in self.labels.iter().zip(values) {
            if !extract.take(label, &value.unwrap_or_default()) {
                return;
            }
        }
    }

    /// Follows those paths of `live` whose first `depth` parts lead here.
    fn walk(
        &self,
        scanner: &mut Scanner<'_>,
        live: &[usize],
        depth: usize,
        values: &mut [Option<String>],
    ) -> Result<(), &'static str> {
        let ends = |path: usize| self.paths[path].len() == depth;
        if live.iter().copied().any(ends) {
            let token = scanner.clone().value()?;
            let value = match &token {
                Token::Text(text) => text,
                Token::Bare("null") => "",
                Token::Bare(text) | Token::Block(text) => *text,
            };
            for path in live.iter().copied().filter(|path| ends(*path)) {
                values[path].get_or_insert_with(|| value.to_owned());
            }
        }
        // A path whose value is known follows no second field of the same name.
        let deeper: Vec<usize> = live.iter().copied().filter(|path| !ends(*path) && values[*path].is_none()).collect();
        if deeper.is_empty() || !(scanner.is_object() || scanner.is_array()) {
            return scanner.skip();
        }
        let is_next = |path: usize, key: &Part| self.paths[path].get(depth) == Some(key);
        if scanner.is_object() {
            scanner.open_object()?;
            while let Some(key) = scanner.key()? {
                let key = Part::Field(key.into_owned());
                let next: Vec<usize> = deeper.iter().copied().filter(|path| is_next(*path, &key)).collect();
                if next.is_empty() {
                    scanner.skip()?
                } else {
                    self.walk(scanner, &next, depth + 1, values)?
                }
                scanner.after_value()?;
            }
            return Ok(());
        }
        let mut index = 0;
        while scanner.element()?.is_some() {
            let key = Part::Index(index);
            let next: Vec<usize> = deeper.iter().copied().filter(|path| is_next(*path, &key)).collect();
            if next.is_empty() {
                scanner.skip()?
            } else {
                self.walk(scanner, &next, depth + 1, values)?
            }
            index += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;

    fn parsed(paths: &[(&str, &str)], line: &str) -> String {
        let extraction = |(label, path): &(&str, &str)| Extraction { label: (*label).to_owned(), path: (*path).to_owned() };
        let extractions: Vec<_> = paths.iter().map(extraction).collect();
        let parser = JsonPaths::new(&extractions, Wanted::All, icegate_syntax::Span::default()).unwrap();
        let mut labels = RowLabels::new(Labels::empty());
        parser.parse(line, &mut labels, &mut Names::default());
        labels.parsed_labels().to_string()
    }

    #[test]
    fn each_path_gives_its_value_or_an_empty_one() {
        let line = r#"{"a":{"b":[1,"x",{"c":true}]},"d e":null,"f":1,"f":2}"#;
        for (path, value) in [
            ("a.b[0]", "1"),
            ("a.b[1]", "x"),
            ("a.b[2].c", "true"),
            ("a.b[3]", ""),
            ("a.b.c", ""),
            ("[\"d e\"]", ""),
            ("f", "2"),
            ("a.b", r#"[1,"x",{"c":true}]"#),
        ] {
            let value = if path == "f" { "1" } else { value };
            assert_eq!(
                parsed(&[("v", path)], line),
                Labels::from_pairs([("v", value)]).to_string().replace("{}", r#"{v=""}"#),
                "{path}"
            );
        }
        assert_eq!(parsed(&[("x", "a"), ("y", "a.b[0]")], line), r#"{x="{\"b\":[1,\"x\",{\"c\":true}]}", y="1"}"#);
    }

    #[test]
    fn a_line_that_is_no_json_is_an_error_and_an_empty_one_is_nothing() {
        assert_eq!(parsed(&[("v", "a")], "text"), r#"{__error__="JSONParserErr"}"#);
        assert_eq!(parsed(&[("v", "a")], ""), "{}");
        assert_eq!(parsed(&[("v", "a")], r#"{"a":1"#), r#"{v="1"}"#);
    }
}
