use std::cmp::Reverse;
use std::collections::HashMap;

use super::Counts;
use super::mask::{self, Part, parts};

/// Clusters of masks with equal separators; beyond them, the nearest one takes a mask.
const MAX_CLUSTERS: usize = 32;
/// Of ten words, so many have to be equal for two masks to be one pattern.
const EQUAL_OF_TEN: usize = 6;

/// Makes one of masks whose separators are equal and most of whose words are; the words that differ vary. The most frequent first.
pub(super) fn clusters(masks: HashMap<String, Counts>) -> Vec<(String, Counts)> {
    let mut masks: Vec<_> = masks.into_iter().collect();
    masks.sort_by_cached_key(|(mask, counts)| (Reverse(total(counts)), mask.clone()));
    let mut by_shape: HashMap<String, Vec<Cluster>> = HashMap::new();
    for (mask, counts) in masks {
        let words: Vec<_> =
            parts(&mask).filter_map(|part| if let Part::Word(word) = part { Some(word.to_owned()) } else { None }).collect();
        let clusters = by_shape.entry(shape(&mask)).or_default();
        let nearest = clusters.iter_mut().max_by_key(|cluster| cluster.equal(&words));
        match nearest {
            Some(cluster) if cluster.equal(&words) * 10 >= words.len() * EQUAL_OF_TEN => cluster.take(&words, counts),
            Some(cluster) if cluster.is_full => cluster.take(&words, counts),
            _ => clusters.push(Cluster { words, counts, is_full: false }),
        }
        if clusters.len() == MAX_CLUSTERS {
            clusters.iter_mut().for_each(|cluster| cluster.is_full = true);
        }
    }
    let mut found: HashMap<String, Counts> = HashMap::new();
    for (shape, cluster) in
        by_shape.into_iter().flat_map(|(shape, clusters)| clusters.into_iter().map(move |one| (shape.clone(), one)))
    {
        merge(found.entry(filled(&shape, &cluster.words)).or_default(), cluster.counts);
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_cached_key(|(mask, counts)| (Reverse(total(counts)), mask.clone()));
    found
}

/// Masks that are one.
struct Cluster {
    words: Vec<String>,
    counts: Counts,
    /// No more clusters of this shape may be made.
    is_full: bool,
}

impl Cluster {
    fn equal(&self, words: &[String]) -> usize {
        self.words.iter().zip(words).filter(|(own, other)| own == other).count()
    }

    fn take(&mut self, words: &[String], counts: Counts) {
        for (own, other) in self.words.iter_mut().zip(words) {
            if own != other {
                mask::ANY.clone_into(own);
            }
        }
        merge(&mut self.counts, counts);
    }
}

/// What stands between the words, and where they stand.
fn shape(mask: &str) -> String {
    parts(mask).map(|part| if let Part::Between(text) = part { text } else { mask::ANY }).collect()
}

/// A shape with its words.
fn filled(shape: &str, words: &[String]) -> String {
    let mut words = words.iter();
    let part = |part| match part {
        Part::Between(text) => text,
        Part::Word(_) => words.next().map_or(mask::ANY, String::as_str),
    };
    parts(shape).map(part).collect()
}

fn merge(into: &mut Counts, counts: Counts) {
    for (level, steps) in counts {
        let held = into.entry(level).or_default();
        steps.into_iter().for_each(|(step, count)| *held.entry(step).or_default() += count);
    }
}

fn total(counts: &Counts) -> u64 {
    counts.values().flat_map(|steps| steps.values()).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;

    fn clustered(masks: &[(&str, u64)]) -> Vec<(String, u64)> {
        let counts = |count| Counts::from([(Arc::from("info"), BTreeMap::from([(0, count)]))]);
        let masks = masks.iter().map(|(mask, count)| ((*mask).to_owned(), counts(*count))).collect();
        clusters(masks).into_iter().map(|(mask, counts)| (mask::shown(&mask), total(&counts))).collect()
    }

    #[test]
    fn masks_that_differ_in_few_words_are_one_pattern() {
        let masks = [("login of alice failed now", 5), ("login of bob failed now", 3), ("login of carol failed now", 1)];
        assert_eq!(clustered(&masks), [("login of <_> failed now".to_owned(), 9)]);
    }

    #[test]
    fn masks_that_differ_in_many_words_or_in_separators_stay_apart() {
        let masks = [("card declined", 2), ("card accepted", 3), ("cache: hit", 1), ("cache, hit", 1)];
        let expected = [("card accepted", 3), ("card declined", 2), ("cache, hit", 1), ("cache: hit", 1)];
        assert_eq!(clustered(&masks), expected.map(|(pattern, count)| (pattern.to_owned(), count)));
    }

    #[test]
    fn beyond_a_bound_the_nearest_cluster_takes_a_mask_and_no_line_is_lost() {
        let masks: Vec<_> =
            (b'a'..=b'z').flat_map(|a| (b'a'..=b'z').map(move |b| format!("{0}{0} {1}{1}", a as char, b as char))).collect();
        let masks: Vec<_> = masks.iter().map(|mask| (mask.as_str(), 1)).collect();
        let found = clustered(&masks);
        assert!(found.len() <= MAX_CLUSTERS);
        assert_eq!(found.iter().map(|(_, count)| count).sum::<u64>(), 676);
    }
}
