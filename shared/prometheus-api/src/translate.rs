//! OTLP metrics as Prometheus names and labels them.
//!
//! Pure: from a metric's name, type and unit, and the attributes of point, scope and resource, to the name and the labels of its series.

mod labels;
mod names;

pub(crate) use labels::{Parts, exemplar, labels, target_info};
pub(crate) use names::{Kind, Metric, name, unit};

/// How names of metrics and labels are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// What isn't a letter, digit or colon becomes `_`; units and `_total` are added. Prometheus' default.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// What isn't a letter, digit or colon becomes `_`.
    UnderscoreEscapingWithoutSuffixes,
    /// Names stay; units and `_total` are added.
    NoUtf8EscapingWithSuffixes,
    /// Names stay.
    NoTranslation,
}

impl Strategy {
    const fn escapes(self) -> bool {
        matches!(self, Self::UnderscoreEscapingWithSuffixes | Self::UnderscoreEscapingWithoutSuffixes)
    }
}

/// Which attributes of a resource become labels of its series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Promotion {
    /// None: they are on `target_info` alone.
    #[default]
    None,
    /// These.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl Promotion {
    fn takes(&self, key: &str) -> bool {
        match self {
            Self::None => false,
            Self::Only(keys) => keys.iter().any(|own| own == key),
            Self::AllBut(keys) => !keys.iter().any(|own| own == key),
        }
    }
}

/// How OTLP becomes series. The default is Prometheus' own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of Prometheus' configuration")]
pub struct Translation {
    /// How names are written.
    pub strategy: Strategy,
    /// Resource attributes that become labels.
    pub promotion: Promotion,
    /// Whether `target_info` also has the attributes that `job` and `instance` are made of.
    pub keep_identifying: bool,
    /// Whether name, version, schema URL and attributes of the scope become labels.
    pub promote_scope: bool,
    /// Whether a label that begins with one `_` gets `key` before it.
    pub sanitize_underscores: bool,
    /// Whether several `_` in a row stay in labels.
    pub preserve_underscores: bool,
    /// Whether histograms with explicit bounds become native ones.
    pub histograms_to_nhcb: bool,
    /// Whether `__type__` and `__unit__` are added.
    pub type_and_unit_labels: bool,
}

impl Default for Translation {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            promotion: Promotion::default(),
            keep_identifying: false,
            promote_scope: false,
            sanitize_underscores: true,
            preserve_underscores: true,
            histograms_to_nhcb: false,
            type_and_unit_labels: false,
        }
    }
}
