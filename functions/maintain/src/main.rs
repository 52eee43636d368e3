//! The function `maintain`: looks after the tables when a schedule asks.

use std::process::ExitCode;

use icegate_function_host::events;
use icegate_function_maintain::Maintain;

fn main() -> ExitCode {
    events::run("maintain", Maintain::open)
}
