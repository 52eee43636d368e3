use icegate_promql::{MemoryStorage, Storage};

use super::eval::Case;
use super::load::load;

/// How the evaluations of a script came out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) cases: usize,
    /// Line of the script, what was evaluated, and what was wrong.
    pub(crate) failed: Vec<(usize, String, String)>,
}

/// Runs a script on what `store` makes of the series that it loads.
pub(crate) fn run<S: Storage>(script: &str, store: impl Fn(&MemoryStorage) -> S) -> Outcome {
    let lines: Vec<&str> = script.lines().map(str::trim).map(|line| if line.starts_with('#') { "" } else { line }).collect();
    let mut outcome = Outcome::default();
    let mut loaded = MemoryStorage::default();
    let mut stored = None;
    let mut at = 0;
    while at < lines.len() {
        let head = lines[at];
        let number = at + 1;
        at += 1;
        if head.is_empty() {
            continue;
        }
        let end = lines[at..].iter().position(|line| line.is_empty()).map_or(lines.len(), |length| at + length);
        let body = &lines[at..end];
        at = end;
        let (verb, rest) = head.split_once(char::is_whitespace).unwrap_or((head, ""));
        match verb {
            "clear" => {
                (loaded, stored) = (MemoryStorage::default(), None);
                at = number;
            }
            "load" | "load_with_nhcb" => {
                load(&mut loaded, rest.trim(), body, verb != "load");
                stored = None;
            }
            _ if verb.starts_with("eval") => {
                outcome.cases += 1;
                if let Err(problem) = Case::new(head, body).run(stored.get_or_insert_with(|| store(&loaded))) {
                    outcome.failed.push((number, head.to_owned(), problem));
                }
            }
            _ => panic!("line {number}: {verb:?} is not known"),
        }
    }
    outcome
}
