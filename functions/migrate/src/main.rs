//! The function `migrate`: creates and upgrades the tables at a deployment, or by hand.

use std::process::ExitCode;

use icegate_function_host::events;
use icegate_function_migrate::Migrate;

fn main() -> ExitCode {
    events::run("migrate", Migrate::open)
}
