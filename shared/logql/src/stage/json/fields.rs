use std::collections::HashMap;

use super::super::extract::push_name;
use super::{MAX_DEPTH, Scanner, Token};

/// The labels that a line's fields become, each with the keys that lead to it; the first of equal names. Nothing where the line
/// isn't one whole object.
pub(crate) fn paths(line: &str) -> Option<HashMap<String, Vec<String>>> {
    let mut walk = Walk { found: HashMap::new(), name: String::new(), keys: Vec::new() };
    walk.object(&mut Scanner::new(line)).ok()?;
    Some(walk.found)
}

struct Walk {
    found: HashMap<String, Vec<String>>,
    name: String,
    keys: Vec<String>,
}

impl Walk {
    fn object(&mut self, scanner: &mut Scanner<'_>) -> Result<(), &'static str> {
        scanner.open_object()?;
        while let Some(key) = scanner.key()? {
            let length = self.name.len();
            if length > 0 && !key.trim().is_empty() {
                self.name.push('_');
            }
            push_name(&mut self.name, &key);
            self.keys.push(key.into_owned());
            self.value(scanner)?;
            self.keys.pop();
            self.name.truncate(length);
            scanner.after_value()?;
        }
        Ok(())
    }

    fn value(&mut self, scanner: &mut Scanner<'_>) -> Result<(), &'static str> {
        if scanner.is_object() {
            return if self.keys.len() > MAX_DEPTH { Err("objects nest too deep") } else { self.object(scanner) };
        }
        match scanner.value()? {
            Token::Block(_) | Token::Bare("null") => {}
            Token::Text(_) | Token::Bare(_) => {
                self.found.entry(self.name.clone()).or_insert_with(|| self.keys.clone());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_the_fields_that_become_labels() {
        let line = r#"{"a":{"b.c":1,"d":{"e":"x"}},"client.ip":"y","n":null,"l":[1],"retry-count":2,"retry_count":3}"#;
        let mut found: Vec<_> = paths(line).unwrap().into_iter().collect();
        found.sort();
        let expected = [
            ("a_b_c", vec!["a", "b.c"]),
            ("a_d_e", vec!["a", "d", "e"]),
            ("client_ip", vec!["client.ip"]),
            ("retry_count", vec!["retry-count"]),
        ];
        assert_eq!(found, expected.map(|(name, path)| (name.to_owned(), path.into_iter().map(str::to_owned).collect())));
        for broken in ["", "a=1", r#"{"a":1"#, r#"["a"]"#] {
            assert_eq!(paths(broken), None, "{broken}");
        }
        assert_eq!(paths(&r#"{"a":"#.repeat(10_000)), None);
    }
}
