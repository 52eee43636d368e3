use crate::{Grid, Labels};

/// Series on one grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Their points in time.
    pub grid: Grid,
    /// The series, no two with equal labels.
    pub series: Vec<Row>,
}

/// One series of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Whose values.
    pub labels: Labels,
    /// One cell for each point of the grid.
    pub values: Vec<Option<f64>>,
}

/// A series as it leaves a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Whose points.
    pub labels: Labels,
    /// Time in nanoseconds and value, by time; never empty.
    pub points: Vec<(i64, f64)>,
}

/// A value at the one point of an instant query.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Whose value.
    pub labels: Labels,
    /// Time in nanoseconds.
    pub time: i64,
    /// The value.
    pub value: f64,
}

impl Block {
    /// No series.
    #[must_use]
    pub const fn empty(grid: Grid) -> Self {
        Self { grid, series: Vec::new() }
    }

    /// One series without labels that has `value` at every point.
    #[must_use]
    pub fn constant(grid: Grid, value: f64) -> Self {
        Self { grid, series: vec![Row { labels: Labels::empty(), values: vec![Some(value); grid.len()] }] }
    }

    /// How many series have a value.
    #[must_use]
    pub fn live(&self) -> usize {
        self.series.iter().filter(|row| row.values.iter().any(Option::is_some)).count()
    }

    /// Series with their points, sorted by labels; those without any point fall out.
    #[must_use]
    pub fn into_matrix(self) -> Vec<Series> {
        let grid = self.grid;
        let mut all: Vec<Series> = Vec::with_capacity(self.series.len());
        for row in self.series {
            let points: Vec<_> =
                row.values.iter().enumerate().filter_map(|(index, value)| Some((grid.time(index), (*value)?))).collect();
            if !points.is_empty() {
                all.push(Series { labels: row.labels, points });
            }
        }
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        all
    }

    /// The values at the first point, sorted by labels.
    #[must_use]
    pub fn into_vector(self) -> Vec<Sample> {
        let mut all = self.into_ordered_vector();
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        all
    }

    /// The values at the first point, in the order of the block.
    #[must_use]
    pub fn into_ordered_vector(self) -> Vec<Sample> {
        let time = self.grid.first();
        let sample = |row: Row| Some(Sample { value: row.values.first().copied().flatten()?, labels: row.labels, time });
        self.series.into_iter().filter_map(sample).collect()
    }
}
