use icegate_syntax::Place;

use super::{LabelFilter, Selector, Stage};

/// A query that answers numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricExpr {
    /// What it computes.
    pub kind: MetricKind,
    /// Where.
    pub place: Place,
}

impl MetricExpr {
    /// The longest of its windows, in nanoseconds; 0 without any.
    #[must_use]
    pub fn longest_range(&self) -> i64 {
        match &self.kind {
            MetricKind::Number(_) | MetricKind::Vector(_) => 0,
            MetricKind::Range(range) => range.range.nanos,
            MetricKind::Vectors(vectors) => vectors.inner.longest_range(),
            MetricKind::Binary { left, right, .. } => left.longest_range().max(right.longest_range()),
            MetricKind::LabelReplace { inner, .. } => inner.longest_range(),
        }
    }
}

/// What a metric query computes.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricKind {
    /// A number with its sign.
    Number(f64),
    /// `vector(1)`
    Vector(f64),
    /// `rate({…}[5m])`
    Range(RangeAggregation),
    /// `sum by (a) (…)`
    Vectors(VectorAggregation),
    /// `a + b`
    Binary {
        /// What it does.
        op: BinaryOp,
        /// How both sides meet.
        modifier: Modifier,
        /// Left.
        left: Box<MetricExpr>,
        /// Right.
        right: Box<MetricExpr>,
    },
    /// `label_replace(v, "dst", "$1", "src", "(.*)")`
    LabelReplace {
        /// Whose labels.
        inner: Box<MetricExpr>,
        /// The label written.
        target: String,
        /// Its new value.
        replacement: String,
        /// The label read.
        source: String,
        /// What its whole value has to fit.
        regex: String,
    },
}

/// `rate({…}[5m])`
#[derive(Clone, Debug, PartialEq)]
pub struct RangeAggregation {
    /// What it computes.
    pub op: RangeOp,
    /// `quantile_over_time`'s first argument.
    pub param: Option<f64>,
    /// Of which lines.
    pub range: LogRange,
    /// Its own grouping.
    pub grouping: Option<Grouping>,
}

/// Lines of a window of time.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRange {
    /// Which streams.
    pub selector: Selector,
    /// What each line goes through.
    pub stages: Vec<Stage>,
    /// Which label is the value.
    pub unwrap: Option<Unwrap>,
    /// The window's length in nanoseconds.
    pub nanos: i64,
    /// How far before the step it ends, in nanoseconds; negative for after.
    pub offset: i64,
}

/// `| unwrap bytes(size) | size > 5`
#[derive(Clone, Debug, PartialEq)]
pub struct Unwrap {
    /// The label.
    pub label: String,
    /// How to read it.
    pub unit: UnwrapUnit,
    /// Conditions after it.
    pub filters: Vec<LabelFilter>,
    /// Where.
    pub place: Place,
}

/// How an unwrapped label is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnwrapUnit {
    /// A number.
    Number,
    /// `bytes(…)`
    Bytes,
    /// `duration(…)`, in seconds
    Duration,
    /// `duration_seconds(…)`
    DurationSeconds,
}

/// `sum by (a) (…)`
#[derive(Clone, Debug, PartialEq)]
pub struct VectorAggregation {
    /// What it computes.
    pub op: Aggregation,
    /// The k of `topk`, `bottomk`, `approx_topk`.
    pub param: Option<u64>,
    /// Over which groups; none is one group.
    pub grouping: Option<Grouping>,
    /// Of what.
    pub inner: Box<MetricExpr>,
}

/// `by (a, b)` or `without (a, b)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// `without`
    pub without: bool,
    /// The labels.
    pub labels: Vec<String>,
}

/// How both sides of a binary operation meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modifier {
    /// A comparison gives 0 or 1.
    pub bool: bool,
    /// On which labels the sides meet; none is on all.
    pub matching: Option<Matching>,
}

/// `on (a)`, `ignoring (a)`, with `group_left (b)` or `group_right (b)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    /// `on`, else `ignoring`.
    pub on: bool,
    /// The labels.
    pub labels: Vec<String>,
    /// Which side may have many, and the labels that it takes from the other.
    pub group: Option<(GroupSide, Vec<String>)>,
}

/// The side that may have many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupSide {
    /// `group_left`
    Left,
    /// `group_right`
    Right,
}

/// An enum whose variants are words of the language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As written.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one that is written so.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// Over the lines or unwrapped values of a window.
    RangeOp {
        /// Lines, or the sum of values, a second.
        Rate = "rate",
        /// Growth of a counter a second.
        RateCounter = "rate_counter",
        /// Lines.
        CountOverTime = "count_over_time",
        /// Bytes of lines a second.
        BytesRate = "bytes_rate",
        /// Bytes of lines.
        BytesOverTime = "bytes_over_time",
        /// 1 where there is nothing.
        AbsentOverTime = "absent_over_time",
        /// Sum.
        SumOverTime = "sum_over_time",
        /// Mean.
        AvgOverTime = "avg_over_time",
        /// Least.
        MinOverTime = "min_over_time",
        /// Greatest.
        MaxOverTime = "max_over_time",
        /// Population standard deviation.
        StddevOverTime = "stddev_over_time",
        /// Population variance.
        StdvarOverTime = "stdvar_over_time",
        /// Quantile.
        QuantileOverTime = "quantile_over_time",
        /// Earliest.
        FirstOverTime = "first_over_time",
        /// Latest.
        LastOverTime = "last_over_time",
    }
}

words! {
    /// Over the series of a vector.
    Aggregation {
        /// Sum.
        Sum = "sum",
        /// Mean.
        Avg = "avg",
        /// Least.
        Min = "min",
        /// Greatest.
        Max = "max",
        /// Number of series.
        Count = "count",
        /// Population standard deviation.
        Stddev = "stddev",
        /// Population variance.
        Stdvar = "stdvar",
        /// The k greatest.
        Topk = "topk",
        /// The k least.
        Bottomk = "bottomk",
        /// About the k greatest.
        ApproxTopk = "approx_topk",
        /// From the least.
        Sort = "sort",
        /// From the greatest.
        SortDesc = "sort_desc",
    }
}

words! {
    /// Between two sides.
    BinaryOp {
        /// Union.
        Or = "or",
        /// Intersection.
        And = "and",
        /// Difference.
        Unless = "unless",
        /// Equal.
        Equal = "==",
        /// Not equal.
        NotEqual = "!=",
        /// Greater.
        Greater = ">",
        /// Greater or equal.
        GreaterOrEqual = ">=",
        /// Less.
        Less = "<",
        /// Less or equal.
        LessOrEqual = "<=",
        /// Sum.
        Add = "+",
        /// Difference.
        Sub = "-",
        /// Product.
        Mul = "*",
        /// Quotient.
        Div = "/",
        /// Remainder.
        Mod = "%",
        /// Power.
        Pow = "^",
    }
}

impl BinaryOp {
    /// How tightly it binds, from 1.
    #[must_use]
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Equal | Self::NotEqual | Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual => 3,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div | Self::Mod => 5,
            Self::Pow => 6,
        }
    }

    /// `or`, `and`, `unless`
    #[must_use]
    pub const fn is_set(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Unless)
    }

    /// `==` and its like
    #[must_use]
    pub const fn is_comparison(self) -> bool {
        self.precedence() == 3
    }
}

impl RangeOp {
    /// Whether it may have a grouping of its own.
    #[must_use]
    pub const fn may_group(self) -> bool {
        matches!(
            self,
            Self::AvgOverTime
                | Self::MinOverTime
                | Self::MaxOverTime
                | Self::StddevOverTime
                | Self::StdvarOverTime
                | Self::QuantileOverTime
                | Self::FirstOverTime
                | Self::LastOverTime
        )
    }

    /// Whether it counts lines, without an unwrapped label.
    #[must_use]
    pub const fn takes_lines(self) -> bool {
        matches!(self, Self::Rate | Self::CountOverTime | Self::BytesRate | Self::BytesOverTime | Self::AbsentOverTime)
    }

    /// Whether it takes the values of an unwrapped label.
    #[must_use]
    pub const fn takes_values(self) -> bool {
        !matches!(self, Self::CountOverTime | Self::BytesRate | Self::BytesOverTime)
    }
}

impl Aggregation {
    /// Whether it takes a k.
    #[must_use]
    pub const fn takes_k(self) -> bool {
        matches!(self, Self::Topk | Self::Bottomk | Self::ApproxTopk)
    }

    /// Whether it may have a grouping.
    #[must_use]
    pub const fn may_group(self) -> bool {
        !matches!(self, Self::ApproxTopk | Self::Sort | Self::SortDesc)
    }
}
