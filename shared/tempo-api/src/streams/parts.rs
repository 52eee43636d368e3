use prost::Message;

use crate::message::{InstantSeries, SearchTagsV2Scope, TagValue, TimeSeries, TraceSearchMetadata};

/// About how many bytes a message has at most; clients of gRPC take four times as many.
const PART_BYTES: usize = 1 << 20;

/// What lists of answers have in them.
pub(super) trait Item {
    /// Bytes of it in a message, about.
    fn bytes(&self) -> usize;
}

impl Item for String {
    fn bytes(&self) -> usize {
        self.len() + 4
    }
}

macro_rules! messages {
    ($($name:ident),*) => {
        $(impl Item for $name {
            fn bytes(&self) -> usize {
                self.encoded_len() + 4
            }
        })*
    };
}

messages!(TraceSearchMetadata, SearchTagsV2Scope, TagValue, TimeSeries, InstantSeries);

/// A list in parts of a message each; one that is empty is one part.
pub(super) fn parts<T: Item>(all: Vec<T>) -> Vec<Vec<T>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for item in all {
        let more = item.bytes();
        if bytes + more > PART_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += more;
        part.push(item);
    }
    if !part.is_empty() || parts.is_empty() {
        parts.push(part);
    }
    parts
}

/// Scopes; one with more names than a message takes several times, with some of them each.
pub(super) fn of_scopes(scopes: Vec<(&'static str, Vec<String>)>) -> Vec<SearchTagsV2Scope> {
    let scope = |(name, tags): (&'static str, Vec<String>)| {
        parts(tags).into_iter().map(move |tags| SearchTagsV2Scope { name: name.to_owned(), tags })
    };
    scopes.into_iter().flat_map(scope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_where_a_message_is_full_and_one_item_is_never_split() {
        let long = || "x".repeat(PART_BYTES * 2 / 5);
        let lengths = |all: Vec<String>| parts(all).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(Vec::new()), [0]);
        assert_eq!(lengths(vec![long(), long(), long(), long(), long()]), [2, 2, 1]);
        assert_eq!(lengths(vec!["x".repeat(PART_BYTES * 2), "y".to_owned()]), [1, 1]);
        let scopes = of_scopes(vec![("span", vec![long(), long(), long()]), ("event", vec!["a".to_owned()])]);
        let named: Vec<_> = scopes.iter().map(|scope| (scope.name.as_str(), scope.tags.len())).collect();
        assert_eq!(named, [("span", 2), ("span", 1), ("event", 1)]);
    }
}
