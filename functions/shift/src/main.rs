//! The function `shift`: moves segments into the tables when a queue says that there are some, and when a schedule asks.

use std::process::ExitCode;

use icegate_function_host::events;
use icegate_function_shift::Shift;

fn main() -> ExitCode {
    events::run("shift", Shift::open)
}
