//! Who acts in a run.

pub(crate) mod client;
pub(crate) mod ingester;
pub(crate) mod maintainer;
pub(crate) mod reader;
pub(crate) mod shifter;
pub(crate) mod vandal;
