use std::collections::HashMap;

use crate::binary::{by_key, overlay};
use crate::{Block, Labels, LabelsBuilder, ManyMatches, Matching, Row};

/// Combines each series of `many` with the one series of `one` that it meets. The result has the labels of `many`, those named in
/// `taken` from `one`.
///
/// # Errors
/// [`ManyMatches`] where two series of `one` with values at the same step meet the same series, or two results have the same labels.
pub fn combine_many(
    many: Block,
    one: &Block,
    matching: &Matching,
    taken: &[String],
    value: impl Fn(f64, f64) -> Option<f64>,
) -> Result<Block, ManyMatches> {
    let partners = by_key(one, matching);
    let mut series: Vec<Row> = Vec::new();
    let mut made: HashMap<Labels, usize> = HashMap::new();
    for row in many.series {
        let key = matching.key(&row.labels);
        let Some(partners) = partners.get(&key) else { continue };
        let mut met = vec![None; row.values.len()];
        for partner in partners {
            overlay(&mut met, &partner.values).map_err(|()| ManyMatches { group: key.clone(), side: "one" })?;
            let values: Vec<_> = row.values.iter().zip(&partner.values).map(|(m, o)| value((*m)?, (*o)?)).collect();
            let labels = with_taken(&row.labels, &partner.labels, taken);
            match made.get(&labels) {
                None => {
                    made.insert(labels.clone(), series.len());
                    series.push(Row { labels, values });
                }
                Some(index) => {
                    overlay(&mut series[*index].values, &values).map_err(|()| ManyMatches { group: labels, side: "many" })?;
                }
            }
        }
    }
    Ok(Block { grid: many.grid, series })
}

fn with_taken(labels: &Labels, from: &Labels, taken: &[String]) -> Labels {
    if taken.is_empty() {
        return labels.clone();
    }
    let mut builder = LabelsBuilder::default();
    for label in labels.iter() {
        builder.set(std::sync::Arc::clone(&label.name), std::sync::Arc::clone(&label.value));
    }
    for name in taken {
        builder.set(name.as_str(), from.get(name).unwrap_or_default());
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    fn block(rows: &[(&str, &str, f64)]) -> Block {
        let row = |(a, b, value): &(&str, &str, f64)| Row {
            labels: Labels::from_pairs([("a", *a), ("b", *b)]),
            values: vec![Some(*value)],
        };
        Block { grid: Grid::instant(0), series: rows.iter().map(row).collect() }
    }

    fn on_a() -> Matching {
        Matching::On(vec!["a".to_owned()])
    }

    #[test]
    fn each_of_many_meets_the_one_and_takes_the_labels_asked_for() {
        let many = block(&[("x", "1", 10.0), ("x", "2", 20.0), ("y", "1", 1.0)]);
        let one = block(&[("x", "z", 5.0)]);
        let text = |taken: &[String]| {
            let found = combine_many(many.clone(), &one, &on_a(), taken, |m, o| Some(m / o)).map(Block::into_vector);
            found.map(|all| all.iter().map(|one| format!("{} {}", one.labels, one.value)).collect::<Vec<_>>())
        };
        assert_eq!(text(&[]).unwrap(), [r#"{a="x", b="1"} 2"#, r#"{a="x", b="2"} 4"#]);
        // Taking b makes both results the same series.
        assert_eq!(text(&["b".to_owned()]).unwrap_err().side, "many");
        assert_eq!(text(&["c".to_owned()]).unwrap().len(), 2);
    }

    #[test]
    fn two_on_the_one_side_are_an_error() {
        let error =
            combine_many(block(&[("x", "1", 1.0)]), &block(&[("x", "1", 1.0), ("x", "2", 1.0)]), &on_a(), &[], |m, _| Some(m));
        assert_eq!(error.unwrap_err().side, "one");
    }
}
