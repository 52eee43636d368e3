use std::collections::HashMap;

use crate::binary::overlay;
use crate::{Block, Labels, ManyMatches, Row};

/// Gives each series the labels that `change` says; series that get equal labels become one where they don't overlap.
///
/// # Errors
/// [`ManyMatches`] where two of them have values at the same step.
pub fn relabel(block: Block, change: impl Fn(Labels) -> Labels) -> Result<Block, ManyMatches> {
    let mut series: Vec<Row> = Vec::with_capacity(block.series.len());
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for row in block.series {
        let labels = change(row.labels);
        match index.get(&labels) {
            None => {
                index.insert(labels.clone(), series.len());
                series.push(Row { labels, values: row.values });
            }
            Some(at) => {
                overlay(&mut series[*at].values, &row.values).map_err(|()| ManyMatches { group: labels, side: "many" })?;
            }
        }
    }
    Ok(Block { grid: block.grid, series })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grid;

    #[test]
    fn equal_labels_are_one_series_unless_they_overlap() {
        let row =
            |name: &str, values: [Option<f64>; 2]| Row { labels: Labels::from_pairs([("a", name)]), values: values.to_vec() };
        let block =
            |second| Block { grid: Grid::new(0, 1, 1).unwrap(), series: vec![row("x", [Some(1.0), None]), row("y", second)] };
        let joined = relabel(block([None, Some(2.0)]), |_| Labels::empty()).unwrap();
        assert_eq!(joined.series[0].values, [Some(1.0), Some(2.0)]);
        assert_eq!(relabel(block([Some(2.0), None]), |_| Labels::empty()).unwrap_err().side, "many");
    }
}
