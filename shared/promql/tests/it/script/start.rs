use super::items::times;
use super::time;

/// Start times relative to their samples, in milliseconds; `None` is none.
pub(super) fn starts(text: &str) -> Vec<Option<i64>> {
    let mut out = Vec::new();
    for item in text.split_whitespace() {
        if let Some(after) = item.strip_prefix('_') {
            let (count, _) = times(after);
            out.extend(std::iter::repeat_n(None, count.unwrap_or(1)));
            continue;
        }
        let (mut value, rest) = signed(item);
        let (step, rest) = if rest.starts_with(['+', '-']) { signed(rest) } else { (0, rest) };
        let (count, rest) = times(rest);
        assert!(rest.is_empty(), "{item:?} can't be read");
        for _ in 0..=count.unwrap_or(0) {
            out.push(Some(value));
            value += step;
        }
    }
    out
}

fn signed(text: &str) -> (i64, &str) {
    let sign_length = usize::from(text.starts_with(['+', '-']));
    let end = text[sign_length..].find(['+', '-', 'x']).map_or(text.len(), |at| at + sign_length);
    let value = time(&text[sign_length..end]);
    (if text.starts_with('-') { -value } else { value }, &text[end..])
}
