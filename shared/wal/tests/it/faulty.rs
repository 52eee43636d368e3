//! Stores in memory whose puts go wrong.

use std::sync::Arc;

use icegate_storage::Root;
use icegate_testkit::{Operation, Script, Trouble, When};

/// The first puts fail, and store nothing.
pub(crate) fn failing(puts: usize) -> Arc<Script> {
    let script = Script::new();
    script.fail(puts, Operation::Put, When::Before, Trouble::SlowDown);
    script
}

/// The first puts store what they bring, and say that they failed.
pub(crate) fn losing_replies(puts: usize) -> Arc<Script> {
    let script = Script::new();
    script.fail(puts, Operation::Put, When::After, Trouble::SlowDown);
    script
}

/// No put arrives until it is let through.
pub(crate) fn stuck() -> Arc<Script> {
    let script = Script::new();
    script.hold(Operation::Put);
    script
}

/// A new store behind this network.
pub(crate) fn root(script: &Arc<Script>) -> Root {
    let root = Root::memory();
    root.with_store(script.before(Arc::clone(&root.store)))
}
